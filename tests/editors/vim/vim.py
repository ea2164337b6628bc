"""Vim in a terminal, set up as docs/editors/vim.md tells."""

from __future__ import annotations

from pathlib import Path

from tests.editors.session import Session
from tests.editors.workspace import Workspace
from tests.support import debian

PLUGIN = Path(__file__).parents[3] / "editors" / "vim"


class Vim(Session):
    """A session that begins in normal mode at the file's start."""

    def __init__(self, workspace: Workspace, file: str, *, vimrc: str = "") -> None:
        """`vimrc` is what the user has in theirs besides."""
        packages = workspace.home / ".vim/pack/tabby-ls/start"
        packages.mkdir(parents=True)
        (packages / "tabby-ls").symlink_to(PLUGIN)
        status = "set laststatus=2 statusline=%f\\ %m%=%{tabby_ls#Status()}\n"
        workspace.write(
            "../.vimrc", f"source $VIMRUNTIME/defaults.vim\nset number noswapfile\n{status}{vimrc}"
        )
        super().__init__(workspace, [debian.vim()], file)

    def command(self, line: str) -> None:
        """Give a command."""
        self.keys("C-\\", "C-n")  # to normal mode
        self.terminal.type(f":{line}\r")
