"""What the connected client can do, and how its menu inserts text: differences seen in real editors.

The one place where a client's name decides anything: for what no capability tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from attrs import frozen
from lsprotocol import types


class Indentation(Enum):
    """What the client does to the second and later lines of a menu item it inserts."""

    KEEPS = auto()
    ADDS = auto()  # the current line's indentation


@frozen
class Client:
    """The client of this session. `name` is in lower case, "" if it did not say."""

    name: str = ""
    shows_ghost_text: bool = False
    #: It may support ghost text without the user having switched it on.
    may_not_show_it: bool = False
    indentation: Indentation = Indentation.KEEPS
    #: It says that documentation may be Markdown; or it does not, and takes every documentation for it.
    takes_markdown: bool = False
    assumes_markdown: bool = False
    #: Its menu takes `insertTextMode` 1, "as it is".
    takes_insert_mode: bool = False
    #: Its menu inserts the first line only of an item with several lines, unless it is a snippet.
    needs_snippets: bool = False
    pulls_configuration: bool = False
    registers_completion: bool = False
    registers_watchers: bool = False
    shows_progress: bool = False
    #: It has a plugin of ours, with a place for the status.
    shows_status: bool = False
    #: It leaves the cursor behind all of an accepted text. Others stay before what was there (VS Code 1.139, which then
    #: doubles the bracket it closed itself when that is typed), or paint over it (Neovim 0.12).
    moves_behind: bool = False
    #: The environment variable in which it hands the API key over, and its command that asks the user for the key.
    key_variable: str = ""
    key_command: str = ""
    #: Its command that asks the user for a server's address.
    connect_command: str = ""
    #: It says itself whom a message is from.
    names_server: bool = False
    #: Characters of a message beyond which it waits for a key before anything else is done; 0: it never does.
    longest_message: int = 0
    #: Seconds its user can be kept waiting: some clients do not redraw while they ask.
    longest_wait: float = 60.0


def describe_client(params: types.InitializeParams) -> Client:
    """Return what `initialize` tells about the client."""
    name = (params.client_info.name if params.client_info else "").lower()
    text_document = params.capabilities.text_document or types.TextDocumentClientCapabilities()
    workspace = params.capabilities.workspace or types.WorkspaceClientCapabilities()
    watched = workspace.did_change_watched_files
    completion = text_document.completion or types.CompletionClientCapabilities()
    item = completion.completion_item or types.ClientCompletionItemOptions()
    modes = item.insert_text_mode_support.value_set if item.insert_text_mode_support else ()
    takes_insert_mode = types.InsertTextMode.AsIs in modes
    adds = name in _ADDS_INDENTATION or completion.insert_text_mode is types.InsertTextMode.AdjustIndentation
    is_neovim = name == "neovim"
    ours = _ours(params.capabilities.experimental)
    key = ours.get("apiKey")
    key = key if isinstance(key, Mapping) else {}
    shows_status = ours.get("status") is True
    return Client(
        name=name,
        shows_ghost_text=text_document.inline_completion is not None,
        may_not_show_it=is_neovim and not shows_status,
        indentation=Indentation.ADDS if adds and not takes_insert_mode else Indentation.KEEPS,
        takes_markdown=types.MarkupKind.Markdown in (item.documentation_format or ()),
        assumes_markdown=name in _ASSUMES_MARKDOWN,
        takes_insert_mode=takes_insert_mode,
        needs_snippets=is_neovim and bool(item.snippet_support) and not takes_insert_mode,
        pulls_configuration=bool(workspace.configuration),
        registers_completion=bool(completion.dynamic_registration),
        registers_watchers=bool(watched and watched.dynamic_registration),
        shows_progress=bool(params.capabilities.window and params.capabilities.window.work_done_progress),
        shows_status=shows_status,
        moves_behind=ours.get("movesBehind") is True,
        key_variable=str(key.get("variable", "")),
        key_command=str(key.get("command", "")),
        connect_command=str(ours.get("connectCommand", "")),
        names_server=is_neovim and not shows_status,
        longest_message=_LONGEST_IN_NEOVIM if is_neovim and not shows_status else 0,
        longest_wait=0.4 if name == "eglot" else 60.0,
    )


def _ours(experimental: object) -> Mapping[str, object]:
    """Return what the client says under `tabby-ls` among its experimental capabilities: docs/protocol.md."""
    ours = experimental.get("tabby-ls") if isinstance(experimental, Mapping) else None
    return ours if isinstance(ours, Mapping) else {}


#: Seen with Neovim 0.12 in 80 columns: a line of 68, and it puts `LSP[tabby_ls] ` before it. 0.11 stops at any message.
_LONGEST_IN_NEOVIM = 54
#: Seen with Neovim 0.12. Helix 25.07 and eglot 1.17 insert plain text as it is.
_ADDS_INDENTATION = frozenset({"neovim"})
#: Read in Helix' and eglot's source.
_ASSUMES_MARKDOWN = frozenset({"helix", "eglot"})
