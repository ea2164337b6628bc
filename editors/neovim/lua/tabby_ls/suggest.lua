-- One suggestion at a time: asked for, followed while the user types, taken in whole or in parts.
--
-- What was asked for is anchored by an extmark where the cursor was. From then on everything follows from the text
-- between that mark and the cursor: while it agrees with a suggestion the rest of that stays on the screen, without
-- flicker and without waiting; once it does not, the suggestion is gone before the screen is drawn again, and the
-- request it might have answered is cancelled.
local server = require('tabby_ls.server')
local config = require('tabby_ls.config')
local ghost = require('tabby_ls.ghost')
local text = require('tabby_ls.text')

local M = {}

local api = vim.api
local namespace = api.nvim_create_namespace('tabby_ls.place')

-- Keys that come at once, as from a mapping or the clipboard, are one change. The server paces the rest.
local GATHER_MS = 10

local AUTOMATIC, INVOKED = 2, 1

---@class tabby_ls.Place
---@field buffer integer
---@field mark integer Where the cursor was.
---@field before string Its line up to there.
---@field after string The rest of its line.

---@class tabby_ls.Asked
---@field client vim.lsp.Client
---@field request integer
---@field place tabby_ls.Place

---@class tabby_ls.Offer
---@field client vim.lsp.Client
---@field place tabby_ls.Place
---@field items tabby_ls.Item[]
---@field index integer
---@field chosen boolean The user has gone from one to another.
---@field asked_for_more boolean Alternatives were asked for.

---@type tabby_ls.Offer?
local offer
---@type tabby_ls.Asked?
local asked
-- The last state that was looked at.
local seen = ''
local timer = assert(vim.uv.new_timer())

-- Places

---@param place tabby_ls.Place?
local function forget_place(place)
  if place and api.nvim_buf_is_valid(place.buffer) then
    api.nvim_buf_del_extmark(place.buffer, namespace, place.mark)
  end
end

---@return tabby_ls.Place
local function here()
  local buffer = api.nvim_get_current_buf()
  local row, column = unpack(api.nvim_win_get_cursor(0))
  local line = api.nvim_get_current_line()
  return {
    buffer = buffer,
    mark = api.nvim_buf_set_extmark(buffer, namespace, row - 1, column, { right_gravity = false }),
    before = line:sub(1, column),
    after = line:sub(column + 1),
  }
end

--- What was typed since, and what is behind the cursor now; nil if something else happened.
---@param place tabby_ls.Place
---@return string?, string
local function typed_since(place)
  if place.buffer ~= api.nvim_get_current_buf() then
    return nil, ''
  end
  local from = api.nvim_buf_get_extmark_by_id(place.buffer, namespace, place.mark, {})
  local row, column = unpack(api.nvim_win_get_cursor(0))
  row = row - 1
  if not from[1] or from[1] > row or (from[1] == row and from[2] > column) then
    return nil, ''
  end
  local first = api.nvim_buf_get_lines(place.buffer, from[1], from[1] + 1, false)[1]
  if first:sub(1, from[2]) ~= place.before then
    return nil, ''
  end
  local typed = api.nvim_buf_get_text(place.buffer, from[1], from[2], row, column, {})
  return table.concat(typed, '\n'), api.nvim_get_current_line():sub(column + 1)
end

-- What is on offer

local function drop_offer()
  if offer then
    forget_place(offer.place)
  end
  offer = nil
  ghost.hide()
end

local function cancel()
  timer:stop()
  if asked then
    server.cancel(asked.client, asked.request)
    forget_place(asked.place)
    asked = nil
  end
end

--- The items that go with what was typed, with what of them is left.
local function matching()
  local found = {}
  if not offer then
    return found
  end
  local typed, after = typed_since(offer.place)
  for index, item in ipairs(typed and offer.items or {}) do
    local rest, replaces = text.rest(item, typed, offer.place.after, after)
    if rest then
      found[#found + 1] = { item = item, index = index, rest = rest, replaces = replaces, typed = typed }
    end
  end
  return found
end

--- The item on the screen, or that would be.
local function current()
  local found = matching()
  for position, candidate in ipairs(found) do
    if candidate.index >= offer.index then
      return candidate, position, #found
    end
  end
  return found[1], 1, #found
end

-- A popup menu with a selected entry shows text that may not stay.
local function menu_has_the_word()
  return vim.fn.pumvisible() == 1 and vim.fn.complete_info({ 'selected' }).selected >= 0
end

-- Macros do the same each time they run: nothing is suggested while they are recorded or run. With 'paste' there are no
-- mappings, so that nothing could be taken.
local function is_inserting()
  local is_in_macro = vim.fn.reg_recording() ~= '' or vim.fn.reg_executing() ~= ''
  return api.nvim_get_mode().mode:sub(1, 1) == 'i' and not is_in_macro and not vim.o.paste
end

local function draw()
  local candidate, position, count = current()
  if not candidate then
    drop_offer()
    return
  end
  offer.index = candidate.index
  if menu_has_the_word() then
    ghost.hide()
    return
  end
  local row, column = unpack(api.nvim_win_get_cursor(0))
  ghost.show({
    buffer = offer.place.buffer,
    row = row - 1,
    column = column,
    rest = candidate.rest,
    replaces = candidate.replaces,
    hint = count > 1 and ('(%d/%d)'):format(position, count) or '',
  })
end

--- An item as the server sent it, seen from where it was asked for; nil if it cannot be used there.
---@return tabby_ls.Item?
local function usable(item, place, encoding)
  local sent = type(item.insertText) == 'table' and item.insertText.value or item.insertText
  local start, stop = #place.before, #place.before
  if item.range then
    if item.range.start.line ~= item.range['end'].line then
      return nil
    end
    local line = place.before .. place.after
    start = text.byte_index(line, item.range.start.character, encoding)
    stop = text.byte_index(line, item.range['end'].character, encoding)
  end
  local lead = place.before:sub(start + 1)
  if start > #place.before or stop < #place.before or not vim.startswith(sent, lead) then
    return nil
  end
  local argument = item.command and item.command.arguments and item.command.arguments[1]
  return {
    text = text.with_lf(sent:sub(#lead + 1)),
    replaces = stop - #place.before,
    units_before = text.utf16_length(lead),
    has_crlf = sent:find('\r\n', 1, true) ~= nil,
    id = type(argument) == 'table' and argument.id or nil,
    more = type(argument) == 'table' and argument.more == true,
    command = item.command,
  }
end

--- Add alternatives, which were asked for at `place`, to what is on offer from an earlier place.
---@return boolean # whether there still is something to add them to
local function add(place, items)
  local typed_here, typed = typed_since(place), offer and typed_since(offer.place)
  if not typed_here or not typed or not current() then
    return false
  end
  local between = typed:sub(1, #typed - #typed_here)
  for _, item in ipairs(items) do
    item.text = between .. item.text
    item.units_before = item.units_before - text.utf16_length(between)
    item.replaces = item.replaces + #offer.place.after - #place.after
    local is_known = false
    for _, known in ipairs(offer.items) do
      is_known = is_known or known.text == item.text
    end
    if not is_known then
      table.insert(offer.items, item)
    end
  end
  return true
end

local function take_in(client, place, result, advance)
  local items = {}
  for _, item in ipairs(result.items or result) do
    items[#items + 1] = usable(item, place, client.offset_encoding)
  end
  if advance and add(place, items) then
    forget_place(place)
    M.cycle(advance)
    return
  end
  if offer then
    forget_place(offer.place)
  end
  offer = { client = client, place = place, items = items, index = 1, chosen = false, asked_for_more = false }
  draw()
end

-- Asking

---@param buffer integer
local function is_wanted(buffer)
  local set = vim.b[buffer].tabby_ls_enabled
  return server.is_file(buffer) and set ~= false and set ~= 0 and config.now.enabled(buffer)
end

--- Ask the server about the cursor.
---@param kind integer
---@param advance? integer Alternatives are wanted, and so many further.
local function ask(kind, advance)
  timer:stop()
  local buffer = api.nvim_get_current_buf()
  local client = server.client(buffer)
  if not client or not client.initialized or not is_inserting() or not is_wanted(buffer) then
    return
  end
  cancel()
  local place = here()
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  local request
  request = server.request(client, 'textDocument/inlineCompletion', params, buffer, function(err, result)
    if not asked or asked.request ~= request then
      return -- cancelled: the text has changed since
    end
    asked = nil
    if err or not result or not is_inserting() then
      forget_place(place)
      return
    end
    take_in(client, place, result, advance)
    local is_taken_in = offer and offer.place == place and not offer.chosen and offer.items[1]
    if is_taken_in and is_taken_in.more then
      ask(kind) -- for the rest of it, which is being written
    end
  end)
  if request then
    asked = { client = client, request = request, place = place }
  else
    forget_place(place)
  end
end

local function ask_soon()
  timer:stop()
  timer:start(
    GATHER_MS,
    0,
    vim.schedule_wrap(function()
      if config.now.auto and not menu_has_the_word() and not (offer and offer.chosen) then
        ask(AUTOMATIC)
      end
    end)
  )
end

-- What happens to it

--- Something may have changed: follow it.
function M.follow()
  if not is_inserting() then
    M.clear()
    return
  end
  local row, column = unpack(api.nvim_win_get_cursor(0))
  local buffer = api.nvim_get_current_buf()
  local now = ('%d %d %d %d'):format(buffer, api.nvim_buf_get_changedtick(buffer), row, column)
  if now == seen then
    if offer then
      draw() -- the menu may have come or gone
    end
    return
  end
  seen = now
  if offer then
    draw()
  end
  ask_soon()
end

--- Take everything off the screen and stop asking.
function M.clear()
  seen = ''
  cancel()
  drop_offer()
end

--- Begin anew, as something else than the text has changed.
function M.again()
  M.clear()
  ask_soon()
end

---@return boolean # whether a suggestion is on the screen
function M.is_visible()
  return ghost.shown() ~= nil
end

--- Ask now, whatever the settings say about asking while typing.
---@return boolean # whether there was a place to ask about
function M.trigger()
  drop_offer()
  ask(INVOKED)
  return is_inserting()
end

--- Take the suggestion off the screen; the next key asks again.
---@return boolean # whether there was one
function M.dismiss()
  local was_visible = M.is_visible()
  cancel()
  drop_offer()
  return was_visible
end

--- Show another alternative, so many further; asks for some if only one is known.
---@param step integer
---@return boolean # whether there is a suggestion
function M.cycle(step)
  local candidate, position, count = current()
  if not candidate then
    return false
  end
  if count == 1 and not offer.asked_for_more then
    offer.asked_for_more = true
    ask(INVOKED, step)
    return true
  end
  local found = matching()
  offer.index = found[(position - 1 + step) % count + 1].index
  offer.chosen = count > 1
  draw()
  return true
end

-- Taking it

-- A step of undo of its own. Setting the option, even to what it is, ends the one before.
local function end_undo_step(buffer)
  vim.bo[buffer].undolevels = vim.bo[buffer].undolevels
end

-- Insert text and move past so many bytes behind it. It becomes part of what `.`, a count and a block insert repeat:
-- only for what is pasted does Neovim do that, so it is pasted, by a handler that leaves indents and marks alone.
local function insert(buffer, piece, past)
  local row, column = unpack(api.nvim_win_get_cursor(0))
  local handler = vim.paste
  ---@diagnostic disable-next-line: duplicate-set-field
  vim.paste = function(lines)
    end_undo_step(buffer)
    api.nvim_buf_set_text(buffer, row - 1, column, row - 1, column, lines)
    local last = #lines[#lines] + past
    api.nvim_win_set_cursor(0, { row + #lines - 1, #lines == 1 and column + last or last })
    end_undo_step(buffer)
    return true
  end
  local is_done, err = pcall(api.nvim_paste, piece, false, -1)
  vim.paste = handler
  if not is_done then
    error(err)
  end
end

-- The menu would take what is inserted for its own: it is closed first.
local function close_menu_before(action)
  local keys = ("<C-x><C-z><Cmd>lua require('tabby_ls').%s()<CR>"):format(action)
  api.nvim_feedkeys(api.nvim_replace_termcodes(keys, true, true, true), 'in', false)
end

---@param action string What of `tabby_ls` does this.
---@param part fun(rest: string): string What of the rest to take.
---@return boolean # whether there was anything to take
local function take(action, part)
  local candidate = M.is_visible() and current()
  if not candidate then
    return false
  end
  if vim.fn.pumvisible() == 1 then
    close_menu_before(action)
    return true
  end
  local client, item, buffer = offer.client, candidate.item, offer.place.buffer
  local piece = part(candidate.rest)
  local left = candidate.rest:sub(#piece + 1)
  local after = api.nvim_get_current_line():sub(api.nvim_win_get_cursor(0)[2] + 1)
  cancel()
  if left == '' then
    drop_offer()
    insert(buffer, piece:sub(1, #piece - candidate.replaces), candidate.replaces)
  else
    insert(buffer, piece, 0)
    draw()
  end
  if left == '' or left == after:sub(1, candidate.replaces) then
    if item.command then
      server.execute(client, item.command)
    end
  elseif item.id ~= nil then
    local length = text.units_taken(item, candidate.typed .. piece)
    server.execute(client, {
      command = 'tabby-ls.partiallyAccepted',
      arguments = { { id = item.id, length = length } },
    })
  end
  return true
end

--- Take all of the suggestion.
function M.accept()
  return take('accept', function(rest)
    return rest
  end)
end

--- Take the next word of it; the rest stays.
function M.accept_word()
  return take('accept_word', text.next_word)
end

--- Take the next line of it; the rest stays.
function M.accept_line()
  return take('accept_line', text.next_line)
end

--- Follow what happens in all buffers.
---@param group integer Of autocommands.
function M.enable(group)
  local function is_ours()
    return offer or asked or server.client(api.nvim_get_current_buf())
  end
  api.nvim_create_autocmd({ 'TextChangedI', 'TextChangedP', 'CursorMovedI', 'CompleteChanged', 'CompleteDone' }, {
    group = group,
    callback = function()
      if is_ours() then
        M.follow()
      end
    end,
  })
  -- InsertLeave does not come when CTRL-C or the Insert key end insert mode, InsertEnter not when CTRL-O returns to it.
  api.nvim_create_autocmd('ModeChanged', {
    group = group,
    pattern = { '*:i*', 'i*:*' },
    callback = function()
      if is_ours() then
        M.follow()
      end
    end,
  })
  api.nvim_create_autocmd('LspAttach', {
    group = group,
    callback = function(event)
      if event.buf == api.nvim_get_current_buf() then
        ask_soon() -- for what was typed while the server started
      end
    end,
  })
  api.nvim_create_autocmd({ 'BufLeave', 'WinLeave' }, { group = group, callback = M.clear })
end

return M
