"""`workspace/executeCommand`: acceptance, why, stats, toggles and the status."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pygls.exceptions import JsonRpcException

from tests.support.editor import Editor
from tests.support.profiles import GHOST_TEXT, MENU_ONLY, WITH_PLUGIN
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

COMMANDS = {"accepted", "partiallyAccepted", "why", "stats", "toggle", "status"}


async def counted(editor: Editor) -> dict[str, int]:
    """What `tabby-ls.stats` says of this session."""
    table = await editor.run("tabby-ls.stats")
    rows = re.findall(r"^(\w.*?)  +(\d+)", table, re.MULTILINE)
    return {name: int(number) for name, number in rows}


async def test_the_commands_are_advertised(editor: Editor) -> None:
    provider = editor.capabilities.execute_command_provider
    assert provider is not None
    assert set(provider.commands) == {f"tabby-ls.{name}" for name in COMMANDS}


# --- acceptance ---


async def test_an_item_reports_its_acceptance(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("a + b)\n")
    editor.open("print(|)\n")
    (item,) = await editor.ghost()
    editor.accept(item)
    assert item.command is not None
    for _ in range(2):
        assert await editor.run(item.command.command, *(item.command.arguments or ())) is None
    counts = await counted(editor)
    assert counts["suggestions shown"] == counts["accepted"] == 1
    assert counts["characters kept"] == len("a + b")


async def test_so_does_a_menu_item(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    backend.reply("rint(x)\n")
    async with Editor(tmp_path, MENU_ONLY, backend=backend.url) as editor:
        editor.open("p|\n")
        (item,) = (await editor.menu()).items
        editor.accept(item)
        assert item.command is not None
        await editor.run(item.command.command, *(item.command.arguments or ()))
        counts = await counted(editor)
        assert counts["accepted"] == 1
        assert counts["characters kept"] == len("rint(x)")


async def test_part_of_it_is_counted_in_utf_16_units(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("'😀', 'b'\n")
    editor.open("x = |\n")
    (item,) = await editor.ghost()
    assert item.command is not None
    (argument,) = item.command.arguments or ()
    for length in (4, 4, 7):
        await editor.run("tabby-ls.partiallyAccepted", {**argument, "length": length})
    counts = await counted(editor)
    assert (counts["partially accepted"], counts["characters kept"]) == (1, len("'😀', '"))


async def test_what_was_never_suggested_cannot_be_accepted(editor: Editor) -> None:
    await editor.run("tabby-ls.accepted", {"id": "no such id"})
    await editor.run("tabby-ls.partiallyAccepted", {"id": "no such id", "length": 3})
    assert (await counted(editor))["accepted"] == 0


# --- why ---


async def test_why_says_so_before_anything_was_asked(editor: Editor) -> None:
    assert "Nothing has been asked yet" in await editor.run("tabby-ls.why")


async def test_why_names_the_server_that_another_stands_in_for(tmp_path: Path) -> None:
    settings = {"backend": {"url": "http://127.0.0.1:1"}}
    async with Editor(tmp_path, settings=settings) as editor:
        editor.open("zqx|\n")
        await editor.ghost()
        why = await editor.run("tabby-ls.why")
        assert why.startswith(
            "The server at http://127.0.0.1:1 cannot be reached; is it running? (meanwhile: local model). "
        )
        assert "The local model is not sure enough" in why


async def test_why_tells_of_the_last_request_or_of_a_files(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("1\n")
    first = editor.open("x = |\n")
    await editor.ghost()
    editor.open("TOKEN=|\n", uri="file:///home/user/project/.env")
    await editor.ghost()
    last = await editor.run("tabby-ls.why")
    assert ".env line 1" in last
    assert "keys or passwords" in last
    assert await editor.run("tabby-ls.why", {"uri": first.uri}) != last
    assert editor.messages[0] == f"tabby-ls: {last}", "an editor without our plugin is shown the answer"


async def test_a_plugin_shows_the_answers_itself(tmp_path: Path) -> None:
    async with Editor(tmp_path, WITH_PLUGIN) as editor:
        for name in ("why", "stats", "toggle", "status"):
            assert await editor.run(f"tabby-ls.{name}")
        assert editor.messages == []


# --- toggles ---


@pytest.mark.parametrize("scope", ["session", "language", "file"])
async def test_a_toggle_switches_off_and_on_again(
    editor: Editor, backend: ScriptedTabbyAPI, scope: str
) -> None:
    backend.reply("1\n")
    buffer = editor.open("x = |\n")
    assert await editor.ghost()
    off = await editor.run("tabby-ls.toggle", {"scope": scope, "uri": buffer.uri})
    assert off["enabled"] is False
    assert "off" in off["message"]
    assert editor.messages[-1] == f"tabby-ls: {off['message']}"
    assert await editor.ghost(invoked=True) == []
    assert "switched off" in await editor.run("tabby-ls.why")
    on = await editor.run("tabby-ls.toggle", {"scope": scope})
    assert on["enabled"] is True, "without a file it is the one that was asked about last"
    assert await editor.ghost()


async def test_only_what_was_switched_off_is_off(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("1\n")
    one = editor.open("x = |\n")
    other = editor.open("x = |\n")
    ruby = editor.open("x = |\n", language="ruby")
    await editor.run("tabby-ls.toggle", {"scope": "file", "uri": one.uri, "enabled": False})
    await editor.run("tabby-ls.toggle", {"scope": "language", "language": "ruby", "enabled": False})
    shown = {}
    for buffer in (one, other, ruby):
        editor.switch(buffer)
        shown[buffer.uri] = bool(await editor.ghost())
    assert shown == {one.uri: False, other.uri: True, ruby.uri: False}
    await editor.run("tabby-ls.toggle", {"scope": "file", "uri": ruby.uri, "enabled": True})
    assert await editor.ghost(), "a file's switch goes before its language's"


async def test_a_file_that_was_off_for_a_while_goes_off_with_its_language(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("1\n")
    editor.open("x = |\n")
    await editor.ghost()
    for enabled in (False, True):
        await editor.run("tabby-ls.toggle", {"scope": "file", "enabled": enabled})
    assert await editor.ghost()
    await editor.run("tabby-ls.toggle", {"scope": "language"})
    assert await editor.ghost() == []


async def test_a_switch_outlasts_settings_that_are_not_about_it(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("1\n")
    async with Editor(tmp_path, backend=backend.url, configuration={}) as editor:
        editor.open("x = |\n")
        await editor.run("tabby-ls.toggle")
        editor.configuration = {"max_tokens": 32}
        editor.settings_changed()
        assert await editor.ghost() == []
        editor.configuration = {"enabled": False}
        editor.settings_changed()
        assert await editor.ghost() == []
        editor.configuration = {"enabled": True}
        editor.settings_changed()
        assert await editor.ghost()


async def test_no_switch_opens_a_private_file(editor: Editor) -> None:
    buffer = editor.open("TOKEN=|\n", uri="file:///home/user/project/.env")
    answer = await editor.run("tabby-ls.toggle", {"scope": "file", "uri": buffer.uri, "enabled": True})
    assert "keys or passwords" in answer["message"]
    assert await editor.ghost(invoked=True) == []


async def test_switching_off_ends_what_runs(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("return total\n", ending="hang", after=1)
    editor.open("def f(total):\n    |\n")
    ask = editor.ask_ghost()
    await eventually(lambda: backend.open_streams == 1)
    await editor.run("tabby-ls.toggle")
    answer = await ask
    assert not answer.items, "nothing newer is coming that would clear the screen"
    await eventually(lambda: backend.open_streams == 0)


# --- status ---


async def test_the_status_is_that_of_the_file_it_is_asked_for(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    async with Editor(tmp_path, WITH_PLUGIN, backend=backend.url) as editor:
        env = editor.open("TOKEN=|\n", uri="file:///home/user/project/.env")
        code = editor.open("x = |\n")
        assert (await editor.run("tabby-ls.status"))["state"] == "idle"
        assert (await editor.run("tabby-ls.status", {"uri": env.uri}))["state"] == "off"
        await editor.run("tabby-ls.toggle", {"scope": "language", "language": "python", "enabled": False})
        status = await editor.run("tabby-ls.status", {"uri": code.uri})
        assert status["state"] == "off"
        assert "for this language" in status["message"]
        await editor.run("tabby-ls.toggle", {"scope": "session", "enabled": False})
        await eventually(lambda: editor.states[-1] == "off")


# --- what is wrong with a request ---


@pytest.mark.parametrize(
    ("command", "arguments", "why"),
    [
        ("accepted", [], '"id" is a string'),
        ("accepted", [{"id": 3}], '"id" is a string'),
        ("partiallyAccepted", [{"id": "1"}], '"length" is a whole number'),
        ("partiallyAccepted", [{"id": "1", "length": -1}], '"length" is a whole number'),
        ("partiallyAccepted", [{"id": "1", "length": True}], '"length" is a whole number'),
        ("why", ["main.py"], "the only argument is an object"),
        ("why", [{}, {}], "the only argument is an object"),
        ("toggle", [{"scope": "planet"}], '"scope" is "session", "language" or "file"'),
        ("toggle", [{"enabled": "yes"}], '"enabled" is true or false'),
        ("toggle", [{"scope": "file"}], "which file?"),
        ("toggle", [{"scope": "language"}], "which language?"),
        ("nonsense", [], "not defined"),
    ],
)
async def test_wrong_arguments_get_one_clear_error(
    editor: Editor, command: str, arguments: list[Any], why: str
) -> None:
    with pytest.raises(JsonRpcException) as error:
        await editor.run(f"tabby-ls.{command}", *arguments)
    assert error.value.code == -32602
    assert why in error.value.message
    assert editor.messages == []


@pytest.mark.parametrize("profile", [GHOST_TEXT, WITH_PLUGIN], ids=["plain", "plugin"])
async def test_commands_at_once_while_one_types_are_all_answered(
    tmp_path: Path, backend: ScriptedTabbyAPI, profile: Mapping[str, Any]
) -> None:
    backend.reply("def f():\n")
    async with Editor(tmp_path, profile, backend=backend.url) as editor:
        editor.open("|\n")
        asks = []
        for key in "def f":
            editor.type(key)
            asks.append(editor.ask_ghost())
            asks.append(editor.request("workspace/executeCommand", {"command": "tabby-ls.why"}))
            asks.append(editor.request("workspace/executeCommand", {"command": "tabby-ls.toggle"}))
        await asyncio.gather(*(ask.answer for ask in asks))
