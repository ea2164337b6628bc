-- Ghost text on the screen: the one place that draws.
local M = {}

local namespace = vim.api.nvim_create_namespace('tabby_ls.ghost')

local SUGGESTION = 'TabbyLsSuggestion'
local HINT = 'TabbyLsHint'

---@class tabby_ls.Shown
---@field buffer integer
---@field row integer
---@field column integer In bytes.
---@field rest string
---@field replaces integer
---@field hint string

---@type tabby_ls.Shown?
local shown

--- Give the groups the look of what an editor suggests, unless the user's colours say otherwise.
function M.set_highlights()
  local has_groups = vim.fn.hlexists('ComplHint') == 1
  vim.api.nvim_set_hl(0, SUGGESTION, { default = true, link = has_groups and 'ComplHint' or 'NonText' })
  vim.api.nvim_set_hl(0, HINT, { default = true, link = has_groups and 'ComplHintMore' or 'MoreMsg' })
end

-- Virtual text shows tabs as control characters.
local function without_tabs(text, column)
  local spread = ''
  for before, tab in text:gmatch('([^\t]*)(\t?)') do
    spread = spread .. before
    spread = spread .. (' '):rep(vim.fn.strdisplaywidth(tab, column + vim.fn.strdisplaywidth(spread)))
  end
  return spread
end

-- Scroll until so many lines fit below the cursor's, as far as that one stays on the screen: at the end of a file they
-- would be out of sight.
local function make_room(rows)
  local missing = vim.fn.winline() + rows - vim.fn.winheight(0)
  if missing > 0 then
    local view = vim.fn.winsaveview()
    view.topline = math.min(view.topline + missing, math.max(view.topline, view.lnum - vim.wo.scrolloff))
    vim.fn.winrestview(view)
  end
end

--- Take the ghost text off the screen.
function M.hide()
  if shown and vim.api.nvim_buf_is_valid(shown.buffer) then
    vim.api.nvim_buf_clear_namespace(shown.buffer, namespace, 0, -1)
  end
  shown = nil
end

--- Show `rest` at a place; nothing is drawn anew that is there already.
---@param next tabby_ls.Shown
function M.show(next)
  if shown and vim.deep_equal(shown, next) then
    return
  end
  M.hide()
  shown = next
  local buffer, row, column = next.buffer, next.row, next.column
  local line = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ''
  local after = line:sub(column + 1)
  local lines = vim.split(next.rest, '\n', { plain = true })
  local hint = next.hint ~= '' and { ' ' .. next.hint, HINT } or nil
  local at = vim.fn.strdisplaywidth(line:sub(1, column))
  if #lines == 1 then
    -- What is replaced stays where it is, so that only what is new is drawn.
    local new = lines[1]:sub(1, #lines[1] - next.replaces)
    local text = { { without_tabs(new, at), SUGGESTION } }
    if hint and after == '' then
      text[2] = hint
    end
    vim.api.nvim_buf_set_extmark(buffer, namespace, row, column, {
      virt_text = text,
      virt_text_pos = 'inline',
      hl_mode = 'combine',
    })
    return
  end
  -- What is behind the cursor moves to the end of the last line: it is covered here and shown there.
  local first = without_tabs(lines[1], at)
  local hidden = vim.fn.strdisplaywidth(after, at) - vim.fn.strdisplaywidth(first)
  local moved = after:sub(next.replaces + 1)
  local below = {}
  for index = 2, #lines do
    below[index - 1] = { { without_tabs(lines[index], 0), SUGGESTION } }
  end
  if moved ~= '' then
    table.insert(below[#below], { without_tabs(moved, vim.fn.strdisplaywidth(lines[#lines])), 'Normal' })
  end
  if hint then
    table.insert(below[#below], hint)
  end
  vim.api.nvim_buf_set_extmark(buffer, namespace, row, column, {
    virt_text = { { first, SUGGESTION }, { (' '):rep(hidden) } },
    virt_text_pos = after == '' and 'inline' or 'overlay',
    virt_lines = below,
    hl_mode = after == '' and 'combine' or 'replace',
  })
  make_room(#below)
end

---@return tabby_ls.Shown?
function M.shown()
  return shown
end

return M
