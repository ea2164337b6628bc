"""What a session leaves behind: a trace, counts, and answers to "why?", all of it on this machine only."""

from __future__ import annotations

import json
from pathlib import Path

from tabby_ls.engine.outcome import Reason
from tabby_ls.journal.counters import Counts
from tabby_ls.journal.store import Store
from tabby_ls.journal.trace import read
from tests.support.editor import Editor
from tests.support.ports import free_port
from tests.support.profiles import VS_CODE, WITH_PLUGIN
from tests.support.tabbyapi import ScriptedTabbyAPI


def counts(folder: Path) -> Counts:
    """What all sessions at home in a folder have stored."""
    return Store(folder / "state" / "tabby-ls").load()[0].counters.total()


# --- the trace ---


async def test_a_trace_says_what_came_of_each_request(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    path = tmp_path / "trace.jsonl"
    backend.reply("confidential(1)\n")
    settings = {"trace": {"file": str(path)}}
    async with Editor(tmp_path, backend=backend.url, settings=settings) as editor:
        editor.open("password_hash = |\n")
        assert await editor.ghost()
        editor.type("conf")
        assert await editor.ghost(invoked=True)
        editor.open("TOKEN=|\n", uri="file:///home/user/project/.env")
        await editor.ghost()
    records, strange = read(path)
    assert strange == 0
    assert [(r.file, r.reason, r.trigger) for r in records] == [
        ("code_1.py", Reason.SHOWN, "typing"),
        ("code_1.py", Reason.SHOWN, "key"),
        (".env", Reason.PRIVATE_FILE, "typing"),
    ]
    assert [r.request for r in records] == [1, 2, 3]
    text = path.read_text("utf-8")
    for private in ("confidential", "password_hash", "TOKEN", "/home/user"):
        assert private not in text


async def test_code_in_the_trace_only_by_the_users_own_settings(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    path = tmp_path / "trace.jsonl"
    backend.reply("confidential(1)\n")
    for code in (False, True):
        trace = {"file": str(path), "code": code}
        async with Editor(
            tmp_path, backend=backend.url, settings={"trace": trace}, configuration={"trace": {"code": True}}
        ) as editor:
            editor.open("x = |\n")
            assert await editor.ghost()
            assert len(editor.messages) == (0 if code else 1), "a project may not ask for that"
    without, with_code = map(json.loads, path.read_text("utf-8").splitlines())
    assert "code" not in without
    assert with_code["code"] == {"before": "x = ", "after": "\n", "suggestion": "confidential(1)"}


async def test_a_trace_that_cannot_be_written_is_told_once(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    (tmp_path / "file").write_text("")
    backend.reply("1\n")
    settings = {"trace": {"file": str(tmp_path / "file" / "trace")}}
    async with Editor(tmp_path, backend=backend.url, settings=settings) as editor:
        editor.open("x = |\n")
        assert await editor.ghost()
    (message,) = editor.messages
    assert message.startswith("tabby-ls: trace.file cannot be written")


# --- why ---


async def test_an_editor_that_asks_for_a_menu_only_is_told_why_it_is_silent(tmp_path: Path) -> None:
    async with Editor(tmp_path, VS_CODE) as editor:
        editor.open("x = |\n")
        assert not (await editor.menu()).items
        assert "`menu.show`" in await editor.run("tabby-ls.why")


# --- counts ---


async def test_what_is_taken_without_a_word_is_counted(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    """Editors that never report an acceptance."""
    backend.reply("compute(y)\n")
    async with Editor(tmp_path, backend=backend.url) as editor:
        editor.open("x = |\n")
        (item,) = await editor.ghost()
        editor.accept(item)
        editor.open("z = |\n")
        await editor.ghost()
        for key in "compute(y)":
            editor.type(key)
            if editor.shown != "z = compute(y)|\n":
                await editor.ghost()
        editor.open("w = |\n")
        await editor.ghost()
        editor.type("other")
        await editor.settle()
    counted = counts(tmp_path)
    assert (counted.shown, counted.accepted, counted.typed_through, counted.characters_kept) == (3, 1, 1, 10)
    assert counted.from_memory == 9


async def test_sessions_add_up(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    backend.reply("1\n")
    async with Editor(tmp_path, backend=backend.url) as one, Editor(tmp_path, backend=backend.url) as other:
        for editor in (one, other):
            editor.open("x = |\n")
            assert await editor.ghost()
    assert counts(tmp_path).shown == 2
    async with Editor(tmp_path, backend=backend.url) as editor:
        table = await editor.run("tabby-ls.stats")
        shown = next(line for line in table.splitlines() if line.startswith("suggestions shown"))
        assert shown.split()[-2:] == ["0", "2"], "in this session, and in all"


async def test_nothing_is_counted_where_the_user_does_not_want_it(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("1\n")
    async with Editor(tmp_path, WITH_PLUGIN, backend=backend.url, settings={"stats": False}) as editor:
        editor.open("x = |\n")
        assert await editor.ghost()
        assert "`stats` is false" in await editor.run("tabby-ls.stats")
    assert not (tmp_path / "state" / "tabby-ls" / "stats.json").exists()


async def test_a_server_that_is_down_is_told_with_what_to_do(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    async with Editor(tmp_path, backend=address) as editor:
        editor.open("x = |\n")
        for _ in range(2):
            assert await editor.ghost() == []
            told = await editor.run("tabby-ls.why")
            assert told.count(f"The server at {address} cannot be reached; is it running?") == 1
            assert "asked again in" in told
            assert "by key" in told
    counted = counts(tmp_path)
    assert (counted.backend_requests, counted.backend_failures) == (1, 1)


async def test_why_tells_where_an_answer_ended_and_how_long_it_took(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("compute(y)\nz = 2\n")
    async with Editor(tmp_path, backend=backend.url) as editor:
        editor.open("x = |\n")
        assert await editor.ghost()
        told = await editor.run("tabby-ls.why")
        assert "10 characters suggested by TabbyAPI: Qwen2.5-Coder-1.5B-exl3." in told
        assert "until the line was complete" in told
        assert "its first text came" in told
