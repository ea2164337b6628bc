-- What is told to somebody who is typing: it never waits for a key, and can be read again.
local M = {}

-- Whether messages go to the line below the screen, and not to a window of some plugin.
local function is_plain_notify()
  local source = debug.getinfo(vim.notify, 'S').source
  return not vim.startswith(source, '@') or vim.startswith(source, '@vim/_') -- Neovim's own has no file, or this one
end

---@type string[]
local said = {}

--- All that was said, in full.
---@return string[]
function M.all()
  return said
end

local CUT = '… :TabbyLs messages'

--- Tell the user something, in one line: for what does not fit Neovim would wait until a key is pressed, which would be
--- one that they type into their text.
---@param message string
---@param level integer Of `vim.log.levels`.
function M.say(message, level)
  local line = 'tabby-ls: ' .. message:gsub('%s*\n%s*', ' ')
  said[#said + 1] = line
  if is_plain_notify() and vim.fn.strdisplaywidth(line) > vim.v.echospace then
    line = vim.fn.strcharpart(line, 0, vim.v.echospace - vim.fn.strdisplaywidth(CUT)) .. CUT
  end
  vim.notify(line, level)
  if vim.api.nvim_get_mode().mode:sub(1, 1) == 'i' and vim.o.showmode and is_plain_notify() then
    -- "-- INSERT --" has covered it, so it is shown once more.
    vim.api.nvim_create_autocmd('InsertLeave', {
      once = true,
      callback = vim.schedule_wrap(function()
        vim.api.nvim_echo({ { line, level > vim.log.levels.INFO and 'WarningMsg' or 'None' } }, false, {})
      end),
    })
  end
end

return M
