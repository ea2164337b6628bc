"""What the status bar says, what its menu does, and that the server can be changed, restarted and repaired in place."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.editors.vscode.code import CodeServer, Window
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import wait_and_see, wait_until


@pytest.fixture(scope="module")
def shared_window(
    code_server: CodeServer, open_window: Callable[[Path], Window], tmp_path_factory: pytest.TempPathFactory
) -> Window:
    code_server.configure({})
    return open_window(tmp_path_factory.mktemp("workspace"))


@pytest.fixture
def window(
    shared_window: Window, code_server: CodeServer, backend: ScriptedTabbyAPI, request: pytest.FixtureRequest
) -> Iterator[Window]:
    """A window with an empty Python file of its own, and the scripted server behind it."""
    backend.reply("answer()\n")
    code_server.configure({"backend.url": backend.url})
    name = f"{request.node.name.removeprefix('test_')[:40]}.py"
    (shared_window.folder / name).touch()
    shared_window.press("Escape")
    shared_window.clear_notifications()
    shared_window.open(name)
    shared_window.wait_for_status("idle", "TabbyAPI: Qwen2.5-Coder-1.5B-exl3")
    yield shared_window
    code_server.configure({})


def test_it_says_that_an_answer_is_waited_for(window: Window, backend: ScriptedTabbyAPI) -> None:
    backend.reply("answer()\n", delay_before_first=2)
    window.type("x = ")
    window.wait_for_status("thinking")
    window.wait_for_ghost("answer()")
    window.wait_for_status("idle")


def test_a_backend_that_dies_and_returns(
    window: Window, code_server: CodeServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ScriptedTabbyAPI() as mortal:
        mortal.reply("first()\n")
        code_server.configure({"backend.url": mortal.url})
        port = urlsplit(mortal.url).port
        wait_until(lambda: mortal.requests)
        window.type("a = ")
        window.wait_for_ghost("first()")
        window.accept()
    window.type("\nb = ")
    window.wait_for_status(f"127.0.0.1:{port}", "cannot be reached", "local model")
    assert window.notifications() == []
    assert port is not None
    with ScriptedTabbyAPI(port=port) as again:
        again.reply("second()\n")

        def is_back() -> bool:
            window.type("c")
            return "idle, TabbyAPI" in window.status

        wait_until(is_back)
        window.type("\nd = ")
        window.wait_for_ghost("second()")


def test_the_server_is_restarted_by_command(window: Window, code_server: CodeServer) -> None:
    (former,) = code_server.language_servers()
    window.run("tabby-ls: Restart Server")
    wait_until(lambda: code_server.language_servers() not in ([], [former]))
    window.wait_for_status("idle", "TabbyAPI")
    window.type("x = ")
    window.wait_for_ghost("answer()")


def test_a_server_that_is_killed_is_started_again(window: Window, code_server: CodeServer) -> None:
    (former,) = code_server.language_servers()
    os.kill(former, signal.SIGKILL)
    wait_until(lambda: code_server.language_servers() not in ([], [former]))
    window.type("x = ")

    def is_answered() -> bool:
        window.press("Alt+Backslash")
        return window.ghost == "answer()"

    wait_until(is_answered)
    window.wait_for_status("idle", "TabbyAPI")


def test_the_menu_switches_off_and_on(window: Window, backend: ScriptedTabbyAPI) -> None:
    window.click_status()
    window.choose("Switch off")
    window.wait_for_status("tabby-ls: off")
    window.focus()
    asked = len(backend.completions)
    window.type("x = ")
    window.press("Alt+Backslash")
    wait_and_see(lambda: window.ghost == "")
    assert len(backend.completions) == asked
    window.run("tabby-ls: Restart Server")
    window.wait_for_status("tabby-ls: off")
    window.run("tabby-ls: Switch On or Off")
    window.wait_for_status("idle", "TabbyAPI")
    window.press("Alt+Backslash")
    window.wait_for_ghost("answer()")


def test_a_file_is_switched_off_and_others_are_not(window: Window) -> None:
    (window.folder / "other.py").touch()
    window.run("tabby-ls: Switch On or Off for This File")
    window.wait_for_status("off for this file")
    window.type("x = ")
    wait_and_see(lambda: window.ghost == "")
    window.open("other.py")
    window.wait_for_status("idle")
    window.type("y = ")
    window.wait_for_ghost("answer()")


def test_a_language_is_switched_off_in_the_settings(window: Window, code_server: CodeServer) -> None:
    window.run("tabby-ls: Switch On or Off for This Language")
    window.wait_for_status("off for python")
    wait_until(lambda: code_server.user_settings().get("tabby-ls.disabledLanguages") == ["python"])
    window.type("x = ")
    wait_and_see(lambda: window.ghost == "")
    window.run("tabby-ls: Switch On or Off for This Language")
    window.wait_for_status("idle")
    window.type("1\ny = ")
    window.wait_for_ghost("answer()")


def test_why_says_why(window: Window, backend: ScriptedTabbyAPI) -> None:
    backend.reply("")
    window.type("x = ")
    wait_until(lambda: backend.completions and backend.completions[-1].ended)
    window.run("tabby-ls: Why Was Nothing Suggested?")
    wait_until(lambda: any("nothing was suggested" in text for text in window.notifications()))


def test_statistics_are_shown(window: Window) -> None:
    window.type("x = ")
    window.wait_for_ghost("answer()")
    window.accept()
    window.run("tabby-ls: Show Statistics")
    table = window.page.locator(".monaco-editor[data-uri^='tabby-ls:'] .view-lines")
    wait_until(lambda: "accepted" in (table.text_content() or ""))


def test_the_log_is_shown_and_is_no_place_for_suggestions(window: Window) -> None:
    window.run("tabby-ls: Show Log")
    lines = window.page.locator(".panel .monaco-editor .view-lines")
    wait_until(lambda: "starting the server" in (lines.text_content() or "").replace("\u00a0", " "))
    window.run("Output: Focus on Output View")
    window.wait_for_status("off here: only files")
    window.run("View: Hide Panel")
    window.focus()
    window.wait_for_status("idle")


def test_where_vs_code_shows_no_ghost_text_that_is_said(window: Window) -> None:
    settings = window.folder / ".vscode" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"editor.inlineSuggest.enabled": false}')
    window.wait_for_status("`editor.inlineSuggest.enabled` is off")
    window.run("tabby-ls: Why Was Nothing Suggested?")
    wait_until(lambda: any("inlineSuggest.enabled" in text for text in window.notifications()))
    settings.write_text("{}")
    window.wait_for_status("idle")


def test_a_setting_that_cannot_be_used_is_named_with_a_way_to_it(
    window: Window, code_server: CodeServer
) -> None:
    code_server.configure({"backend.url": "localhost:5000"})
    wait_until(lambda: any("must begin with http://" in text for text in window.notifications()))
    window.page.get_by_role("button", name="Open Settings", exact=True).press("Enter")
    window.page.locator(".settings-editor").wait_for()
    window.press("Escape")


def test_a_server_is_connected_and_its_key_set(window: Window, code_server: CodeServer) -> None:
    with ScriptedTabbyAPI(api_key="sesame", model="StarCoder2-3B-exl2") as guarded:
        guarded.reply("opened()\n")
        window.click_status()
        window.choose("Connect a server")
        window.answer(guarded.url)
        wait_until(lambda: any("key" in text for text in window.notifications()))
        window.wait_for_status("wants an API key", "Set API Key")
        assert code_server.machine_settings()["tabby-ls.backend.url"] == guarded.url
        window.page.get_by_role("button", name="Set API Key", exact=True).press("Enter")
        window.answer("sesame")
        window.wait_for_status("idle", "StarCoder2")
        window.focus()
        window.type("x = ")
        window.wait_for_ghost("opened()")
        assert "sesame" not in str(code_server.machine_settings()) + str(code_server.user_settings())
    window.run("tabby-ls: Set API Key")
    window.answer("")


def test_what_is_set_takes_effect_at_once(
    window: Window, code_server: CodeServer, backend: ScriptedTabbyAPI
) -> None:
    (server,) = code_server.language_servers()
    code_server.configure({"backend.url": backend.url, "maxTokens": 17})
    wait_until(lambda: _asked_tokens(window, backend) == 18)
    assert code_server.language_servers() == [server]


def _asked_tokens(window: Window, backend: ScriptedTabbyAPI) -> int:
    window.type("a")
    return int(backend.completions[-1].body["max_tokens"]) if backend.completions else 0


def test_without_a_suitable_python_it_says_so(window: Window, code_server: CodeServer) -> None:
    code_server.configure({"interpreter": "/no/such/python"})
    window.wait_for_status("needs Python 3.11 or later: /no/such/python cannot be run")
    wait_until(lambda: any("needs Python 3.11" in text for text in window.notifications()))
    code_server.configure({})
    window.wait_for_status("idle", "local model")
