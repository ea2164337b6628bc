"""What editors say of themselves in `initialize`: some recorded, some reduced to what makes a difference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_RECORDED = Path(__file__).parent.parent / "wire" / "initialize"

#: An editor that shows ghost text and nothing else of note.
GHOST_TEXT: Mapping[str, Any] = {
    "clientInfo": {"name": "ghost"},
    "capabilities": {
        "general": {"positionEncodings": ["utf-16"]},
        "workspace": {"configuration": True},
        "textDocument": {"inlineCompletion": {}},
    },
}

#: The same with a plugin of ours.
WITH_PLUGIN: Mapping[str, Any] = {
    **GHOST_TEXT,
    "capabilities": {**GHOST_TEXT["capabilities"], "experimental": {"tabby-ls": {"status": True}}},
}

#: An editor with a menu and nothing else.
MENU_ONLY: Mapping[str, Any] = {
    "clientInfo": {"name": "menu"},
    "capabilities": {"general": {"positionEncodings": ["utf-8"]}, "textDocument": {"completion": {}}},
}

#: An editor with both that can do all we could ask of it.
VS_CODE: Mapping[str, Any] = {
    "clientInfo": {"name": "Visual Studio Code", "version": "1.104.0"},
    "capabilities": {
        "general": {"positionEncodings": ["utf-16"]},
        "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
        "window": {"workDoneProgress": True},
        "textDocument": {
            "inlineCompletion": {"dynamicRegistration": True},
            "completion": {
                "dynamicRegistration": True,
                "insertTextMode": 2,
                "completionItem": {
                    "snippetSupport": True,
                    "preselectSupport": True,
                    "documentationFormat": ["markdown", "plaintext"],
                    "insertTextModeSupport": {"valueSet": [1, 2]},
                    "labelDetailsSupport": True,
                },
            },
        },
    },
}


def recorded(editor: str) -> Mapping[str, Any]:
    """The `initialize` params that "nvim", "helix" or "eglot" was recorded to send."""
    message: dict[str, Any] = json.loads((_RECORDED / f"initialize_{editor}.json").read_text("utf-8"))
    params: Mapping[str, Any] = message["params"]
    return params


def with_encoding(profile: Mapping[str, Any], encoding: str) -> Mapping[str, Any]:
    """The same editor, with another position encoding."""
    general = {"general": {"positionEncodings": [encoding]}}
    return {**profile, "capabilities": {**profile["capabilities"], **general}}
