vim9script
# The suggestion on the screen, and how it gets into the text.
#
# It belongs to the place it was made for. What has been typed there since must be its beginning, and the line behind
# must be as it was, but for brackets and quotes that were closed by themselves: then the rest is still right.
# SPDX-License-Identifier: Apache-2.0

const TYPE = 'TabbyLsGhost'

# The suggestions for a place: text (from there on), replaces (bytes behind it), offset (of the text in the item), item.
var suggestions: list<dict<any>> = []
var shown = 0
var place = {buffer: 0, line: 0, head: '', tail: ''}
# The line it is drawn in; 0: in none.
var drawn_at = 0

export def IsShown(): bool
  return !empty(suggestions) && Rest() != ''
enddef

export def Clear()
  suggestions = []
  Erase()
enddef

export def Show(items: list<dict<any>>)
  Offer(Fitting(items), 0)
enddef

# Shows the first of `items` if what is shown is its beginning.
export def Extend(items: list<dict<any>>)
  var longer = Fitting(items)
  if !empty(longer) && IsShown() && stridx(longer[0].text, Rest()) == 0
    Offer(longer, 0)
  endif
enddef

# Offers `items` besides the one that is shown.
export def Add(items: list<dict<any>>)
  if IsShown()
    var here = Current()
    var rest = Rest()
    var moved = here->extend({text: rest, offset: here.offset + strlen(here.text) - strlen(rest)}, 'force')
    var others = Fitting(items)->filter((_, other) => other.text !=# rest)
    Offer([moved] + others, empty(others) ? 0 : 1)
  else
    Show(items)
  endif
enddef

# Shows the next suggestion that fits; returns false if there is no other.
export def Turn(): bool
  if !IsShown()
    return false
  endif
  for step in range(1, len(suggestions))
    var next = (shown + step) % len(suggestions)
    if next != shown && RestOf(suggestions[next]) != ''
      shown = next
      Follow()
      return true
    endif
  endfor
  return false
enddef

# Whether the rest of what is shown is still being written.
export def HasMore(): bool
  return IsShown() && Argument(Current())->get('more', false) == true
enddef

# Draws what is still to come at the cursor; nothing if the text went another way.
export def Follow()
  var rest = empty(suggestions) ? '' : Rest()
  if rest == ''
    Clear()
  else
    Draw(Edit(rest).insert)
  endif
enddef

# Puts what is still to come into the text, or its beginning that the pattern `part` matches. Returns the id of the item,
# and how many UTF-16 units of it are in the text now, 0 if all of it is.
export def Insert(part: string): list<any>
  var [suggestion, rest] = [Current(), Rest()]
  var edit = Edit(rest)
  var text = part == '' ? edit.insert : matchstr(edit.insert, part)
  var is_all = strlen(text) >= strlen(edit.insert)
  var behind = strpart(getline('.'), col('.') - 1)
  var lines = split(text, "\n", true)
  var column = strlen(lines[-1]) + 1 + (len(lines) == 1 ? col('.') - 1 : 0) + (is_all ? edit.keep : 0)
  lines[0] = strpart(getline('.'), 0, col('.') - 1) .. lines[0]
  lines[-1] ..= is_all ? strpart(behind, edit.delete) : behind
  Erase()
  setline('.', lines[0])
  append('.', lines[1 :])
  var id = Argument(suggestion).id
  if is_all
    suggestions = []
    cursor(line('.') + len(lines) - 1, column)
    return [id, 0]
  endif
  var taken = strpart(suggestion.item.insertText, 0, suggestion.offset + strlen(suggestion.text) - strlen(rest) + strlen(text))
  cursor(line('.') + len(lines) - 1, column)
  Offer([suggestion->extend({
    text: strpart(rest, strlen(text)),
    offset: strlen(taken),
    replaces: edit.delete + edit.keep,
  }, 'force')], 0)
  return [id, Utf16(taken)]
enddef

# What fits

def Offer(offered: list<dict<any>>, index: number)
  suggestions = offered
  shown = index
  place = {
    buffer: bufnr(),
    line: line('.'),
    head: strpart(getline('.'), 0, col('.') - 1),
    tail: strpart(getline('.'), col('.') - 1),
  }
  if empty(offered)
    Erase()
  else
    Follow()
  endif
enddef

# The items that can be shown at the cursor: their range is in its line and holds it.
def Fitting(items: list<dict<any>>): list<dict<any>>
  var fitting: list<dict<any>> = []
  for item in items
    var at = {line: line('.') - 1, character: col('.') - 1}
    var range = get(item, 'range', {start: at, end: at})
    var typed = strpart(getline('.'), range.start.character, at.character - range.start.character)
    if range.start.line == at.line && range.end.line == at.line && stridx(item.insertText, typed) == 0
      add(fitting, {
        text: strpart(item.insertText, strlen(typed)),
        replaces: range.end.character - at.character,
        offset: strlen(typed),
        item: item,
      })
    endif
  endfor
  return fitting
enddef

def Current(): dict<any>
  return suggestions[shown]
enddef

def Argument(suggestion: dict<any>): dict<any>
  return suggestion.item.command.arguments[0]
enddef

def Rest(): string
  return RestOf(Current())
enddef

# What of a suggestion is still to come at the cursor; '' if it does not fit there any more.
def RestOf(suggestion: dict<any>): string
  var before = strpart(getline('.'), 0, col('.') - 1)
  if bufnr() != place.buffer || line('.') != place.line || stridx(before, place.head) != 0
    return ''
  endif
  var typed = strpart(before, strlen(place.head))
  if stridx(suggestion.text, typed) != 0
    return ''
  endif
  var rest = strpart(suggestion.text, strlen(typed))
  return Replaced(suggestion, rest) < 0 ? '' : rest
enddef

# How many bytes behind the cursor `rest`, of a suggestion, stands for; -1 if something else has changed there.
def Replaced(suggestion: dict<any>, rest: string): number
  var behind = strpart(getline('.'), col('.') - 1)
  var closed = strlen(behind) - strlen(place.tail)
  if closed < 0 || strpart(behind, closed) !=# place.tail
    return -1
  endif
  var closers = strpart(behind, 0, closed)
  var has_them = closers =~ '^[])}>"''`]*$' && rest =~ '\V' .. split(closers, '\zs')->join('\_.\*')
  return has_them ? suggestion.replaces + closed : -1
enddef

# How to put `rest` in: of the bytes behind the cursor `delete` go and the `keep` behind them stay, being its end.
def Edit(rest: string): dict<any>
  var replaced = strpart(getline('.'), col('.') - 1, Replaced(Current(), rest))
  var keep = strlen(replaced)
  while keep > 0 && strpart(rest, strlen(rest) - keep) !=# strpart(replaced, strlen(replaced) - keep)
    keep -= 1
  endwhile
  return {insert: strpart(rest, 0, strlen(rest) - keep), delete: strlen(replaced) - keep, keep: keep}
enddef

def Utf16(text: string): number
  return split(text, '\zs')->reduce((sum, character) => sum + (char2nr(character) > 0xffff ? 2 : 1), 0)
enddef

# On the screen

def Draw(text: string)
  Erase()
  if empty(prop_type_get(TYPE))
    prop_type_add(TYPE, {highlight: TYPE})
  endif
  drawn_at = line('.')
  var lines = split(text, "\n", true)
  if lines[0] != ''
    prop_add(line('.'), col('.'), {type: TYPE, text: Spaces(lines[0], virtcol('.') - 1)})
  endif
  for line in lines[1 :]
    prop_add(line('.'), 0, {type: TYPE, text_align: 'below', text: line == '' ? ' ' : Spaces(line, 0)})
  endfor
enddef

def Erase()
  if drawn_at > 0
    var lines = sort([min([drawn_at, line('$')]), line('.')], 'n')
    prop_remove({type: TYPE, all: true}, lines[0], lines[1])
    drawn_at = 0
  endif
enddef

# Also what undo has brought back, from when a line was changed with something drawn in it. Looks at every line.
export def EraseEverywhere()
  if !empty(prop_type_get(TYPE))
    prop_remove({type: TYPE, all: true})
  endif
enddef

# The text with spaces for its tabs, which virtual text cannot have; it begins in the screen column `column`, from 0.
def Spaces(text: string, column: number): string
  var result = ''
  for character in split(text, '\zs')
    result ..= character == "\t" ? repeat(' ', &tabstop - (column + strdisplaywidth(result)) % &tabstop) : character
  endfor
  return result
enddef
