"""Helix in a terminal, set up as docs/editors/helix.md tells."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import TracebackType

from editors.helix.languages import PREPARED
from tests.editors.terminal import Terminal
from tests.editors.workspace import Workspace
from tests.support import debian


class Helix:
    """A session with a file of the project, which begins in normal mode at its start."""

    def __init__(self, workspace: Workspace, file: str) -> None:
        hx = debian.helix()
        workspace.write("../.config/helix/languages.toml", PREPARED.read_text("utf-8"))
        self._workspace = workspace
        self._file = file
        self.terminal = Terminal([hx, file], workspace.environment, workspace.folder)

    def __enter__(self) -> Helix:
        self.terminal.wait_for(lambda: self._workspace.sent("textDocument/didOpen"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminal.__exit__(kind, error, trace)

    def type(self, text: str) -> None:
        """Type at a person's speed."""
        self.terminal.type(text, pause=0.05)

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names."""
        self.terminal.keys(*names)

    def wait_for_text(self, text: str) -> None:
        """Wait until `text` is on the screen."""
        self.terminal.wait_for_text(text)

    def command(self, line: str) -> None:
        """Give a command, from insert mode too."""
        if " NOR " not in self.terminal.screen:
            self.keys("Escape")
            self.wait_for_text(" NOR ")  # Escape with the next key at once would be Alt with that key
        self.terminal.type(f":{line}\r")

    def kill_server(self) -> None:
        """Kill the process that Helix has started as tabby-ls."""
        helix = self._workspace.sent("initialize")[-1]["processId"]
        (server,) = Path(f"/proc/{helix}/task/{helix}/children").read_text().split()
        os.kill(int(server), signal.SIGKILL)

    def save(self) -> str:
        """Save; returns what is on disk then."""
        before = self._workspace.sent("textDocument/didSave")
        self.command("write")
        self.terminal.wait_for(lambda: self._workspace.sent("textDocument/didSave") != before)
        return self._workspace.read(self._file)
