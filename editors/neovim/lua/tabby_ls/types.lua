---@meta
-- luacheck: ignore 631 (long lines)
-- The server's settings; written by editors/neovim/scripts/generate_settings.py.

---@class tabby_ls.Settings.backend A server that writes completions. All of it is `machine`: no project can redirect code or keys.
---@field kind? 'auto'|'tabbyapi'|'llamacpp'|'ollama'|'tabby'|'openai'|'mistral'|'deepseek'|'mercury'|'chat'|'local' Kind of server. `auto`: found out by asking `url`; without one, `local`. `openai` is any server with `/v1/completions` (vLLM, SGLang, LM Studio), `tabby` is TabbyML's, `chat` one that can only chat.
---@field url? string Address of the server, with or without `/v1`: `http://127.0.0.1:5000`. Empty: the provider's own for `mistral`, `deepseek` and `mercury`; else complete from the workspace, with no server.
---@field model? string Name of the model to ask for. Empty: the server says which. Leave it empty on TabbyAPI: naming another model there can unload the one that is loaded.
---@field family? string Family of the model, whose fill-in-the-middle template is used, as in `qwen-coder`. Empty: found from the model's name.
---@field api_key_env? string Environment variable that holds the API key.
---@field api_key_file? string File whose first line is the API key.
---@field api_key_command? string[] Command that prints the API key, as in `["pass", "show", "tabbyapi"]`.
---@field headers? table<string, string> Further HTTP headers to send with each request.
---@field connect_timeout? number Seconds to wait for a connection.
---@field first_token_timeout? number Seconds to wait for the first piece of an answer.
---@field progress_timeout? number Seconds without a further piece before a stream counts as broken.
---@field allow_insecure_key? boolean Whether to send the API key over plain http to another machine, where everybody on the way can read it.
---@field ca_file? string File of certificates (PEM) to trust besides the system's, for a server with a certificate of your own.
---@field keep_alive? string How long Ollama keeps the model in memory after a request, as in `30m`; `-1` is for ever.
---@field max_in_flight? integer|nil How many requests to have open at once. Unset: 2, or 1 where the server answers one at a time.
---@field requests? 'all'|'automatic'|'explicit' Which requests this server gets. `automatic`: those while you type. `explicit`: those by key. `all`: both.
---@field languages? string[] Languages this server is asked for, as in `["python"]`. Empty: all.

---@class tabby_ls.Settings.context What a server's model is shown: of the file, and of other text.
---@field max_prompt_tokens? integer|nil Longest prompt in tokens. Unset: 2048, or less if the server accepts less.
---@field prefix_share? number Share of the prompt that goes to the text before the cursor, when not all before and behind it fits.
---@field snippets? boolean Whether the server is shown pieces of other text that fit, besides the file itself: snippets.
---@field sources? string[] Where snippets come from. `edits`: what you changed last. `open`: other open files. `definitions`: of the names near the cursor. `workspace`: the index of the workspace's files.
---@field snippet_share? number Share of the prompt for snippets, when not everything fits.

---@class tabby_ls.Settings.menu Completion menu items (`textDocument/completion`).
---@field show? 'auto'|'on'|'off' Whether to offer menu items. `auto`: only to editors that cannot show ghost text.
---@field trigger_characters? string[] Characters after which an editor asks for menu items by itself.
---@field deadline_ms? integer Milliseconds after which a menu request is answered with what is there.

---@class tabby_ls.Settings.local The local model.
---@field fallback? boolean Whether the local model suggests while the server cannot.
---@field index? boolean Whether the local model learns from all files of the workspace, not only from open ones.
---@field threshold? number How probable a suggestion must be to be shown unasked, from 0 to 1.
---@field invoked_threshold? number How probable a suggestion must be to be shown when asked for by key, from 0 to 1.

---@class tabby_ls.Settings.log Logging. Logs never hold code, prompts or keys.
---@field level? 'error'|'warning'|'info'|'debug' How much to log.
---@field file? string File to write the log to. Empty: standard error, which editors keep.

---@class tabby_ls.Settings.trace A file that says of each request what came of it and why; `tabby-ls why` reads it. Never keys.
---@field file? string File to write the trace to, one JSON object a line. Empty: none.
---@field code? boolean Whether the trace holds code: some text around the cursor, and the suggestion.
---@field paths? boolean Whether the trace holds the paths of files, not only their names.
---@field max_mb? integer Megabytes after which the trace begins anew; one former part is kept beside it, as `FILE.1`.

---@class tabby_ls.Settings All settings.
---@field enabled? boolean Whether anything is suggested at all.
---@field trigger? 'automatic'|'manual' When to suggest. `automatic`: while you type. `manual`: only when you ask by key.
---@field disabled_languages? string[] Languages without suggestions, as in `["markdown"]`.
---@field exclude? string[] Files that are never completed or read, as patterns in the style of .gitignore. A project can add some and bring none back.
---@field multiline? 'auto'|'always'|'never' Whether a suggestion may have several lines. `auto`: where a block begins or a key asked for it.
---@field max_tokens? integer Longest suggestion in tokens.
---@field temperature? number Sampling temperature; 0 always takes the likeliest token.
---@field debounce_ms? integer|nil Milliseconds to wait after a keystroke before asking the server. Unset: adapts to your typing.
---@field prefetch? boolean Whether to ask for what follows a suggestion once half of it is taken, so that it is there when all of it is.
---@field deadline_ms? integer Milliseconds after which a ghost text request is answered with what is there.
---@field stats? boolean Whether to count what is shown and accepted, for `tabby-ls stats`. The counts stay on this machine.
---@field backend? tabby_ls.Settings.backend A server that writes completions. All of it is `machine`: no project can redirect code or keys.
---@field backends? tabby_ls.Settings.backend[] Several servers, each with the settings of `backend`: the first that serves a request and works is asked. They replace `backend`. A key has to be named for each (`api_key_env`, `api_key_file`, `api_key_command`).
---@field context? tabby_ls.Settings.context What a server's model is shown: of the file, and of other text.
---@field menu? tabby_ls.Settings.menu Completion menu items (`textDocument/completion`).
---@field local? tabby_ls.Settings.local The local model.
---@field log? tabby_ls.Settings.log Logging. Logs never hold code, prompts or keys.
---@field trace? tabby_ls.Settings.trace A file that says of each request what came of it and why; `tabby-ls why` reads it. Never keys.
