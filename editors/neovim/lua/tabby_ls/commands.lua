-- What `:TabbyLs` can be asked and told.
local server = require('tabby_ls.server')

local M = {}

local SCOPES = { 'file', 'language', 'session' }

-- Neovim breaks a long line wherever the screen ends, within a word.
local function broken_at_words(message)
  local rows = {}
  for _, line in ipairs(vim.split(message, '\n', { plain = true })) do
    local row = ''
    for word in line:gmatch('%s*%S+') do
      if row ~= '' and vim.fn.strdisplaywidth(row .. word) >= vim.o.columns then
        rows[#rows + 1] = row
        row = vim.trim(word)
      else
        row = row .. word
      end
    end
    rows[#rows + 1] = row
  end
  return table.concat(rows, '\n')
end

local function show(message)
  vim.api.nvim_echo({ { broken_at_words(message) } }, true, {})
end

local function complain(message)
  vim.notify('tabby-ls: ' .. message, vim.log.levels.ERROR)
end

--- Have the server of this buffer run a command, and hand its answer on.
local function ask(name, argument, handler)
  local client = server.client(vim.api.nvim_get_current_buf())
  if not client then
    complain('it is not running for this buffer; :checkhealth tabby_ls tells why')
    return
  end
  server.execute(client, { command = 'tabby-ls.' .. name, arguments = { argument } }, function(err, result)
    if err then
      complain(err.message)
    else
      handler(result)
    end
  end)
end

local function uri()
  return vim.uri_from_bufnr(0)
end

local COMMANDS = {
  why = function()
    ask('why', { uri = uri() }, show)
  end,
  stats = function()
    ask('stats', nil, show)
  end,
  status = function()
    if server.client(vim.api.nvim_get_current_buf()) then
      ask('status', { uri = uri() }, function(status)
        show('tabby-ls: ' .. server.sentence(status))
      end)
    else
      show('tabby-ls: ' .. server.sentence(server.status()))
    end
  end,
  toggle = function(scope)
    scope = scope or 'session'
    if not vim.list_contains(SCOPES, scope) then
      complain(('toggle %s: there are only %s'):format(scope, table.concat(SCOPES, ', ')))
      return
    end
    local argument = { scope = scope, uri = uri(), language = vim.bo.filetype }
    ask('toggle', argument, function(result)
      require('tabby_ls.suggest').again()
      show('tabby-ls: ' .. result.message)
    end)
  end,
  trigger = function()
    if not require('tabby_ls.suggest').trigger() then
      complain('nothing is suggested outside of insert mode; :help tabby-ls-keys')
    end
  end,
  restart = function()
    server.restart()
  end,
  messages = function()
    local messages = require('tabby_ls.messages').all()
    show(#messages > 0 and table.concat(messages, '\n') or 'tabby-ls: it has said nothing')
  end,
  health = function()
    vim.cmd.checkhealth('tabby_ls')
  end,
}

---@param arguments string[]
function M.run(arguments)
  local name = arguments[1] or 'status'
  local command = COMMANDS[name]
  if not command then
    local names = vim.tbl_keys(COMMANDS)
    table.sort(names)
    complain(('there is no %q; there are %s'):format(name, table.concat(names, ', ')))
    return
  end
  command(arguments[2])
end

--- What may come next on the command line.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local is_second = line:match('^%s*%S+%s+%S+%s') ~= nil
  local words = is_second and (line:match('%s+toggle%s') and SCOPES or {}) or vim.tbl_keys(COMMANDS)
  table.sort(words)
  return vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, words)
end

return M
