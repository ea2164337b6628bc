-- `tabby_ls.text`, by examples: nvim --clean --cmd 'set rtp+=editors/neovim' -l tests/editors/neovim/text_spec.lua
local text = require('tabby_ls.text')

local function equal(found, expected, what)
  if not vim.deep_equal(found, expected) then
    error(('%s: %s instead of %s'):format(what, vim.inspect(found), vim.inspect(expected)), 2)
  end
end

local function rest(item, replaces, typed, before, after)
  local left, count = text.rest({ text = item, replaces = replaces }, typed, before, after)
  return { left or vim.NIL, count }
end
local nothing = { vim.NIL, 0 }

-- item, bytes replaced, typed since, behind the cursor then and now
equal(rest('a + b', 0, '', '', ''), { 'a + b', 0 }, 'nothing typed')
equal(rest('a + b', 0, 'a +', '', ''), { ' b', 0 }, 'typed along')
equal(rest('a + b', 0, 'x', '', ''), nothing, 'typed otherwise')
equal(rest('a + b', 0, 'a + b', '', ''), nothing, 'typed to the end')
equal(rest('a + b', 0, 'a + b + c', '', ''), nothing, 'typed past the end')
equal(rest('a, b)', 1, '', ')', ')'), { 'a, b)', 1 }, 'a bracket replaced')
equal(rest('a, b)', 1, 'a', ')', ')'), { ', b)', 1 }, 'a bracket replaced, typed along')
equal(rest('(a, b)', 0, '(', '', ')'), { 'a, b)', 1 }, 'a bracket that the editor closed')
equal(rest('(a, b) + c', 0, '(', '', ')'), nothing, 'a bracket that would be lost')
equal(rest('a)', 1, 'a)', ')', ''), nothing, 'a bracket typed over, at the end')
equal(rest('a) + 1)', 1, 'a)', '))', ')'), { ' + 1)', 0 }, 'a bracket typed over, within')
equal(rest('x', 0, '', ' # why', ' # why'), { 'x', 0 }, 'what is behind stays')
equal(rest('x', 0, '', ' # why', ' # what'), nothing, 'what is behind has changed')
equal(rest('é😀', 0, 'é', '', ''), { '😀', 0 }, 'not ASCII')
equal(rest('if x:\n    y', 0, 'if x:\n    ', '', ''), { 'y', 0 }, 'typed along a line break')

equal(text.next_word('alpha + beta'), 'alpha', 'a word')
equal(text.next_word(' + beta'), ' +', 'an operator with the space before it')
equal(text.next_word('(a, b)'), '(', 'a bracket')
equal(text.next_word('\n    return x'), '\n    return', 'a word of the next line')
equal(text.next_word('   '), '   ', 'only white space')
equal(text.next_line('a\nb\nc'), 'a', 'the rest of the line')
equal(text.next_line('\n\n  b\nc'), '\n\n  b', 'the next line that has something')

equal(text.utf16_length('aé漢😀'), 5, 'UTF-16 units')
local item = { units_before = 3, has_crlf = true }
equal(text.units_taken(item, 'a\n😀'), 3 + 1 + 2 + 2, 'units taken, CRLF')
equal(text.with_lf('a\r\nb\rc\n'), 'a\nb\nc\n', 'line endings')

for _, encoding in ipairs({ 'utf-8', 'utf-16', 'utf-32' }) do
  local characters = ({ ['utf-8'] = 9, ['utf-16'] = 4, ['utf-32'] = 3 })[encoding]
  equal(text.byte_index('é漢😀x', characters, encoding), 9, encoding)
  equal(text.byte_index('é漢😀x', 99, encoding), 10, encoding .. ', past the end')
  equal(text.byte_index('é漢😀x', 0, encoding), 0, encoding .. ', at the beginning')
end

print('all well')
