vim9script
# The tabby-ls process, one for all of Vim: starts it, tells it of every change, asks it. Nothing waits for an answer.
# Columns are counted in bytes, as Vim does: the server is told so (`positionEncodings`).
# SPDX-License-Identifier: Apache-2.0

# Seconds between starts of a server that keeps dying.
const PAUSE = 30

var job: job
var is_ready = false
var started_at = -PAUSE
var status = {state: '', backend: '', message: ''}
# What the server knows, by buffer number: uri, version and listener.
var documents: dict<dict<any>> = {}
var folders: list<string> = []
# The id of the request for suggestions that waits for its answer; 0: none does.
var asked = 0

export def Status(): dict<string>
  return status
enddef

# The process

export def Restart()
  Stop()
  started_at = -PAUSE
  Start()
enddef

export def Stop()
  if !IsRunning()
    return
  endif
  Request('shutdown', {}, Ignore)
  Notify('exit', {})
  Forget()
enddef

def Start()
  if IsRunning() || localtime() - started_at < PAUSE
    return
  endif
  started_at = localtime()
  var command = get(g:, 'tabby_ls_command', ['tabby-ls'])
  if !executable(command[0])
    Tell($'tabby-ls: {command[0]} was not found; install it, or set g:tabby_ls_command')
    return
  endif
  job = job_start(command, {
    in_mode: 'lsp',
    out_mode: 'lsp',
    err_io: 'null',
    noblock: true,
    stoponexit: '',  # it ends by itself, having saved what it has counted
    out_cb: Heard,
    exit_cb: Ended,
  })
  status.state = 'starting'
  folders = [Folder(bufnr())]
  Request('initialize', {
    processId: getpid(),
    clientInfo: {name: 'Vim', version: string(v:versionlong)},
    rootUri: FileUri(folders[0]),
    workspaceFolders: mapnew(folders, (_, folder) => WorkspaceFolder(folder)),
    initializationOptions: get(g:, 'tabby_ls_settings', {}),
    capabilities: {
      general: {positionEncodings: ['utf-8']},
      textDocument: {synchronization: {didSave: true}, inlineCompletion: {}},
      workspace: {workspaceFolders: true},
      experimental: {'tabby-ls': {status: true, movesBehind: true}},
    },
  }, Initialized)
enddef

def Initialized(_: channel, __: dict<any>)
  is_ready = true
  Notify('initialized', {})
  for buffer in getbufinfo({bufloaded: true})
    Open(buffer.bufnr)
  endfor
enddef

def Ended(ended: job, code: number)
  if ended == job
    Forget()
    Tell($'tabby-ls ended with status {code}; the next buffer starts it again, and so does `:TabbyLs restart`')
  endif
enddef

def Forget()
  job = null_job
  is_ready = false
  asked = 0
  status = {state: '', backend: '', message: ''}
  for number in keys(documents)
    listener_remove(documents[number].listener)
  endfor
  documents = {}
enddef

def IsRunning(): bool
  return job != null_job && job_status(job) ==# 'run'
enddef

def Notify(method: string, params: dict<any>)
  ch_sendexpr(job, {method: method, params: params})
enddef

# Returns the request's id.
def Request(method: string, params: dict<any>, Done: func(channel, dict<any>)): number
  return ch_sendexpr(job, {method: method, params: params}, {callback: Done}).id
enddef

def Ignore(_: channel, __: dict<any>)
enddef

# What the server says by itself: a request has an id and wants an answer.
def Heard(_: channel, message: dict<any>)
  if has_key(message, 'id')
    ch_sendexpr(job, {id: message.id, result: null})
  elseif message.method ==# 'tabby-ls/status'
    var is_new = message.params.message != status.message && message.params.state ==# 'error'
    status = message.params
    if is_new
      Tell($'tabby-ls: {status.message}')
    endif
    redrawstatus
  elseif message.method ==# 'window/showMessage'
    Tell(message.params.message)
  endif
enddef

# In a window of its own, for a line that is too long for the last one would stop the user; away from the cursor.
def Tell(text: string)
  var place = screenrow() > &lines / 2 ? {pos: 'topright', line: 1} : {pos: 'botright', line: &lines - 2}
  var window = popup_notification(text, place->extend({time: 8000, col: &columns}))
  setwinvar(window, '&linebreak', true)
enddef

# Buffers

export def IsOpen(buffer: number): bool
  return has_key(documents, string(buffer))
enddef

export def Uri(buffer: number): string
  var name = bufname(buffer)
  return name == '' ? $'untitled:{buffer}' : FileUri(fnamemodify(name, ':p'))
enddef

export def Language(buffer: number): string
  var type = getbufvar(buffer, '&filetype')
  return type == '' ? 'plaintext' : type
enddef

# Tells the server of a buffer; anew, if its name or language is another now.
export def Open(buffer: number)
  if getbufvar(buffer, '&buftype') != '' || !bufloaded(buffer) || isdirectory(bufname(buffer))
    return
  endif
  if !is_ready
    Start()
    return
  endif
  var document = get(documents, string(buffer), {})
  if !empty(document) && document.uri ==# Uri(buffer) && document.language ==# Language(buffer)
    return
  endif
  Close(buffer)
  AddFolder(buffer)
  document = {uri: Uri(buffer), language: Language(buffer), version: 0, listener: listener_add(Changed, buffer)}
  documents[string(buffer)] = document
  Notify('textDocument/didOpen', {textDocument: {
    uri: document.uri,
    languageId: document.language,
    version: 0,
    text: Text(buffer, 1, getbufinfo(buffer)[0].linecount),
  }})
enddef

# The user goes to a buffer: what was told last was about another one.
export def Enter(buffer: number)
  Open(buffer)
  if IsOpen(buffer)
    Run('status', {uri: Uri(buffer)}, (now) => {
      if bufnr() == buffer
        status = now
        redrawstatus
      endif
    })
  endif
enddef

export def Close(buffer: number)
  if IsOpen(buffer)
    listener_remove(documents[string(buffer)].listener)
    Notify('textDocument/didClose', {textDocument: {uri: remove(documents, string(buffer)).uri}})
  endif
enddef

export def Saved(buffer: number)
  if IsOpen(buffer)
    Notify('textDocument/didSave', {textDocument: {uri: documents[string(buffer)].uri}})
  endif
enddef

def Changed(buffer: number, _: number, __: number, ___: number, changes: list<dict<number>>)
  var document = documents[string(buffer)]
  document.version += 1
  Notify('textDocument/didChange', {
    textDocument: {uri: document.uri, version: document.version},
    contentChanges: mapnew(changes, (____, change) => ({
      range: {start: {line: change.lnum - 1, character: 0}, end: {line: change.end - 1, character: 0}},
      text: Text(buffer, change.lnum, change.end - 1 + change.added),
    })),
  })
enddef

def Text(buffer: number, first: number, last: number): string
  return last < first ? '' : join(getbufline(buffer, first, last), "\n") .. "\n"
enddef

def FileUri(path: string): string
  var escaped = substitute(path, '[^A-Za-z0-9/._~-]', (found) => EscapedBytes(found[0]), 'g')
  return 'file://' .. (escaped[0] == '/' ? '' : '/') .. escaped
enddef

def EscapedBytes(character: string): string
  return range(strlen(character))->mapnew((_, index) => printf('%%%02X', char2nr(strpart(character, index, 1))))->join('')
enddef

# The project that a buffer belongs to: the repository it is in, else its folder.
def Folder(buffer: number): string
  var folder = fnamemodify(bufname(buffer), ':p:h')
  var git = finddir('.git', fnameescape(folder) .. ';')
  return git == '' ? folder : fnamemodify(git, ':p:h:h')
enddef

def WorkspaceFolder(folder: string): dict<string>
  return {uri: FileUri(folder), name: fnamemodify(folder, ':t')}
enddef

def AddFolder(buffer: number)
  var folder = Folder(buffer)
  if bufname(buffer) != '' && index(folders, folder) < 0
    add(folders, folder)
    Notify('workspace/didChangeWorkspaceFolders', {event: {added: [WorkspaceFolder(folder)], removed: []}})
  endif
enddef

# Suggestions

# Asks for suggestions at the cursor, and no longer for those asked for before. `Done` gets them unless the cursor or the
# text is elsewhere by then.
export def Suggest(invoked: bool, Done: func(list<dict<any>>))
  Cancel()
  listener_flush()
  var place = Place()
  var id = 0
  id = Request('textDocument/inlineCompletion', {
    textDocument: {uri: documents[string(bufnr())].uri},
    position: {line: line('.') - 1, character: col('.') - 1},
    context: {triggerKind: invoked ? 1 : 2},
  }, (_, answer) => {
    if answer.id == asked
      asked = 0
      var result = get(answer, 'result', null)
      if Place() == place && result != null
        Done(type(result) == v:t_dict ? result.items : result)
      endif
    endif
  })
  asked = id
enddef

export def Cancel()
  if asked != 0
    Notify('$/cancelRequest', {id: asked})
    asked = 0
  endif
enddef

def Place(): list<number>
  return [bufnr(), b:changedtick, line('.'), col('.')]
enddef

# Runs a command of docs/protocol.md; `Done` gets what it returns.
export def Run(name: string, argument: dict<any>, Done: func = null_function)
  if !is_ready
    Tell('tabby-ls does not run yet')
    return
  endif
  Request('workspace/executeCommand', {command: 'tabby-ls.' .. name, arguments: [argument]}, (_, answer) => {
    if has_key(answer, 'error')
      Tell($'tabby-ls: {answer.error.message}')
    elseif Done != null && answer.result != null
      Done(answer.result)
    endif
  })
enddef
