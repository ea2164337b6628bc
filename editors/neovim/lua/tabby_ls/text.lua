-- Suggestions as text: pure functions, which know neither buffers nor servers.
local M = {}

---@class tabby_ls.Item
---@field text string What to insert at the cursor, with "\n" between lines.
---@field replaces integer Bytes after the cursor that it replaces: they are at the end of `text` again.
---@field units_before integer UTF-16 units of what the server sent that come before `text`.
---@field has_crlf boolean Whether the server sent it with "\r\n" between lines.
---@field id any What the server calls it.
---@field more boolean Whether the rest of it is still being written.
---@field command? table What the server wants to hear when it was taken.

---@param text string
---@return string # with "\n" between lines
function M.with_lf(text)
  return (text:gsub('\r\n?', '\n'))
end

--- What of an item is still to be inserted once `typed` was typed and `after` is behind the cursor.
---
--- What was behind the cursor may have changed by what editors close, or by the user typing over it.
---@param item tabby_ls.Item
---@param typed string
---@param before string What was behind the cursor when the item was asked for.
---@param after string What is behind it now.
---@return string|nil rest nil if the item does not go with what was typed, or adds nothing any more
---@return integer replaces bytes of `after` that the rest replaces
function M.rest(item, typed, before, after)
  if not vim.startswith(item.text, typed) then
    return nil, 0
  end
  local rest = item.text:sub(#typed + 1)
  local replaces = item.replaces + #after - #before
  if replaces < 0 or after:sub(replaces + 1) ~= before:sub(item.replaces + 1) then
    return nil, 0
  end
  local replaced = after:sub(1, replaces)
  if not vim.endswith(rest, replaced) or rest == replaced then
    return nil, 0
  end
  return rest, replaces
end

--- The next word of a text, with the white space before it.
---@param rest string
---@return string
function M.next_word(rest)
  return vim.fn.matchstr(rest, [[^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)\?]])
end

--- The next line of a text, with the line breaks before it.
---@param rest string
---@return string
function M.next_line(rest)
  return rest:match('^\n*[^\n]*')
end

--- The length in UTF-16 units of what of an item has been inserted when so much of its text was taken.
---@param item tabby_ls.Item
---@param taken string The beginning of `item.text`.
---@return integer
function M.units_taken(item, taken)
  local _, line_ends = taken:gsub('\n', '')
  return item.units_before + M.utf16_length(taken) + (item.has_crlf and line_ends or 0)
end

---@param text string
---@return integer
function M.utf16_length(text)
  local units = 0
  for byte in text:gmatch('.') do
    local value = byte:byte()
    if value >= 0xF0 then
      units = units + 2
    elseif value < 0x80 or value >= 0xC0 then
      units = units + 1
    end
  end
  return units
end

--- The byte index of a position's character in a line.
---@param line string
---@param character integer
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return integer
function M.byte_index(line, character, encoding)
  if encoding == 'utf-8' then
    return math.min(character, #line)
  end
  local units, index = 0, 0
  while units < character and index < #line do
    local first = line:byte(index + 1)
    local size = first >= 0xF0 and 4 or first >= 0xE0 and 3 or first >= 0xC0 and 2 or 1
    units = units + ((size == 4 and encoding == 'utf-16') and 2 or 1)
    index = index + size
  end
  return math.min(index, #line)
end

return M
