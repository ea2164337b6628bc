-- Ghost text from tabby-ls: `require('tabby_ls').setup {}`, and what keys and status lines call.
local M = {}

---@param options? tabby_ls.Config
function M.setup(options)
  if vim.fn.has('nvim-0.10') == 0 then
    error('tabby_ls needs Neovim 0.10 or later', 0)
  end
  local config = require('tabby_ls.config')
  config.set(options)
  local group = vim.api.nvim_create_augroup('tabby_ls', { clear = true })
  local ghost = require('tabby_ls.ghost')
  ghost.set_highlights()
  vim.api.nvim_create_autocmd('ColorScheme', { group = group, callback = ghost.set_highlights })
  require('tabby_ls.suggest').enable(group)
  require('tabby_ls.server').enable(group)
  require('tabby_ls.keymaps').set(config.keys())
end

--- Take all of the suggestion. Like the others, returns whether there was one.
---@return boolean
function M.accept()
  return require('tabby_ls.suggest').accept()
end

--- Take the next word of the suggestion; the rest stays on the screen.
---@return boolean
function M.accept_word()
  return require('tabby_ls.suggest').accept_word()
end

--- Take the next line of the suggestion; the rest stays on the screen.
---@return boolean
function M.accept_line()
  return require('tabby_ls.suggest').accept_line()
end

--- Show the next alternative.
---@return boolean
function M.next()
  return require('tabby_ls.suggest').cycle(1)
end

--- Show the previous alternative.
---@return boolean
function M.previous()
  return require('tabby_ls.suggest').cycle(-1)
end

--- Ask for a suggestion now. Returns whether it is insert mode.
---@return boolean
function M.trigger()
  return require('tabby_ls.suggest').trigger()
end

--- Take the suggestion off the screen.
---@return boolean
function M.dismiss()
  return require('tabby_ls.suggest').dismiss()
end

--- Whether a suggestion is on the screen.
---@return boolean
function M.is_visible()
  return require('tabby_ls.suggest').is_visible()
end

--- How the server of a buffer is doing.
---@param buffer? integer
---@return tabby_ls.Status
function M.status(buffer)
  return require('tabby_ls.server').status(buffer)
end

local SIGNS = { idle = '●', thinking = '◌', error = '✗', off = '○' }

--- The status in a few characters, for a status line; "" where there is no server.
---@return string
function M.statusline()
  if not require('tabby_ls.server').client(vim.api.nvim_get_current_buf()) then
    return ''
  end
  local status = M.status()
  return ('%s %s'):format(SIGNS[status.state] or '?', status.state == 'error' and 'tabby-ls' or status.backend)
end

--- Switch suggestions off, or on again.
---@param scope? "session"|"language"|"file"
function M.toggle(scope)
  require('tabby_ls.commands').run({ 'toggle', scope })
end

return M
