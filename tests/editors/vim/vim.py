"""Vim in a terminal, set up as docs/editors/vim.md tells."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from tests.editors.terminal import Terminal
from tests.editors.workspace import Workspace
from tests.support import debian

PLUGIN = Path(__file__).parents[3] / "editors" / "vim"


class Vim:
    """A session with a file of the project, which begins in normal mode at its start."""

    def __init__(self, workspace: Workspace, file: str, *, vimrc: str = "") -> None:
        """`vimrc` is what the user has in theirs besides."""
        vim = debian.vim()
        packages = workspace.home / ".vim/pack/tabby-ls/start"
        packages.mkdir(parents=True)
        (packages / "tabby-ls").symlink_to(PLUGIN)
        status = "set laststatus=2 statusline=%f\\ %m%=%{tabby_ls#Status()}\n"
        workspace.write(
            "../.vimrc", f"source $VIMRUNTIME/defaults.vim\nset number noswapfile\n{status}{vimrc}"
        )
        self._workspace = workspace
        self._file = file
        self.terminal = Terminal([vim, file], workspace.environment, workspace.folder)

    def __enter__(self) -> Vim:
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

    def wait_for_no_text(self, text: str) -> None:
        """Wait until `text` is no longer on the screen."""
        self.terminal.wait_for(lambda: text not in self.terminal.screen)

    def command(self, line: str) -> None:
        """Give a command, from insert mode too."""
        self.keys("C-\\", "C-n")  # to normal mode
        self.terminal.type(f":{line}\r")

    def save(self) -> str:
        """Save; returns what is on disk then."""
        before = self._workspace.sent("textDocument/didSave")
        self.command("write")
        self.terminal.wait_for(lambda: self._workspace.sent("textDocument/didSave") != before)
        return self._workspace.read(self._file)
