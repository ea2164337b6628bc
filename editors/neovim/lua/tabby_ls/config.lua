-- What the user may say to `setup`.
local M = {}

---@class tabby_ls.Keymaps
---@field accept? string|false Take all of the suggestion.
---@field accept_word? string|false Take its next word.
---@field accept_line? string|false Take its next line.
---@field next? string|false Show the next alternative; asks for some if there are none.
---@field previous? string|false Show the previous alternative.
---@field trigger? string|false Ask for a suggestion now.
---@field dismiss? string|false Take the suggestion off the screen.

---@class tabby_ls.Config
---@field cmd? string[] The server's command.
---@field filetypes? string[] The only file types it is for; all of them if this is not given.
---@field root_markers? string[] Files and folders that a project has at its top.
---@field settings? tabby_ls.Settings The server's settings.
---@field auto? boolean Ask while typing; otherwise only by key.
---@field enabled? fun(buffer: integer): boolean Whether to ask anything in a buffer.
---@field keymaps? boolean|tabby_ls.Keymaps true for the usual keys, or the keys to have; false for none.
---@field notify? boolean Say so, once, when the server has a problem.

---@type tabby_ls.Config
M.defaults = {
  cmd = { 'tabby-ls' },
  root_markers = { '.git', '.hg', 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod' },
  settings = {},
  auto = true,
  enabled = function()
    return true
  end,
  keymaps = false,
  notify = true,
}

---@type tabby_ls.Keymaps
M.usual_keys = {
  accept = '<Tab>',
  accept_word = '<M-Right>',
  accept_line = '<M-C-Right>',
  next = '<M-]>',
  previous = '<M-[>',
  trigger = '<M-Bslash>',
  dismiss = '<C-]>',
}

local TYPES = {
  cmd = 'table',
  filetypes = 'table',
  root_markers = 'table',
  settings = 'table',
  auto = 'boolean',
  enabled = 'function',
  keymaps = { boolean = true, table = true },
  notify = 'boolean',
}

---@type tabby_ls.Config
M.now = M.defaults
M.was_set = false

local function check(options)
  for name, value in pairs(options) do
    local wanted = TYPES[name]
    if not wanted then
      error(('tabby_ls.setup: there is no option %q'):format(name), 0)
    end
    local kinds = type(wanted) == 'table' and wanted or { [wanted] = true }
    if not kinds[type(value)] then
      local names = vim.tbl_keys(kinds)
      table.sort(names)
      error(('tabby_ls.setup: %s must be a %s'):format(name, table.concat(names, ' or a ')), 0)
    end
  end
  if type(options.keymaps) == 'table' then
    for name in pairs(options.keymaps) do
      if not M.usual_keys[name] then
        error(('tabby_ls.setup: there is no key for %q'):format(name), 0)
      end
    end
  end
end

--- Put the user's options in force. Raises an error that says what is wrong with them.
---@param options? tabby_ls.Config
---@return tabby_ls.Config
function M.set(options)
  options = options or {}
  check(options)
  M.was_set = true
  M.now = vim.tbl_extend('force', M.defaults, options)
  M.now.cmd = { vim.fn.expand(M.now.cmd[1]), unpack(M.now.cmd, 2) }
  return M.now
end

--- The keys that are wanted.
---@return tabby_ls.Keymaps
function M.keys()
  local keymaps = M.now.keymaps
  if keymaps == true then
    return M.usual_keys
  end
  return keymaps or {}
end

return M
