"""The first run: no server is named, and the user is told so in one message, once ever."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.support.editor import Editor, write_config
from tests.support.profiles import WITH_PLUGIN
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

LINES = "first = read_settings(folder, encoding)\nsecond = read_sett|\n"


async def test_it_works_at_once_and_says_with_what(tmp_path: Path) -> None:
    async with Editor(tmp_path, is_first_run=True) as editor:
        editor.open(LINES)
        (item,) = await editor.ghost(invoked=True)
        assert str(item.insert_text).startswith("ings(folder")
        await eventually(lambda: editor.messages)
        (message,) = editor.messages
        assert "local model" in message
        assert "`tabby-ls check --discover`" in message
    async with Editor(tmp_path, is_first_run=True) as editor:
        editor.open(LINES)
        assert await editor.ghost(invoked=True)
    assert editor.messages == []


async def test_where_a_command_asks_for_the_address_that_is_named(tmp_path: Path) -> None:
    params: dict[str, Any] = copy.deepcopy(dict(WITH_PLUGIN))
    params["capabilities"]["experimental"]["tabby-ls"]["connectCommand"] = "Connect a Server"
    async with Editor(tmp_path, params, is_first_run=True) as editor:
        await eventually(lambda: editor.messages)
        (message,) = editor.messages
    assert "The command Connect a Server" in message
    assert "`tabby-ls" not in message


@pytest.mark.parametrize("where", ["file", "environment", "editor", "by name"])
async def test_nobody_is_told_who_has_settings(tmp_path: Path, backend: ScriptedTabbyAPI, where: str) -> None:
    backend.reply("ings(folder)\n")
    environment, settings = {}, {}
    match where:
        case "file":
            write_config(tmp_path, "max_tokens = 64\n")
        case "environment":
            environment = {"TABBY_LS_BACKEND_URL": backend.url}
        case "editor":
            settings = {"backend": {"url": backend.url}}
        case "by name":
            settings = {"backend": {"kind": "local"}}
    async with Editor(tmp_path, is_first_run=True, environment=environment, settings=settings) as editor:
        editor.open(LINES)
        assert await editor.ghost(invoked=True)
    assert editor.messages == []
    assert not (tmp_path / "state" / "tabby-ls" / "welcomed").exists()


async def test_whose_settings_cannot_be_used_is_told_that_alone(tmp_path: Path) -> None:
    async with Editor(tmp_path, is_first_run=True, settings={"backend": {"url": "127.0.0.1:5000"}}) as editor:
        editor.open(LINES)
        assert await editor.ghost(invoked=True)
    (message,) = editor.messages
    assert "the editor's settings (initializationOptions): must begin with http://" in message


async def test_where_it_cannot_be_remembered_nobody_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    async with Editor(tmp_path, is_first_run=True) as editor:
        editor.open(LINES)
        assert await editor.ghost(invoked=True)
    assert editor.messages == []
