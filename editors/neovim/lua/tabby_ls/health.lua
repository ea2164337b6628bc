-- `:checkhealth tabby_ls`: whether anything stands in the way of ghost text.
local M = {}

local health = vim.health

local function check_neovim()
  local version = vim.version()
  local name = ('Neovim %d.%d.%d'):format(version.major, version.minor, version.patch)
  if vim.fn.has('nvim-0.10') == 1 then
    health.ok(name)
  else
    health.error(name .. ' is too old; 0.10 is needed')
  end
end

local function check_command(command)
  if vim.fn.executable(command[1]) == 0 then
    health.error(('there is no command %q'):format(command[1]), {
      'install it (pip install tabby-ls, in a place that is on your PATH)',
      "or name it in full: require('tabby_ls').setup { cmd = { '/path/to/tabby-ls' } }",
    })
    return
  end
  local done = vim.system({ command[1], '--version' }, { text = true, timeout = 10000 }):wait()
  local said = vim.trim((done.stdout or '') .. (done.stderr or ''))
  if done.code == 0 then
    health.ok(('%s is %s'):format(said, vim.fn.exepath(command[1])))
  else
    health.error(('%s --version failed: %s'):format(command[1], said))
  end
end

local function check_servers(server)
  local clients = vim.lsp.get_clients({ name = server.NAME })
  if #clients == 0 then
    health.warn('the server is not running', {
      'it starts with the first file of a type that it is for (a buffer without a file type has none)',
      'if it was stopped, :TabbyLs restart starts it again',
      vim.lsp.get_log_path() .. ' may say why it ended',
    })
    return
  end
  for _, client in ipairs(clients) do
    local version = client.server_info and client.server_info.version or ''
    local buffers = vim.lsp.get_buffers_by_client_id(client.id)
    local root = client.config.root_dir or 'files without a project'
    health.ok(('server %s runs for %s (%d buffer%s)'):format(version, root, #buffers, #buffers == 1 and '' or 's'))
    local status = server.status(buffers[1])
    local sentence = server.sentence(status)
    if status.state == 'error' then
      health.error(sentence)
    elseif status.state == 'off' then
      health.warn(sentence)
    else
      health.ok(sentence)
    end
  end
end

local function check_keys(keys)
  if vim.tbl_isempty(keys) then
    health.info(
      'no keys are set; setup { keymaps = true } sets the usual ones, :help tabby-ls-keys tells how to have others'
    )
    return
  end
  for _, action in ipairs(require('tabby_ls.keymaps').ACTIONS) do
    local key = keys[action[1]]
    if key then
      local mapping = vim.fn.maparg(key, 'i', false, true)
      local source = mapping.callback and debug.getinfo(mapping.callback, 'S').source or ''
      if source:find('tabby_ls', 1, true) then
        health.ok(('%s: %s'):format(key, action[1]))
      else
        health.warn(('%s was mapped to something else after setup, which may keep it from %s'):format(key, action[1]))
      end
    end
  end
end

function M.check()
  local config = require('tabby_ls.config')
  local server = require('tabby_ls.server')
  health.start('tabby-ls')
  check_neovim()
  check_command(config.now.cmd)
  if not config.was_set then
    health.warn("require('tabby_ls').setup {} has not been called: there is no ghost text of ours")
    return
  end
  check_servers(server)
  check_keys(config.keys())
end

return M
