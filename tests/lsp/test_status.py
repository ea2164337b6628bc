"""What an editor with a plugin of ours is notified of: who answers, and why nothing comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.editor import Editor
from tests.support.ports import free_port
from tests.support.profiles import WITH_PLUGIN
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

SERVER = "TabbyAPI: Qwen2.5-Coder-1.5B-exl3"


async def test_it_begins_idle_and_names_the_model_once_that_is_known(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    async with Editor(tmp_path, WITH_PLUGIN, backend=backend.url) as editor:
        await eventually(lambda: len(editor.statuses) == 2)
        assert [(s.state, s.backend, s.message) for s in editor.statuses] == [
            ("idle", backend.url.replace("http://", "server at "), ""),
            ("idle", SERVER, ""),
        ]
        backend.reply("1\n")
        editor.open("x = |\n")
        assert await editor.ghost()
        editor.type("1")
        await editor.ghost()
        await editor.settle()
        assert len(editor.statuses) == 2, "an answer that comes soon changes nothing"


async def test_with_no_server_the_local_model_answers(tmp_path: Path) -> None:
    async with Editor(tmp_path, WITH_PLUGIN) as editor:
        await eventually(lambda: editor.statuses)
        assert editor.statuses[0].backend == "local model"


async def test_a_slow_answer_is_thought_about_and_taken_back_in_time(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("return total\n", ending="hang before headers")
    async with Editor(tmp_path, WITH_PLUGIN, backend=backend.url) as editor:
        editor.open("def f(total):\n    |\n")
        ask = editor.ask_ghost()
        await eventually(lambda: editor.states[-1:] == ["thinking"] and editor.statuses[-1].backend == SERVER)
        editor.cancel(ask)
        await eventually(lambda: editor.states[-1] == "idle")


async def test_what_ends_in_a_file_that_was_left_does_not_change_it(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("1\n", ending="hang before headers")
    async with Editor(tmp_path, WITH_PLUGIN, backend=backend.url) as editor:
        editor.open("x = |\n")
        ask = editor.ask_ghost()
        await eventually(lambda: editor.states[-1:] == ["thinking"] and editor.statuses[-1].backend == SERVER)
        entered = await editor.run("tabby-ls.status", {"uri": (tmp_path / ".env").as_uri()})
        assert entered["state"] == "off"
        told = len(editor.states)
        editor.cancel(ask)
        await eventually(lambda: backend.completions[0].ended)
        await editor.settle()
        assert editor.states[told:] == []


async def test_a_server_that_is_down_is_an_error_until_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    async with Editor(tmp_path, WITH_PLUGIN, backend=address) as editor:
        editor.open("x = |\n")
        for key in "ab":
            editor.type(key)
            assert await editor.ghost() == []
        await eventually(lambda: editor.states == ["idle", "error"])
        assert editor.statuses[-1].message == f"the server at {address} cannot be reached; is it running?"
        with ScriptedTabbyAPI(port=port) as backend:
            backend.reply("cd\n")
            (item,) = await eventually(editor.ghost)
            assert item.insert_text == "cd"
            await eventually(lambda: editor.states[-1] == "idle")
            assert editor.statuses[-1].backend == SERVER
        assert editor.messages == [], "its plugin has a place for that"


async def test_it_says_so_when_suggestions_are_off(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    async with Editor(tmp_path, WITH_PLUGIN, backend=backend.url, configuration={"enabled": False}) as editor:
        await eventually(lambda: editor.states[-1:] == ["off"])
        assert "`enabled`" in editor.statuses[-1].message
        editor.configuration = {"enabled": True}
        editor.settings_changed()
        await eventually(lambda: editor.states[-1] == "idle")


@pytest.mark.parametrize(
    ("settings", "name", "why"),
    [
        ({}, ".env", "keys or passwords"),
        ({"exclude": ["secret/"]}, "secret/a.py", "`exclude`"),
        ({"disabled_languages": ["python"]}, "a.py", "`disabled_languages`"),
    ],
)
async def test_where_nothing_is_ever_suggested_it_is_off(
    tmp_path: Path, backend: ScriptedTabbyAPI, settings: dict[str, object], name: str, why: str
) -> None:
    async with Editor(tmp_path, WITH_PLUGIN, backend=backend.url, settings=settings) as editor:
        editor.open("x = |\n", uri=f"file:///home/user/project/{name}")
        assert await editor.ghost(invoked=True) == []
        await eventually(lambda: editor.states[-1] == "off")
        assert why in editor.statuses[-1].message
        editor.open("x = |\n", language="ruby")
        backend.reply("1\n")
        assert await editor.ghost()
        await eventually(lambda: editor.states[-1] == "idle")
