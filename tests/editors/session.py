"""An editor in a terminal that is typed into and asked to save: what its driver says is how it is set up and commanded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.editors.terminal import Terminal
from tests.editors.workspace import Workspace


class Session:
    """A session with a file of the project, from when the server knows the file."""

    def __init__(self, workspace: Workspace, command: Sequence[str | Path], file: str) -> None:
        self.workspace = workspace
        self.file = file
        self.terminal = Terminal([*command, file], workspace.environment, workspace.folder)

    def __enter__(self) -> Self:
        self.wait_for(lambda: self.workspace.sent("textDocument/didOpen"))
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

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until `condition()` holds; when it never does, the screen is shown."""
        self.terminal.wait_for(condition)

    def wait_for_text(self, text: str) -> None:
        """Wait until `text` is on the screen."""
        self.terminal.wait_for_text(text)

    def wait_for_no_text(self, text: str) -> None:
        """Wait until `text` is no longer on the screen."""
        self.wait_for(lambda: text not in self.terminal.screen)

    def command(self, line: str) -> None:
        """Give a command by its name, while text is being inserted too."""
        raise NotImplementedError

    def save(self) -> str:
        """Save; returns what is on disk then."""
        before = self.workspace.sent("textDocument/didSave")
        self.command("write")
        self.wait_for(lambda: self.workspace.sent("textDocument/didSave") != before)
        return self.workspace.read(self.file)
