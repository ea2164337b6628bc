"""What Neovim looks like with it; with `--images` the documentation's pictures are made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.neovim.conftest import Start
from tests.editors.workspace import Workspace
from tests.support.tabbyapi import ScriptedTabbyAPI

_FILE = """\
from dataclasses import dataclass


@dataclass
class Item:
    name: str
    price: float
    amount: int = 1


def total(items: list[Item]) -> float:
    """
_ANSWER = """\
total = 0.0
    for item in items:
        total += item.price * item.amount
    return total
"""
_INIT = """
require('tabby_ls').setup { keymaps = true }
vim.o.termguicolors = true
vim.o.number = true
vim.o.statusline = " %f %m %= %{v:lua.require'tabby_ls'.statusline()} "
"""


@pytest.mark.parametrize("version", ["0.12"], indirect=True)
def test_a_function_about_to_be_written(start: Start, tmp_path: Path, images: Path) -> None:
    with ScriptedTabbyAPI() as backend:
        backend.reply(_ANSWER)
        workspace = Workspace(tmp_path, backend.url)
        nvim = start(workspace, "order.py", _FILE, init=_INIT, columns=84, rows=17)
        nvim.insert_at_end()
        nvim.wait_for_ghost(*_ANSWER.rstrip().split("\n"))
        nvim.terminal.wait_for_text("● TabbyAPI: Qwen2.5-Coder-1.5B-exl3")
        shown = [line[4:].rstrip() for line in nvim.terminal.screen.split("\n")]
        assert shown[: len((_FILE + _ANSWER).rstrip().split("\n"))] == (_FILE + _ANSWER).rstrip().split("\n")
        nvim.terminal.save_svg(images / "neovim.svg", "Neovim")
        nvim.keys("M-Right", "M-Right", "Escape")
    nvim.type("S# the server is gone ")
    nvim.terminal.wait_for_text("✗ tabby-ls")
    nvim.keys("Escape")
    nvim.terminal.wait_for_text("tabby-ls: the server at http://")
