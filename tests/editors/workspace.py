"""A project and a home for an editor: all it gets to see, with the server under test first on its path."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


class Workspace:
    """A new home with a project in it.

    `environment` is what the editor is started with. The command `tabby-ls` it finds is the server under test, and
    everything the two say to one another is in `messages`.
    """

    def __init__(self, folder: Path, backend: str = "", **environment: str) -> None:
        """`backend` is the address of a server; without one, the local model answers."""
        self.home = folder / "home"
        self.folder = self.home / "project"
        (self.folder / ".git").mkdir(parents=True)
        commands = folder / "bin"
        commands.mkdir()
        self._log = folder / "messages.jsonl"
        self._log.touch()
        tap, server = _HERE / "tap.py", Path(sys.executable).with_name("tabby-ls")
        (commands / "tabby-ls").write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{tap}" "{self._log}" "{server}" "$@"\n'
        )
        (commands / "tabby-ls").chmod(0o755)
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{commands}:{os.defpath}",
            "LANG": "C.UTF-8",
            "TMPDIR": str(folder),
        }
        if backend:
            # What a test sees of a server that fails is that server's doing alone, unless it says otherwise.
            self.environment |= {"TABBY_LS_BACKEND_URL": backend, "TABBY_LS_LOCAL_FALLBACK": "false"}
        self.environment |= environment

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project, byte for byte, and return its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def read(self, name: str) -> str:
        """The text of a file of the project as it is on disk, line endings and all."""
        return (self.folder / name).read_bytes().decode()

    @property
    def messages(self) -> list[tuple[str, Any]]:
        """What was said so far: ("editor" or "server", the JSON-RPC message)."""
        lines = self._log.read_text("utf-8").split("\n")[:-1]  # the last one may be half written
        return [(said["by"], said["message"]) for said in map(json.loads, lines)]

    def sent(self, method: str, by: str = "editor") -> list[Any]:
        """The params of every message with this method."""
        return [
            message.get("params")
            for who, message in self.messages
            if who == by and message.get("method") == method
        ]

    def answers(self, method: str) -> list[Any]:
        """The server's answers to requests with this method: whole messages, with `result` or `error`."""
        asked = {
            message["id"]
            for by, message in self.messages
            if by == "editor" and message.get("method") == method
        }
        return [message for by, message in self.messages if by == "server" and message.get("id") in asked]
