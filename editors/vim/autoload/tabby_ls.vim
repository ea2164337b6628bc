vim9script
# What a key, a change and a command do.
# SPDX-License-Identifier: Apache-2.0

import autoload './tabby_ls/client.vim'
import autoload './tabby_ls/ghost.vim'

# While typing

# What of the text we have changed ourselves, and where the rest is shown already.
var our_change = 0

export def Typed()
  if !CanShow()
    Dismiss()
    return
  endif
  ghost.Follow()
  if b:changedtick != our_change && get(g:, 'tabby_ls_auto', true) && reg_recording() == '' && reg_executing() == ''
    client.Suggest(false, Show)
  endif
enddef

export def Moved()
  ghost.Follow()
enddef

export def Changed()
  ghost.EraseEverywhere()
enddef

# By key: what there is more of, else something.
export def Suggest()
  if !ghost.Turn() && CanShow()
    client.Suggest(true, ghost.IsShown() ? ghost.Add : Show)
  endif
enddef

export def Dismiss()
  client.Cancel()
  ghost.Clear()
enddef

export def Accept()
  Take('')
enddef

export def AcceptWord()
  Take('^\_s*\%(\k\+\|[^[:space:][:keyword:]]\+\)')
enddef

export def AcceptLine()
  Take('^\n\?[^\n]*')
enddef

# For a mapping with <expr>: `action`, one of the above, while something is shown; else `key`, what it does without us.
export def Key(action: string, key: string): string
  return ghost.IsShown() ? $"\<C-G>u\<Cmd>call tabby_ls#{action}()\<CR>" : key
enddef

def CanShow(): bool
  return mode() =~# '^i' && !pumvisible() && !&paste && &modifiable && client.IsOpen(bufnr())
enddef

def Show(items: list<dict<any>>)
  if !CanShow()
    return
  endif
  ghost.Show(items)
  if ghost.HasMore()
    client.Suggest(false, ghost.Extend)
  endif
enddef

def Take(part: string)
  client.Cancel()
  var [id, length] = ghost.Insert(part)
  if length > 0
    our_change = b:changedtick
    client.Run('partiallyAccepted', {id: id, length: length})
  else
    client.Run('accepted', {id: id})
  endif
enddef

# For the status line

export def Status(): string
  var state = client.Status().state
  return get({thinking: 'Tabby…', error: 'Tabby!', off: 'Tabby:off'}, state, state == '' ? '' : 'Tabby')
enddef

# :TabbyLs

export def Command(name: string, scope = '')
  if name ==# 'restart'
    client.Restart()
  elseif name ==# 'toggle'
    var what = {uri: client.Uri(bufnr()), language: client.Language(bufnr())}
    client.Run(name, what->extend({scope: scope == '' ? 'session' : scope}), (answer) => Say(answer.message))
    Dismiss()
  elseif name ==# 'status'
    client.Run(name, {uri: client.Uri(bufnr())}, (now) => Say($'{now.state}, {now.backend}. {now.message}'))
  elseif index(['why', 'stats'], name) >= 0
    client.Run(name, name ==# 'why' ? {uri: client.Uri(bufnr())} : {}, Say)
  else
    Say($'there is no :TabbyLs {name}')
  endif
enddef

export def Completions(_: string, line: string, __: number): string
  return line =~# 'toggle' ? "language\nfile\nsession" : "why\ntoggle\nstatus\nstats\nrestart"
enddef

# In a window that is there until the cursor moves.
def Say(text: string)
  var window = popup_atcursor(split(text, "\n"), {border: [], padding: [0, 1, 0, 1], moved: 'any', zindex: 300})
  setwinvar(window, '&linebreak', true)
enddef
