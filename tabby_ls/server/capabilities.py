"""What the server tells its client it can do: the one definition, in plain JSON.

Nothing but Python's own library is imported, so that `initialize` can be answered before anything else is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabby_ls import __version__

ACCEPTED = "tabby-ls.accepted"
COMMANDS = (
    ACCEPTED,
    "tabby-ls.partiallyAccepted",
    "tabby-ls.why",
    "tabby-ls.stats",
    "tabby-ls.toggle",
    "tabby-ls.status",
)
NOTEBOOKS = {"notebookSelector": [{"notebook": "*"}]}
#: In the order of the protocol; what a client puts first is taken.
_ENCODINGS = frozenset({"utf-8", "utf-16", "utf-32"})
_INCREMENTAL = 2


def initialize_result(client: Mapping[str, Any], trigger_characters: Sequence[str]) -> dict[str, Any]:
    """Return the answer to `initialize` for a client with these capabilities.

    The menu's trigger characters are told only to a client where it cannot be registered later.
    """
    capabilities: dict[str, Any] = {
        "positionEncoding": position_encoding(client),
        "textDocumentSync": {"openClose": True, "change": _INCREMENTAL, "save": {"includeText": False}},
        "inlineCompletionProvider": {"workDoneProgress": False},
        "executeCommandProvider": {"commands": list(COMMANDS)},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }
    if not registers_completion(client):
        capabilities["completionProvider"] = {
            "triggerCharacters": list(trigger_characters),
            "resolveProvider": False,
        }
    if client.get("notebookDocument") is not None:
        capabilities["notebookDocumentSync"] = NOTEBOOKS
    return {"capabilities": capabilities, "serverInfo": {"name": "tabby-ls", "version": __version__}}


def position_encoding(client: Mapping[str, Any]) -> str:
    """Return what positions count in: the first the client offers of those we know, else UTF-16 (LSP 3.17)."""
    offered = strings_of(part_of(client, "general").get("positionEncodings"))
    return next((encoding for encoding in offered if encoding in _ENCODINGS), "utf-16")


def registers_completion(client: Mapping[str, Any]) -> bool:
    """Return whether the menu can be registered, and taken back, while the session runs."""
    return bool(part_of(client, "textDocument", "completion").get("dynamicRegistration"))


def part_of(json: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return the object at a path of names; an empty one if anything else is there, or nothing."""
    part: Any = json
    for name in path:
        part = part.get(name) if isinstance(part, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def strings_of(json: object) -> list[str]:
    """Return the strings in an array; an empty list if it is none."""
    return [value for value in json if isinstance(value, str)] if isinstance(json, list) else []
