-- Keys that do something where a suggestion is on the screen, and elsewhere what they did before.
local M = {}

-- These do something without a suggestion too.
local ALWAYS = { trigger = true }

local ACTIONS = { 'accept', 'accept_word', 'accept_line', 'next', 'previous', 'trigger', 'dismiss' }
local DESCRIPTIONS = {
  accept = 'Take the suggestion',
  accept_word = 'Take the next word of the suggestion',
  accept_line = 'Take the next line of the suggestion',
  next = 'Next suggestion',
  previous = 'Previous suggestion',
  trigger = 'Suggest something',
  dismiss = 'Dismiss the suggestion',
}

-- Keys go before those that are waiting, as if they had been typed instead of this one.
local function press(keys, remap)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, true, true), remap and 'mi' or 'ni', false)
end

--- What the key did before.
local function fall_back(key, mapping)
  if vim.tbl_isempty(mapping) then
    press(key, false)
  elseif mapping.expr == 1 then
    local result
    if mapping.callback then
      result = mapping.callback()
    else
      result = vim.api.nvim_eval(mapping.rhs)
    end
    press(result or '', mapping.noremap == 0)
  elseif mapping.callback then
    mapping.callback()
  else
    press(mapping.rhs, mapping.noremap == 0)
  end
end

---@param keys tabby_ls.Keymaps
function M.set(keys)
  for _, action in ipairs(ACTIONS) do
    local key = keys[action]
    if key then
      local before = vim.fn.maparg(key, 'i', false, true)
      if before.desc == DESCRIPTIONS[action] then
        before = {} -- ours, from an earlier setup
      end
      vim.keymap.set('i', key, function()
        if not require('tabby_ls')[action]() and not ALWAYS[action] then
          fall_back(key, before)
        end
      end, { desc = DESCRIPTIONS[action] })
    end
  end
end

return M
