"""Menu items: in time, and only where they are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.support.editor import Editor
from tests.support.profiles import GHOST_TEXT, MENU_ONLY, VS_CODE, recorded, with_encoding
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

TRIGGERS = [".", "(", "[", "{", ",", "=", ":", "/", " "]
MENU_ON = {"menu": {"show": "on"}}
EDITORS: dict[str, Mapping[str, Any]] = {
    "Neovim": recorded("nvim"),
    "Helix": recorded("helix"),
    "VS Code": VS_CODE,
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_the_range_begins_at_the_word_in_any_encoding(
    tmp_path: Path, backend: ScriptedTabbyAPI, encoding: str
) -> None:
    backend.reply("e(1)")
    async with Editor(tmp_path, with_encoding(MENU_ONLY, encoding), backend=backend.url) as editor:
        editor.open("'😀é\u2028' + f(𝒳größ|)\n")
        (item,) = (await editor.menu()).items
        editor.accept(item)
        assert editor.buffer.text == "'😀é\u2028' + f(𝒳größe(1))\n"


# --- time ---


async def test_a_menu_that_cannot_wait_gets_what_is_there(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    backend.reply("    a = 1\n    b = 2\n", ending="hang", after=6)
    settings = {"menu": {"deadline_ms": 400}}
    async with Editor(tmp_path, MENU_ONLY, backend=backend.url, settings=settings) as editor:
        editor.open("def f():\n|\n")
        answer = await editor.menu()
        assert answer.is_incomplete
        (item,) = answer.items
        assert item.text_edit.new_text == "    a = 1"


async def test_a_list_without_items_is_never_incomplete(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    """Helix takes such a list for the first answer, and then drops the items of slower servers."""
    backend.reply("a = 1\n", ending="hang before headers")
    async with Editor(tmp_path, recorded("eglot"), backend=backend.url) as editor:
        editor.open("def f():\n    |\n")
        assert not (await editor.menu()).is_incomplete


async def test_a_menu_request_that_is_superseded_is_answered(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("2\n")
    backend.reply("1\n", ending="hang before headers", times=1)
    async with Editor(tmp_path, MENU_ONLY, backend=backend.url) as editor:
        editor.open("x = |\n")
        first = editor.ask_menu()
        await eventually(lambda: backend.completions)
        editor.replace("x = ", "y = ")
        second = editor.ask_menu()
        answer = await first
        assert (answer.items, answer.is_incomplete) == ((), False)
        assert (await second).items[0].text_edit.new_text == "2"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
async def test_letters_that_contradict_what_was_to_come_are_answered_too(
    tmp_path: Path, backend: ScriptedTabbyAPI, encoding: str
) -> None:
    """Helix does not ask for them while the request at the space is out and another server's items are shown."""
    backend.reply(lambda prompt: "ück(a)\n" if "= gl<" in prompt else "1\n", delay_before_first=0.1)
    async with Editor(tmp_path, with_encoding(MENU_ONLY, encoding), backend=backend.url) as editor:
        editor.open("'😀'; x = |]\n")
        there = editor.buffer.position(editor.buffer.cursor)
        first = editor.ask_menu()
        await eventually(lambda: backend.completions)
        editor.type("gl")
        (item,) = (await first).items
        assert item.filter_text == item.text_edit.new_text == "glück(a)"
        assert item.text_edit.range == types.Range(there, there)


async def test_letters_that_several_cursors_type(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    """What the others type contradicts what was asked too."""
    backend.reply(lambda prompt: "um(a)\n" if "x = s<" in prompt else "1\n", delay_before_first=0.1)
    async with Editor(tmp_path, recorded("helix"), backend=backend.url) as editor:
        editor.open("x = |\ny = \n")
        first = editor.ask_menu()
        await eventually(lambda: backend.completions)
        here, other = editor.buffer.cursor, "\ny = s"
        editor.edit(here, here + len(other) - 1, f"s{other}", back=len(other))
        (item,) = (await first).items
        assert item.text_edit.new_text == "sum(a)"


async def test_no_menu_opens_for_a_bracket_unasked(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    backend.reply(")\n")
    async with Editor(tmp_path, recorded("helix"), backend=backend.url) as editor:
        editor.open("x = f(a, |\n")
        assert not (await editor.menu()).items
        assert (await editor.menu(invoked=True)).items


# --- by key ---


@pytest.mark.parametrize("marked", ["def f():\n|\n", "def f():\n\t|\n", "x = f(|)\n"])
async def test_the_key_asks_where_the_editor_itself_would_not_ask_so(
    tmp_path: Path, backend: ScriptedTabbyAPI, marked: str
) -> None:
    """`Invoked` is what Helix sends for a word that is typed too, but not at such a place."""
    backend.reply("1\n")
    settings = {"trigger": "manual"}
    async with Editor(tmp_path, recorded("helix"), backend=backend.url, settings=settings) as editor:
        editor.open(marked)
        assert not (await editor.menu()).items
        assert (await editor.menu(invoked=True)).items


async def test_the_key_behind_a_word(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    """Helix asks there by itself, once: the second request is by key."""
    backend.reply("f(a)\n")
    settings = {"trigger": "manual"}
    async with Editor(tmp_path, recorded("helix"), backend=backend.url, settings=settings) as editor:
        editor.open("x = sel|\n")
        assert not (await editor.menu()).items
        assert (await editor.menu(invoked=True)).items
        editor.type("x")
        assert not (await editor.menu()).items


async def test_who_asks_by_key_waits_longer(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    backend.reply("1\n", delay_before_first=0.5)
    settings = {"menu": {"deadline_ms": 20}}
    async with Editor(tmp_path, recorded("helix"), backend=backend.url, settings=settings) as editor:
        editor.open("x = |\n")
        assert not (await editor.menu()).items
        editor.type("\n")
        assert (await editor.menu(invoked=True)).items


async def test_an_editor_that_asks_by_key_only_needs_no_trigger_characters(tmp_path: Path) -> None:
    """Helix asks all its servers at one's characters: their menus would open too, and ours stay empty."""
    async with Editor(tmp_path, recorded("helix"), settings={"trigger": "manual"}) as editor:
        menu = editor.capabilities.completion_provider
        assert menu is not None
        assert not menu.trigger_characters


# --- where it is wanted ---


@pytest.mark.parametrize(
    ("editor_name", "show", "offered"),
    [
        ("Helix", "auto", True),
        ("Helix", "off", False),
        ("VS Code", "auto", False),
        ("VS Code", "on", True),
        ("VS Code", "off", False),
        ("Neovim", "auto", True),
        ("Neovim", "off", False),
    ],
)
async def test_menu_items_are_offered_where_no_ghost_text_is_shown_or_the_user_says_so(
    tmp_path: Path, backend: ScriptedTabbyAPI, editor_name: str, show: str, offered: bool
) -> None:
    backend.reply("1\n")
    settings = {"menu": {"show": show}}
    async with Editor(tmp_path, EDITORS[editor_name], backend=backend.url, settings=settings) as editor:
        editor.open("x = |\n")
        assert bool((await editor.menu()).items) == offered
        assert bool(backend.completions) == offered


async def test_neovims_menu_ends_where_its_ghost_text_begins(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    """It always claims to show ghost text, but does so only if the user has switched it on."""
    backend.reply("1\n")
    async with Editor(tmp_path, recorded("nvim"), backend=backend.url) as editor:
        editor.open("x = |\n")
        assert (await editor.menu()).items
        assert await editor.ghost()
        assert not (await editor.menu()).items


async def test_the_menu_is_registered_when_it_is_wanted(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    def triggers() -> list[Any]:
        return [list(one.register_options["triggerCharacters"]) for one in editor.registrations]

    async def change(configuration: Any, expected: list[Any]) -> None:
        editor.configuration = configuration
        editor.settings_changed()
        await eventually(lambda: triggers() == expected)

    async with Editor(tmp_path, VS_CODE, backend=backend.url) as editor:
        assert triggers() == []
        await change(MENU_ON, [TRIGGERS])
        assert editor.registrations[0].method == "textDocument/completion"
        await change({"menu": {"show": "on", "trigger_characters": ["."]}}, [["."]])
        await change({"menu": {"show": "off"}}, [])
        await change(MENU_ON, [TRIGGERS])
        backend.reply("1\n")
        editor.open("x = |\n")
        assert (await editor.menu()).items


async def test_trigger_characters_are_the_users_choice(tmp_path: Path) -> None:
    settings = {"menu": {"trigger_characters": ["@"]}}
    async with Editor(tmp_path, recorded("helix"), settings=settings) as editor:
        menu = editor.capabilities.completion_provider
        assert menu is not None
        assert list(menu.trigger_characters or ()) == ["@"]


async def test_an_editor_with_ghost_text_only_is_offered_no_items(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    async with Editor(tmp_path, GHOST_TEXT, backend=backend.url) as editor:
        editor.open("x = |\n")
        assert (await editor.menu()).items == ()
        assert backend.completions == []
