"""What Emacs shows of the server's state, and what becomes of it when something dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.editors.emacs.emacs import Emacs
from tests.editors.emacs.test_ghost_text import ADD, USE
from tests.editors.scripts import going_on_to
from tests.editors.workspace import Workspace
from tests.support.tabbyapi import ScriptedTabbyAPI

RETURN = going_on_to("return a + b\n")


def test_a_backend_that_dies_and_comes_back(tmp_path: Path) -> None:
    with ScriptedTabbyAPI() as first:
        port = int(first.url.rpartition(":")[2])
        workspace = Workspace(tmp_path, first.url)
        workspace.write("sum.py", ADD)
        first.reply(RETURN)
        emacs = Emacs(workspace, "sum.py", init=USE)
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.wait_for_ghost("urn a + b")
        assert emacs.status.startswith(" Tabby\n")
        assert "TabbyAPI" in emacs.status
    with emacs:
        emacs.type("xyz")
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby!\n"))
        assert f"127.0.0.1:{port}" in emacs.status
        emacs.terminal.wait_for_text("Tabby!")
        emacs.terminal.wait_for_text(f"tabby-ls: the server at http://127.0.0.1:{port} cannot be reached")
        with ScriptedTabbyAPI(port=port) as second:
            second.reply(RETURN)
            emacs.keys("BSpace", "BSpace", "BSpace")
            emacs.wait_for(lambda: _asks_until(emacs, "urn a + b"))
            emacs.wait_for(lambda: emacs.status.startswith(" Tabby\n"))
            assert emacs.messages.count("cannot be reached") == emacs.messages.count("answers again") == 1


def _asks_until(emacs: Emacs, ghost: str) -> bool:
    """Ask by key, as one does who waits for the backend to come back."""
    emacs.keys("C-c", "\\", "\\")
    return emacs.ghost == ghost


def test_a_server_that_dies_is_started_again(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(RETURN)
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        pid = int(emacs.evaluate("(process-id (tabby-ls--process tabby-ls-connection))"))
        logged = "2026-01-01 12:00:00,001 WARNING tabby_ls.server.status: backend: answers again\\n"
        emacs.evaluate(
            f'(with-current-buffer (jsonrpc-stderr-buffer tabby-ls-connection) (let ((inhibit-read-only t)) (insert "{logged}")))'
        )
        os.kill(pid, signal.SIGKILL)
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby!\n"))
        assert "the server ended; it is started again in 1 s" in emacs.status
        emacs.wait_for(lambda: len(workspace.sent("initialize")) == 2)
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby\n"))
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.wait_for_ghost("urn a + b")


def test_a_server_that_keeps_dying_is_started_ever_later(workspace: Workspace) -> None:
    workspace.write("sum.py", ADD)
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        for starts, pause in enumerate((1, 2), start=1):
            emacs.wait_for(lambda: len(workspace.answers("workspace/executeCommand")) == starts)  # noqa: B023
            os.kill(
                int(emacs.evaluate("(process-id (tabby-ls--process tabby-ls-connection))")), signal.SIGKILL
            )
            emacs.wait_for(lambda: f"it is started again in {pause} s" in emacs.messages)  # noqa: B023


def test_the_user_restarts_the_server(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(RETURN)
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.evaluate('(setq tabby-ls-settings \'(:disabled_languages ["python"]))')
        emacs.evaluate("(setq former (tabby-ls--process tabby-ls-connection))")
        emacs.keys("C-c", "\\", "r")
        emacs.wait_for(lambda: len(workspace.sent("initialize")) == 2)
        assert workspace.sent("exit")
        emacs.wait_for(lambda: emacs.evaluate("(memq former (process-list))") == "nil")
        assert "tabby-ls: starting again" in emacs.messages
        assert "exited" not in emacs.messages
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby:off\n"))
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.keys("C-c", "\\", "\\")
        emacs.terminal.wait_for_text("the setting `disabled_languages`")
        assert backend.completions == []


def test_a_program_that_is_not_there(workspace: Workspace) -> None:
    workspace.write("sum.py", ADD)
    with Emacs(workspace, "sum.py", init='(setq tabby-ls-command \'("no-such-tabby"))\n' + USE) as emacs:
        assert emacs.status.startswith(" Tabby!\n")
        assert "no-such-tabby was not found" in emacs.status
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.wait_for_text("def add(a, b):\n    ret|\n\nx = 1\n")


def test_it_is_on_where_code_and_markup_is_edited(workspace: Workspace) -> None:
    workspace.write("sum.py", ADD)
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        for mode in (
            "sh-mode",
            "conf-mode",
            "html-mode",
            "org-mode",
            "rst-mode",
            "text-mode",
            "special-mode",
        ):
            is_on = emacs.evaluate(f'(with-current-buffer (get-buffer-create "x") ({mode}) tabby-ls-mode)')
            assert (mode, is_on) == (mode, "nil" if mode in ("text-mode", "special-mode") else "t")


def test_the_process_ends_when_the_mode_is_switched_off(workspace: Workspace) -> None:
    workspace.write("sum.py", ADD)
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("M-x")
        emacs.type("global-tabby-ls-mode\r")
        emacs.wait_for(lambda: workspace.sent("exit"))
        emacs.wait_for(lambda: "Tabby" not in emacs.terminal.screen)
        emacs.wait_for(lambda: "tabby-ls" not in emacs.evaluate("(process-list)"))
        emacs.keys("M-x")
        emacs.type("global-tabby-ls-mode\r")
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby\n"))


def test_it_is_switched_off_and_on_for_a_file(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(RETURN)
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e", "C-c", "\\", "f")
        emacs.terminal.wait_for_text("suggestions are off in sum.py")
        emacs.type("ret")
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby:off\n"))
        assert backend.completions == []
        emacs.keys("C-c", "\\", "f")
        emacs.terminal.wait_for_text("suggestions are on in sum.py")
        emacs.type("u")
        emacs.wait_for_ghost("rn a + b")
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby\n"))


def test_the_mode_line_is_about_the_file_one_is_in(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    workspace.write(".env.sh", "KEY=1\n")
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby\n"))
        emacs.keys("C-x", "C-f")
        emacs.type(".env.sh\r")
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby:off\n"))
        emacs.keys("C-x", "b", "Enter")
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby\n"))
        emacs.keys("C-x", "4", "b", "Enter")
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby:off\n"))
        emacs.keys("C-x", "o")
        emacs.wait_for(lambda: emacs.status.startswith(" Tabby\n"))


def test_it_says_why_and_counts(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(RETURN)
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.wait_for_ghost("urn a + b")
        emacs.keys("Tab")
        emacs.keys("C-c", "\\", "?")
        emacs.terminal.wait_for_text("tabby-ls: ")
        emacs.keys("C-c", "\\", "s")
        emacs.terminal.wait_for_text("*tabby-ls stats*")
        assert [call["command"] for call in emacs.commands] == [
            "tabby-ls.accepted",
            "tabby-ls.why",
            "tabby-ls.stats",
        ]


def test_thinking_is_shown(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply("x", ending="hang before headers")
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.terminal.wait_for_text("Tabby…")
