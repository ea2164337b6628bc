"""What servers, files and traces say is text: it commands no terminal and hides nothing of what is printed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.backends.detect import Found
from tabby_ls.commands import discover
from tabby_ls.printable import printable
from tabby_ls.settings import Settings
from tests.commands.conftest import Run
from tests.support.editor import Editor
from tests.support.profiles import WITH_PLUGIN
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

#: Sets a window's title, clears the screen, C1's way to begin the same, a bell, and text shown in another order.
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202egnp.exe\u2066"
UNFIT = set("\x1b\x07\x9b\x7f\u202e\u2066\x00\r")


def is_fit(text: str) -> bool:
    return not UNFIT & set(text)


@given(st.text())
def test_what_is_printed_commands_nothing(text: str) -> None:
    shown = printable(text)
    assert is_fit(shown)
    assert printable(shown) == shown


@pytest.mark.parametrize("arguments", [("check",), ("complete", "a.py:1"), ("complete", "a.py:1", "--json")])
@pytest.mark.parametrize("where", ["model", "error", "answer", "lookup"])
def test_a_servers_words_command_no_terminal(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], where: str
) -> None:
    (tmp_path / "a.py").write_text("total = \n")
    with ScriptedTabbyAPI() as server:
        server.reply(f"1 + 2 {HOSTILE}\n" if where == "answer" else "1 + 2\n")
        if where == "model":
            server.model = f"Qwen2.5-Coder-{HOSTILE}"
        if where == "error":
            server.fail(400, {"error": {"message": f"no {HOSTILE}"}})
        if where == "lookup":
            server.api_key, server.key_errors = "another", ({"detail": HOSTILE}, {"detail": HOSTILE})
        result = run(*arguments, TABBY_LS_BACKEND_URL=server.url, TABBY_LS_API_KEY="k3y-of-mine")
        assert server.requests
    assert is_fit(result.stdout + result.stderr)
    assert "Traceback" not in result.stderr
    if where in ("error", "lookup"):
        assert "\\x1b" in result.stdout + result.stderr, "it is said, and written out"


def test_a_files_name_and_its_text_command_none(run: Run, tmp_path: Path) -> None:
    name = "a\x1b[2J\u202e.py"
    (tmp_path / name).write_text(f"total = 1\n# {HOSTILE}\ntotal = \n")
    with ScriptedTabbyAPI() as server:
        server.reply("1\n")
        for arguments in ((f"{name}:3",), (f"{name}:9",), (f"{name}:3", "--show-prompt")):
            result = run("complete", *arguments, TABBY_LS_BACKEND_URL=server.url)
            assert is_fit(result.stdout + result.stderr), arguments
        assert is_fit(run("index", name).stderr)
        assert is_fit(run("check", "--backend", HOSTILE).stderr)


def test_a_trace_and_counts_from_elsewhere_command_none(run: Run, tmp_path: Path) -> None:
    record = {
        "time": "2026-01-02T03:04:05+00:00",
        "request": 1,
        "file": f"file:///{HOSTILE}.py",
        "language": HOSTILE,
        "line": 1,
        "trigger": "key",
        "reason": "backend_failed",
        "detail": HOSTILE,
        "model": HOSTILE,
        "rule": HOSTILE,
    }
    (tmp_path / "trace").write_text(
        json.dumps(record) + "\n" + json.dumps(record | {"reason": "shown", "shown": 1}) + "\n"
    )
    result = run("why", "trace", "--all")
    assert result.stdout.count("\n") == 2, result.stderr
    assert is_fit(result.stdout)
    state = tmp_path / ".local" / "state" / "tabby-ls"
    state.mkdir(parents=True)
    counts = {HOSTILE: {HOSTILE: {"requests": 1, "shown": 1}}, "local": {HOSTILE: {"requests": 1}}}
    (state / "stats.json").write_text(json.dumps({"version": 1, "since": HOSTILE, "counts": counts}))
    for more in ((), ("--json",)):
        result = run("stats", *more)
        assert result.returncode == 0, result.stderr
        assert is_fit(result.stdout)


@pytest.mark.parametrize("name", ['x"\n[backend]\napi_key_command = ["evil"]\n#', "a\nb", '"', HOSTILE])
def test_lines_to_paste_hold_nothing_but_settings_of_ours(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name of a model is what any program on a known port says it is."""
    found = Found("ollama", "Ollama", "", "http://127.0.0.1:11434", models=(name, "other"))
    said, _, lines = "\n".join(discover.to_paste([found], Settings(), {})).partition("\n\n")
    assert is_fit(said)
    data = tomllib.loads(lines)
    assert data == {"backend": {"url": "http://127.0.0.1:11434"}}


async def test_messages_and_the_status_in_an_editor_are_fit_to_be_shown(tmp_path: Path) -> None:
    with ScriptedTabbyAPI(model=f"Qwen2.5-Coder-{HOSTILE}") as server:
        server.fail(400, {"error": {"message": HOSTILE}})
        async with Editor(tmp_path, WITH_PLUGIN, backend=server.url) as editor:
            editor.open("x = |\n")
            assert await editor.ghost(invoked=True) == []
            await eventually(lambda: editor.states[-1:] == ["error"])
            why = await editor.run("tabby-ls.why")
        async with Editor(tmp_path, backend=server.url, settings={"log": {"level": "debug"}}) as other:
            other.open("x = |\n")
            assert await other.ghost(invoked=True) == []
            await eventually(lambda: other.messages)
    told = [why, other.stderr, *other.messages, *(f"{it.backend} {it.message}" for it in editor.statuses)]
    assert all(map(is_fit, told))
    assert any("\\x1b" in text for text in told)
