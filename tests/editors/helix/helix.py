"""Helix in a terminal, set up as docs/editors/helix.md tells."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from editors.helix.languages import PREPARED
from tests.editors.session import Session
from tests.editors.workspace import Workspace
from tests.support import debian


class Helix(Session):
    """A session that begins in normal mode at the file's start."""

    def __init__(self, workspace: Workspace, file: str) -> None:
        workspace.write("../.config/helix/languages.toml", PREPARED.read_text("utf-8"))
        super().__init__(workspace, [debian.helix()], file)

    def command(self, line: str) -> None:
        """Give a command."""
        if " NOR " not in self.terminal.screen:
            self.keys("Escape")
            self.wait_for_text(" NOR ")  # Escape with the next key at once would be Alt with that key
        self.terminal.type(f":{line}\r")

    def kill_server(self) -> None:
        """Kill the process that Helix has started as tabby-ls."""
        helix = self.workspace.sent("initialize")[-1]["processId"]
        (server,) = Path(f"/proc/{helix}/task/{helix}/children").read_text().split()
        os.kill(int(server), signal.SIGKILL)
