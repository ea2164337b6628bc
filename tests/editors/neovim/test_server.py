"""The plugin and its server: status, commands, ends and new beginnings, health, help."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.editors.neovim.conftest import Start
from tests.editors.neovim.driver import PLUGIN, Neovim
from tests.editors.workspace import Workspace
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import wait_and_see

_STATUSLINE = """
require('tabby_ls').setup { keymaps = true }
vim.o.statusline = "%f %= %{v:lua.require'tabby_ls'.statusline()}"
"""


def _status(nvim: Neovim) -> dict[str, Any]:
    status: dict[str, Any] = nvim.lua("return require('tabby_ls').status()")
    return status


def _said(nvim: Neovim) -> str:
    said: str = nvim.lua("return vim.api.nvim_exec2('messages', { output = true }).output")
    return said


def test_the_backend_dies_and_comes_back(start: Start, tmp_path: Path) -> None:
    with ScriptedTabbyAPI() as backend:
        port = int(backend.url.rpartition(":")[2])
        backend.reply("alpha\n")
        workspace = Workspace(tmp_path, backend.url)
        nvim = start(workspace, "x.py", "", init=_STATUSLINE)
        nvim.insert_at_end("x = ")
        nvim.wait_for_ghost("alpha")
        nvim.terminal.wait_for_text("● TabbyAPI: Qwen2.5-Coder")
        nvim.keys("Escape")
    nvim.type("oy = ")
    nvim.wait_for(lambda: _status(nvim)["state"] == "error")
    assert _status(nvim)["message"]
    nvim.terminal.wait_for_text("✗ tabby-ls")
    assert nvim.mode == "i"
    nvim.type("z + ")  # typing goes on
    nvim.wait_for(lambda: nvim.lines == ["x = ", "y = z + "])
    said = _said(nvim)
    assert said.count("tabby-ls: ") == 1
    with ScriptedTabbyAPI(port=port) as backend:
        backend.reply("omega\n")

        def types_until_it_answers() -> bool:
            nvim.type("a + ", pause=0.3)
            return nvim.ghost == ["omega"]

        nvim.wait_for(types_until_it_answers)
        nvim.wait_for(lambda: _status(nvim)["state"] == "idle")
        nvim.terminal.wait_for_text("● TabbyAPI")
        assert _said(nvim) == said


def test_what_is_wrong_is_said_in_a_line_that_tells_where_the_rest_is(start: Start, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, "http://127.0.0.1:9")
    nvim = start(workspace, "x.py", "", columns=60)
    nvim.insert_at_end("x = ")
    nvim.wait_for(lambda: _status(nvim)["state"] == "error")
    nvim.keys("Escape")
    nvim.terminal.wait_for_text("… :TabbyLs messages")
    assert "Press ENTER" not in nvim.terminal.screen
    nvim.type(":TabbyLs messages\r")
    nvim.terminal.wait_for_text("is it running?")
    nvim.keys("Enter")
    nvim.type(":TabbyLs status\r")
    nvim.terminal.wait_for_text("tabby-ls: error: the server at http://127.0.0.1:9")


def test_a_slow_answer_shows_that_it_thinks(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha\n", delay_before_first=30)
    nvim = start(workspace, "x.py", "", init=_STATUSLINE)
    nvim.insert_at_end("x = ")
    nvim.terminal.wait_for_text("◌ TabbyAPI")
    nvim.keys("Escape")
    nvim.terminal.wait_for_text("● TabbyAPI")
    nvim.wait_for(lambda: backend.open_streams == 0)


def test_a_message_of_the_server_does_not_wait_for_a_key(start: Start, local_workspace: Workspace) -> None:
    """The one of the first run is longer than a line."""
    local_workspace.write("x.py", "")
    nvim = start(local_workspace, "x.py", columns=60)
    nvim.wait_for(lambda: local_workspace.sent("window/showMessage", by="server"))
    (message,) = local_workspace.sent("window/showMessage", by="server")
    nvim.terminal.wait_for_text(message["message"][:20])
    nvim.insert_at_end("typing goes on")
    nvim.wait_for(lambda: nvim.lines == ["typing goes on"])
    nvim.keys("Escape")
    nvim.type(":TabbyLs messages\r")
    nvim.terminal.wait_for_text(message["message"][-20:])


def _server_pids(workspace: Workspace) -> set[int]:
    """The processes that the editor started for its server: while one ends, there may be two."""
    pids = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if b"tap.py" in command and str(workspace.home.parent).encode() in command:
                pids.add(int(process.name))
    return pids


def test_a_server_that_is_killed_is_started_again(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.py", "")
    nvim.insert_at_end("x = ")
    nvim.wait_for_ghost("alpha")
    (pid,) = _server_pids(workspace)
    os.kill(pid, signal.SIGKILL)
    nvim.wait_for(lambda: len(workspace.sent("textDocument/didOpen")) == 2)
    nvim.type("y + ")
    nvim.wait_for_ghost("alpha")
    nvim.keys("Tab")
    nvim.wait_for(lambda: nvim.lines == ["x = y + alpha"])


def test_what_was_typed_while_the_server_started_is_asked_about(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha\n")
    workspace.write("x.py", "")
    workspace.write("slow", "#!/bin/sh\nuntil [ -e started ]; do sleep 0.05; done\nexec tabby-ls\n").chmod(
        0o755
    )
    nvim = start(workspace, "x.py", init="require('tabby_ls').setup { cmd = { './slow' } }")
    nvim.insert_at_end("x = ")
    workspace.write("started", "")
    nvim.wait_for_ghost("alpha")


@pytest.mark.parametrize("force", ["false", "true"])
def test_a_server_that_the_user_stops_stays_stopped(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI, force: str
) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.py", "")
    nvim.run(f"lua vim.lsp.stop_client(vim.lsp.get_clients(), {force})")
    nvim.wait_for(lambda: not _server_pids(workspace))
    nvim.wait_for(lambda: _status(nvim)["state"] == "off")
    wait_and_see(lambda: not _server_pids(workspace))
    assert "ended" not in _said(nvim)
    nvim.type(":TabbyLs restart\r")
    nvim.insert_at_end("x = ")
    nvim.wait_for_ghost("alpha")


def test_a_server_that_cannot_begin_is_given_up(start: Start, workspace: Workspace) -> None:
    (workspace.folder / "broken").write_text("#!/bin/sh\nread line; echo oh no >&2; exit 3\n")
    (workspace.folder / "broken").chmod(0o755)
    workspace.write("x.py", "")
    nvim = start(workspace, "x.py", init="require('tabby_ls').setup { cmd = { './broken' } }")
    nvim.wait_for(lambda: "the server ended (exit status 3)" in _said(nvim))
    nvim.insert_at_end("typing goes on")
    nvim.wait_for(lambda: nvim.lines == ["typing goes on"])
    assert _status(nvim)["state"] == "off"


def test_restarting(start: Start, workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.py", "")
    before = _server_pids(workspace)
    nvim.type(":TabbyLs restart\r")
    nvim.wait_for(lambda: len(workspace.sent("textDocument/didOpen")) == 2)
    nvim.wait_for(lambda: (now := _server_pids(workspace)) and not now & before)
    nvim.insert_at_end("x = ")
    nvim.wait_for_ghost("alpha")


def test_a_missing_server_is_a_sentence_not_a_wall(start: Start, workspace: Workspace) -> None:
    workspace.write("x.py", "")
    nvim = start(workspace, "x.py", init="require('tabby_ls').setup { cmd = { 'no-such-server' } }")
    nvim.insert_at_end("typing goes on")
    nvim.wait_for(lambda: nvim.lines == ["typing goes on"])
    nvim.keys("Escape")
    nvim.type(":TabbyLs why\r")
    nvim.wait_for(lambda: ":checkhealth tabby_ls tells why" in _said(nvim))
    nvim.type(":checkhealth tabby_ls\r")
    nvim.wait_for(lambda: any('there is no command "no-such-server"' in line for line in nvim.lines))


def test_commands(start: Start, workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.py", "")
    nvim.insert_at_end("x = ")
    nvim.wait_for_ghost("alpha")
    nvim.keys("Tab", "Escape")
    for command, answer in (
        ("why", "x.py line 1"),
        ("stats", "accepted"),
        ("status", "TabbyAPI: Qwen2.5-Coder-1.5B-exl3"),
        (
            "nonsense",
            'there is no "nonsense"; there are health, messages, restart',
        ),
        ("toggle sesion", "there are only file, language, session"),
        ("trigger", "outside of insert mode"),
    ):
        nvim.type(f":TabbyLs {command}\r")
        nvim.terminal.wait_for_text(answer)
        if "Press ENTER" in nvim.terminal.screen:
            nvim.keys("Enter")
    complete = "return vim.fn.getcompletion('TabbyLs {}', 'cmdline')"
    assert nvim.lua(complete.format("st")) == ["stats", "status"]
    assert nvim.lua(complete.format("toggle ")) == ["file", "language", "session"]
    assert nvim.lua(complete.format("why ")) == []


def test_an_answer_that_is_longer_than_a_line_is_broken_at_words(start: Start, workspace: Workspace) -> None:
    nvim = start(workspace, "x.py", "", columns=30)
    nvim.type(":TabbyLs why\r")
    nvim.terminal.wait_for_text("Press ENTER")
    assert "Nothing has been asked yet:" in nvim.terminal.screen.split("\n")


@pytest.mark.parametrize("scope", ["session", "language", "file"])
def test_switching_it_off_and_on(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI, scope: str
) -> None:
    backend.reply("alpha\n")
    workspace.write("y.lua", "")
    nvim = start(workspace, "x.py", "")
    nvim.type(f":TabbyLs toggle {scope}\r")
    nvim.wait_for(lambda: "tabby-ls: " in _said(nvim))
    nvim.insert_at_end("x = ")
    nvim.wait_for(lambda: _status(nvim)["state"] == "off")
    assert nvim.ghost is None
    nvim.keys("Escape")
    nvim.type(":write | edit y.lua\r")
    nvim.wait_for(lambda: _status(nvim)["state"] == ("off" if scope == "session" else "idle"))
    nvim.insert_at_end("y = ")
    if scope == "session":
        nvim.wait_for(lambda: len(workspace.answers("textDocument/inlineCompletion")) >= 2)
        assert nvim.ghost is None
    else:
        nvim.wait_for_ghost("alpha")
    nvim.keys("Escape")
    nvim.type(":write | edit x.py\r")
    nvim.wait_for(lambda: _status(nvim)["state"] == "off")
    nvim.type(f":TabbyLs toggle {scope}\r")
    nvim.insert_at_end("y + ")
    nvim.wait_for_ghost("alpha")


def test_health_of_a_sound_installation(start: Start, workspace: Workspace) -> None:
    nvim = start(workspace, "x.py", "")
    nvim.type(":checkhealth tabby_ls\r")
    nvim.wait_for(lambda: any("dismiss" in line for line in nvim.lines))
    text = "\n".join(nvim.lines)
    assert "ERROR" not in text
    assert "WARNING" not in text
    assert "runs for" in text
    assert "<Tab>: accept" in text
    assert "(1 buffer)" in text
    places = [text.index(f": {action}\n") for action in ("accept", "accept_word", "accept_line", "next")]
    assert places == sorted(places)


def test_options_that_are_wrong_are_named(start: Start, workspace: Workspace) -> None:
    nvim = start(workspace)
    for options, complaint in (
        ("{ keymap = true }", 'there is no option "keymap"'),
        ("{ auto = 1 }", "auto must be a boolean"),
        ("{ keymaps = { take = '<Tab>' } }", 'there is no key for "take"'),
    ):
        said = nvim.lua(f"local _, err = pcall(require('tabby_ls').setup, {options}) return err")
        assert said == f"tabby_ls.setup: {complaint}"


def test_the_help_has_the_tags_it_refers_to(start: Start, workspace: Workspace) -> None:
    nvim = start(workspace)
    nvim.type(":helptags ALL\r")
    nvim.type(":help tabby-ls-keys\r")
    nvim.wait_for(lambda: nvim.lua("return vim.bo.buftype") == "help")
    text = (PLUGIN / "doc/tabby-ls.txt").read_text("utf-8")
    references = set(re.findall(r"\|(tabby-ls[\w-]*)\|", text))
    assert references
    for tag in references:
        found = nvim.lua(f"return vim.fn.getcompletion('{tag}', 'help')")
        assert tag in found, tag
