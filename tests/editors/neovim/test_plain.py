"""Neovim 0.12 with nothing but its own means: what the README tells its users to write."""

from __future__ import annotations

from pathlib import Path

from tests.editors.terminal import Terminal
from tests.editors.workspace import Workspace
from tests.support import debian
from tests.support.tabbyapi import ScriptedTabbyAPI

_INIT = """\
vim.lsp.config('tabby_ls', { cmd = { 'tabby-ls' }, root_markers = { '.git' } })
vim.lsp.enable('tabby_ls')
vim.lsp.inline_completion.enable()
vim.keymap.set('i', '<Tab>', function()
  return vim.lsp.inline_completion.get() and '' or '<Tab>'
end, { expr = true })
"""


def test_ghost_text_is_shown_and_taken(workspace: Workspace, backend: ScriptedTabbyAPI, images: Path) -> None:
    nvim = debian.neovim()
    backend.reply("a + b\n")
    workspace.write("../.config/nvim/init.lua", _INIT)
    workspace.write("sum.py", "def add(a, b):\n    ")
    with Terminal([nvim, "sum.py"], workspace.environment, workspace.folder) as terminal:
        terminal.wait_for(lambda: workspace.sent("textDocument/didOpen"))
        terminal.keys("G", "A")
        terminal.type("return ", pause=0.05)
        terminal.wait_for_text("return a + b")
        terminal.save_svg(images / "plain.svg", "Neovim")
        terminal.keys("Tab")
        terminal.keys("Escape")
        terminal.type(":wq\r")
        terminal.wait_for(lambda: terminal.ended)
    assert workspace.read("sum.py") == "def add(a, b):\n    return a + b\n"
