"""Neovim with nothing but its own means: what the documentation tells those who want no plugin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.editors.neovim.conftest import Start
from tests.editors.workspace import Workspace
from tests.support.tabbyapi import ScriptedTabbyAPI

_ROOT = Path(__file__).parents[3]


def documented(page: str, about: str) -> str:
    """The configuration in a page of the documentation that holds `about`."""
    blocks = re.findall(r"```lua\n(.*?)```", (_ROOT / page).read_text("utf-8"), re.DOTALL)
    found: list[str] = [block for block in blocks if about in block and "vim.lsp.enable" in block]
    assert found, f"{page} has nothing about {about}"
    return found[0]


@pytest.mark.parametrize("version", ["0.12"], indirect=True)
@pytest.mark.parametrize("page", ["README.md", "docs/editors/neovim.md"])
def test_ghost_text_of_0_12(start: Start, workspace: Workspace, backend: ScriptedTabbyAPI, page: str) -> None:
    backend.reply("a + b\n")
    nvim = start(
        workspace,
        "sum.py",
        "def add(a, b):\n    ",
        init=documented(page, "inline_completion"),
        with_plugin=False,
    )
    nvim.insert_at_end("return ", pause=0.05)
    nvim.wait_for_ghost("a + b")
    nvim.keys("Tab")
    nvim.wait_for(lambda: nvim.lines == ["def add(a, b):", "    return a + b"])


@pytest.mark.parametrize("version", ["0.12"], indirect=True)
def test_the_message_of_the_first_run_does_not_wait_for_a_key(
    start: Start, local_workspace: Workspace
) -> None:
    local_workspace.write("x.py", "")
    init = documented("README.md", "inline_completion")
    nvim = start(local_workspace, "x.py", init=init, with_plugin=False, columns=80)
    nvim.terminal.wait_for_text("`tabby-ls check --discover` finds a server")
    assert "Press ENTER" not in nvim.terminal.screen


@pytest.mark.parametrize("version", ["0.12"], indirect=True)
def test_the_plugin_says_what_to_start_even_without_setup(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("a + b\n")
    init = "vim.lsp.enable('tabby_ls')\nvim.lsp.inline_completion.enable()"
    nvim = start(workspace, "sum.py", "def add(a, b):\n    ", init=init)
    nvim.insert_at_end("return ")
    nvim.wait_for_ghost("a + b")
    assert nvim.lua("return package.loaded['tabby_ls.suggest'] == nil")


@pytest.mark.parametrize("version", ["0.12", "0.11"], indirect=True)
def test_menu(start: Start, workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    answer = "total = 0\n    for item in items:\n        total += item\n    return total\n"
    backend.reply(answer)
    init = documented("docs/editors/neovim.md", "completion.enable(true")
    nvim = start(workspace, "sum.py", "def add(items):\n    ", init=init, with_plugin=False)
    nvim.insert_at_end()
    nvim.keys("C-x", "C-o")
    nvim.wait_for(lambda: nvim.lua("return vim.fn.pumvisible()") == 1)
    nvim.keys("C-n", "C-y")
    expected = ["def add(items):", *f"    {answer}".rstrip().split("\n")]
    nvim.wait_for(lambda: nvim.lines == expected)


@pytest.mark.parametrize("version", ["0.12", "0.11"], indirect=True)
def test_menu_behind_a_dot(start: Start, workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    backend.reply("path.join(a)\n")
    init = documented("docs/editors/neovim.md", "completion.enable(true")
    nvim = start(workspace, "x.py", "", init=init, with_plugin=False)
    nvim.insert_at_end("x = os", pause=0.1)
    nvim.type(".")
    nvim.terminal.wait_for_text("path.join(a)")
    assert nvim.lines == ["x = os."]
    nvim.keys("C-n", "C-y")
    nvim.wait_for(lambda: nvim.lines == ["x = os.path.join(a)"])
