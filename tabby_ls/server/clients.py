"""What the connected client can do, and how its menu inserts text: differences seen in real editors.

The one place where a client's name decides anything: for what no capability tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from attrs import frozen
from lsprotocol.types import InsertTextMode, MarkupKind

from tabby_ls.server.capabilities import part_of, registers_completion, strings_of


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
    #: Its menu replaces what stands behind the cursor, if an item's range has that.
    replaces_behind: bool = True
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
    #: Its messages have one line, are cut off at its end, and the next key takes them away.
    has_message_line: bool = False
    opens_documents: bool = False
    #: It asks for a menu once at a place by itself; a second request there is by key.
    asks_once: bool = False
    #: Seconds its user can be kept waiting: some clients do not redraw while they ask.
    longest_wait: float = 60.0


def describe_client(name: str, capabilities: Mapping[str, Any]) -> Client:
    """Return what a client of this name can do, by the capabilities in its `initialize`, in plain JSON."""
    name = name.lower()
    completion = part_of(capabilities, "textDocument", "completion")
    item = part_of(completion, "completionItem")
    modes = part_of(item, "insertTextModeSupport").get("valueSet")
    takes_insert_mode = isinstance(modes, list) and InsertTextMode.AsIs in modes
    adds = name in _ADDS_INDENTATION or completion.get("insertTextMode") == InsertTextMode.AdjustIndentation
    is_neovim = name == "neovim"
    # What our own plugins say: docs/protocol.md.
    ours = part_of(capabilities, "experimental", "tabby-ls")
    key = part_of(ours, "apiKey")
    shows_status = ours.get("status") is True
    workspace = part_of(capabilities, "workspace")
    return Client(
        name=name,
        shows_ghost_text=part_of(capabilities, "textDocument").get("inlineCompletion") is not None,
        may_not_show_it=is_neovim and not shows_status,
        indentation=Indentation.ADDS if adds and not takes_insert_mode else Indentation.KEEPS,
        takes_markdown=MarkupKind.Markdown in strings_of(item.get("documentationFormat")),
        assumes_markdown=name in _ASSUMES_MARKDOWN,
        takes_insert_mode=takes_insert_mode,
        # Kate 26.08 does not, and does not say who it is. For others without a name less than they could do is right too.
        replaces_behind=bool(name),
        needs_snippets=is_neovim and bool(item.get("snippetSupport")) and not takes_insert_mode,
        pulls_configuration=bool(workspace.get("configuration")),
        registers_completion=registers_completion(capabilities),
        registers_watchers=bool(part_of(workspace, "didChangeWatchedFiles").get("dynamicRegistration")),
        shows_progress=bool(part_of(capabilities, "window").get("workDoneProgress")),
        shows_status=shows_status,
        moves_behind=ours.get("movesBehind") is True,
        key_variable=str(key.get("variable", "")),
        key_command=str(key.get("command", "")),
        connect_command=str(ours.get("connectCommand", "")),
        names_server=is_neovim and not shows_status,
        longest_message=_LONGEST_IN_NEOVIM if is_neovim and not shows_status else 0,
        has_message_line=name == "helix",
        opens_documents=part_of(capabilities, "window", "showDocument").get("support") is True,
        asks_once=name == "helix",
        longest_wait=0.4 if name == "eglot" else 60.0,
    )


#: Seen with Neovim 0.12 in 80 columns: a line of 68, and it puts `LSP[tabby_ls] ` before it. 0.11 stops at any message.
_LONGEST_IN_NEOVIM = 54
#: Seen with Neovim 0.12. Helix 25.07 and eglot 1.17 insert plain text as it is.
_ADDS_INDENTATION = frozenset({"neovim"})
#: Read in Helix' and eglot's source.
_ASSUMES_MARKDOWN = frozenset({"helix", "eglot"})
