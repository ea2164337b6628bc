-- The server: started, asked, told, and started again when it died.
local config = require('tabby_ls.config')
local messages = require('tabby_ls.messages')

local M = {}

M.NAME = 'tabby_ls'

---@class tabby_ls.Status
---@field state "idle"|"thinking"|"error"|"off"
---@field backend string Who answers, in words for people.
---@field message string Why, for "error" and "off"; otherwise "".

---@type tabby_ls.Status
local OFF = { state = 'off', backend = '', message = 'the server is not running' }

---@type table<integer, tabby_ls.Status>
local status_of = {}
-- When the server was last started again by itself: it is given up if it keeps dying.
local restarts = {}
local RESTARTS, WITHIN_MS = 3, 60000
local RESTART_MS, STOP_MS = 200, 2000

local is_new = vim.fn.has('nvim-0.11') == 1

-- Neovim 0.11 made the methods of clients take the client as their first argument.
local function call(client, method, ...)
  if is_new then
    return client[method](client, ...)
  end
  return client[method](...)
end

--- Whether a buffer is the text of a file, that is or will be: no help, list, prompt or folder.
---@param buffer integer
function M.is_file(buffer)
  return vim.bo[buffer].buftype == '' and vim.fn.isdirectory(vim.api.nvim_buf_get_name(buffer)) == 0
end

--- The client of a buffer, once it can be asked.
---@param buffer integer
---@return vim.lsp.Client?
function M.client(buffer)
  return vim.lsp.get_clients({ bufnr = buffer, name = M.NAME })[1]
end

--- Ask the server. Returns the request's number, nil if nothing was sent.
---@param client vim.lsp.Client
---@param method string
---@param params table
---@param buffer integer
---@param handler fun(err: table?, result: any)
---@return integer?
function M.request(client, method, params, buffer, handler)
  local sent, id = call(client, 'request', method, params, handler, buffer)
  return sent and id or nil
end

---@param client vim.lsp.Client
---@param request integer
function M.cancel(client, request)
  if not call(client, 'is_stopped') then
    call(client, 'cancel_request', request)
  end
end

--- Have the server run a command.
---@param client vim.lsp.Client
---@param command { command: string, arguments: table? }
---@param handler? fun(err: table?, result: any)
function M.execute(client, command, handler)
  local params = { command = command.command, arguments = command.arguments }
  call(client, 'request', 'workspace/executeCommand', params, handler or function() end, 0)
end

-- Status

local function changed()
  vim.api.nvim_exec_autocmds('User', { pattern = 'TabbyLsStatus', modeline = false })
  vim.cmd.redrawstatus({ bang = true })
end

local LEVELS = { vim.log.levels.ERROR, vim.log.levels.WARN, vim.log.levels.INFO, vim.log.levels.INFO }

local function on_message(_, params)
  local message = params.message:gsub('^tabby%-ls: ', '')
  messages.say(message, LEVELS[params.type] or vim.log.levels.INFO)
end

local function on_status(_, status, context)
  local before = status_of[context.client_id]
  status_of[context.client_id] = status
  changed()
  if config.now.notify and status.state == 'error' and not (before and before.message == status.message) then
    messages.say(status.message, vim.log.levels.WARN)
  end
end

-- Learn the status for the file that the user enters: what was told last was about another one.
local function on_enter(event)
  local client = M.client(event.buf)
  if not client then
    return
  end
  local argument = { uri = vim.uri_from_bufnr(event.buf) }
  M.execute(client, { command = 'tabby-ls.status', arguments = { argument } }, function(_, status)
    if status and vim.api.nvim_get_current_buf() == event.buf then
      status_of[client.id] = status
      changed()
    end
  end)
end

--- The status of the server of a buffer.
---@param buffer? integer
---@return tabby_ls.Status
function M.status(buffer)
  local client = M.client(buffer or vim.api.nvim_get_current_buf())
  if not client then
    return OFF
  end
  return status_of[client.id] or { state = 'idle', backend = '', message = '' }
end

--- A status in words.
---@param status tabby_ls.Status
---@return string
function M.sentence(status)
  if status.message ~= '' then
    return status.state .. ': ' .. status.message
  end
  return status.backend ~= '' and status.state .. ', ' .. status.backend or status.state
end

-- Life

-- What became of the server whose end is being reported: Neovim is told of a good one, see `start`.
local last_exit = { code = 0, signal = 0, was_stopped = false }

--- Start the server, for vim.lsp.
---
--- Of a bad exit Neovim itself would make a message that is longer than a line, for which everything stops until a
--- key is pressed, in the middle of typing. Whoever stops a client does it by a request or by force.
local function start(dispatchers)
  local was_stopped = false
  local on_exit = dispatchers.on_exit
  dispatchers.on_exit = function(code, signal)
    last_exit = { code = code, signal = signal, was_stopped = was_stopped }
    on_exit(0, 0)
  end
  local rpc = vim.lsp.rpc.start(config.now.cmd, dispatchers)
  local request, terminate = rpc.request, rpc.terminate
  rpc.request = function(method, ...)
    was_stopped = was_stopped or method == 'shutdown'
    return request(method, ...)
  end
  rpc.terminate = function()
    was_stopped = true
    terminate()
  end
  return rpc
end

---@param client_config table
---@param buffers integer[]
local function start_again(client_config, buffers)
  for _, buffer in ipairs(vim.tbl_filter(vim.api.nvim_buf_is_loaded, buffers)) do
    vim.lsp.start(client_config, { bufnr = buffer })
  end
end

--- Whether the server may be started again by itself: not if it keeps dying.
local function may_restart()
  local now = vim.uv.now()
  restarts = vim.tbl_filter(function(time)
    return now - time < WITHIN_MS
  end, restarts)
  restarts[#restarts + 1] = now
  return #restarts <= RESTARTS
end

local function on_exit(_, _, id)
  local exit, client = last_exit, vim.lsp.get_client_by_id(id)
  local buffers = client and vim.tbl_keys(client.attached_buffers) or {}
  vim.schedule(function()
    status_of[id] = nil
    changed()
    if exit.was_stopped then
      return
    end
    if client and client.initialized and may_restart() then
      vim.defer_fn(function()
        start_again(client.config, buffers)
      end, RESTART_MS)
      return
    end
    local how = exit.signal ~= 0 and 'signal ' .. exit.signal or 'exit status ' .. exit.code
    messages.say(('the server ended (%s); :checkhealth tabby_ls'):format(how), vim.log.levels.ERROR)
  end)
end

local function on_attach(client, buffer)
  vim.schedule(function()
    -- Help, lists of files and the like get their file type first and say afterwards that they are no text of a file.
    if vim.api.nvim_buf_is_valid(buffer) and not M.is_file(buffer) then
      vim.lsp.buf_detach_client(buffer, client.id)
    end
  end)
  -- Ghost text is drawn here; Neovim's own would show it a second time.
  if vim.lsp.inline_completion then
    vim.lsp.inline_completion.enable(false, { client_id = client.id })
  end
  changed()
end

---@return table # what to start, for vim.lsp
local function client_config()
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.textDocument.inlineCompletion = { dynamicRegistration = false }
  capabilities.experimental = { ['tabby-ls'] = { status = true, movesBehind = true } }
  return {
    cmd = start,
    filetypes = config.now.filetypes,
    root_markers = config.now.root_markers,
    init_options = next(config.now.settings) and config.now.settings or nil,
    capabilities = capabilities,
    handlers = { ['tabby-ls/status'] = on_status, ['window/showMessage'] = on_message },
    on_exit = on_exit,
  }
end

-- Neovim 0.10 has no `vim.lsp.enable`.
local function enable_by_hand(started)
  local function attach(buffer)
    local file_type = vim.bo[buffer].filetype
    local is_meant = not started.filetypes or vim.list_contains(started.filetypes, file_type)
    if vim.bo[buffer].buftype == '' and file_type ~= '' and is_meant then
      local root = vim.fs.root(buffer, started.root_markers)
      vim.lsp.start(vim.tbl_extend('force', started, { name = M.NAME, root_dir = root }), { bufnr = buffer })
    end
  end
  vim.api.nvim_create_autocmd('FileType', {
    group = vim.api.nvim_create_augroup('tabby_ls.start', { clear = true }),
    callback = function(event)
      attach(event.buf)
    end,
  })
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) then
      attach(buffer)
    end
  end
end

--- Have the server started for the buffers it is for.
local function begin()
  local command = config.now.cmd[1]
  if vim.fn.executable(command) == 0 then
    messages.say(('there is no command %q; :checkhealth tabby_ls'):format(command), vim.log.levels.ERROR)
  elseif is_new then
    vim.lsp.config(M.NAME, client_config())
    vim.lsp.enable(M.NAME)
  else
    enable_by_hand(client_config())
  end
end

--- Stop the servers and start them again for the same buffers; where there are none, start one.
function M.restart()
  restarts = {}
  local clients = vim.lsp.get_clients({ name = M.NAME })
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_keys(client.attached_buffers)
    local function has_ended()
      return vim.lsp.get_client_by_id(client.id) == nil
    end
    call(client, 'stop')
    if not vim.wait(STOP_MS, has_ended, 10) then
      call(client, 'stop', true)
      vim.wait(STOP_MS, has_ended, 10) -- Neovim 0.10 would have the one that ends serve again
    end
    start_again(client.config, buffers)
  end
  if #clients == 0 then
    begin()
  end
end

--- Start what there is to start, and keep an eye on it.
---@param group integer Of autocommands.
function M.enable(group)
  vim.api.nvim_create_autocmd('BufEnter', { group = group, callback = on_enter })
  vim.api.nvim_create_autocmd('LspAttach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == M.NAME then
        on_attach(client, event.buf)
      end
    end,
  })
  begin()
end

return M
