-- Keys that do something where a suggestion is on the screen, and elsewhere what they did before.
local M = {}

-- These do something without a suggestion too.
local ALWAYS = { trigger = true }

---@type [string, string][] What of `tabby_ls` a key does, and its description, which also tells that a key is ours.
M.ACTIONS = {
  { 'accept', 'Take the suggestion' },
  { 'accept_word', 'Take the next word of the suggestion' },
  { 'accept_line', 'Take the next line of the suggestion' },
  { 'next', 'Next suggestion' },
  { 'previous', 'Previous suggestion' },
  { 'trigger', 'Suggest something' },
  { 'dismiss', 'Dismiss the suggestion' },
}

local function with_codes(keys)
  return vim.api.nvim_replace_termcodes(keys, true, true, true)
end

--- The mapping of a key for all buffers, as `mapset()` takes it.
local function global_mapping(key)
  local wanted = vim.fn.keytrans(with_codes(key))
  for _, mapping in ipairs(vim.api.nvim_get_keymap('i')) do
    if vim.fn.keytrans(mapping.lhsraw) == wanted then
      return mapping
    end
  end
end

--- What to press for what a key did before it was ours.
---@return string keys "" for nothing
---@return string mode Of `nvim_feedkeys`.
local function former(key, description)
  local name = ('<Plug>(tabby-ls-former-%s)'):format(key:gsub('[<>]', ''))
  local mapping = global_mapping(key)
  if mapping and mapping.desc ~= description then
    mapping.lhs, mapping.lhsraw, mapping.lhsrawalt = name, with_codes(name), nil
    vim.fn.mapset(mapping)
  end
  if vim.fn.maparg(name, 'i') ~= '' then
    return with_codes(name), 'im'
  end
  -- An Alt key that it does not know is Escape and the rest of the key to Neovim: not what anybody meant by this one.
  return key:find('[<-][MA]%-') and '' or with_codes(key), 'in'
end

---@param keys tabby_ls.Keymaps
function M.set(keys)
  for _, action in ipairs(M.ACTIONS) do
    local name, description = unpack(action)
    local key = keys[name]
    if key then
      local before, mode = former(key, description)
      vim.keymap.set('i', key, function()
        if not require('tabby_ls')[name]() and not ALWAYS[name] then
          vim.api.nvim_feedkeys(before, mode, false)
        end
      end, { desc = description })
    end
  end
end

return M
