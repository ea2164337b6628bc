"""What happens while the user goes on typing: what is kept, what ends, and how often the backend is asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcRequestCancelled

from tests.support.editor import Editor
from tests.support.profiles import VS_CODE
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_typed_ahead_costs_no_second_request(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("return a + b\n")
    editor.open("def add(a, b):\n    |\n")
    await editor.ghost()
    for key in "return ":
        editor.type(key)
        (item,) = await editor.ghost()
        assert f"    return {item.insert_text}".endswith("a + b")
    editor.accept(item)
    assert editor.shown == "def add(a, b):\n    return a + b|\n"
    assert len(backend.completions) == 1


async def test_what_is_deleted_and_typed_again_costs_no_second_request(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("return a + b\n")
    editor.open("def add(a, b):\n    |\n")
    await editor.ghost()
    editor.type("ret")
    editor.backspace()
    (item,) = await editor.ghost()
    assert item.insert_text == "turn a + b"
    assert len(backend.completions) == 1


async def test_a_bracket_the_editor_closes_is_no_contradiction(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("print(items)\n")
    editor.open("for item in items:\n    |\n")
    await editor.ghost()
    editor.type("print(", closing=")")
    (item,) = await editor.ghost()
    editor.accept(item)
    assert editor.buffer.text == "for item in items:\n    print(items)\n"
    assert len(backend.completions) == 1


async def test_typing_along_keeps_a_running_stream(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("return total + 1\n", delay_between=0.15)
    editor.open("def f(total):\n    |\n")
    first = editor.ask_ghost()
    await eventually(lambda: backend.completions and backend.completions[0].pieces_sent)
    editor.type("re")
    second = editor.ask_ghost()
    assert await first is None
    (item,) = (await second).items
    assert item.insert_text == "turn total + 1"
    assert len(backend.completions) == 1
    await eventually(lambda: backend.completions[0].ended)


async def test_typing_along_without_asking_again_keeps_it_too(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("return total + 1\n", delay_between=0.05)
    editor.open("def f(total):\n    |\n")
    first = editor.ask_ghost()
    await eventually(lambda: backend.completions and backend.completions[0].pieces_sent)
    editor.type("ret")
    assert await first is not None
    (item,) = await editor.ghost()
    assert item.insert_text == "urn total + 1"
    assert len(backend.completions) == 1


async def test_typing_something_else_closes_the_connection(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply(["return", " a", " +", " b", *[" + b"] * 200], delay_between=0.05)
    editor.open("def add(a, b):\n    |\n")
    first = editor.ask_ghost()
    await eventually(lambda: backend.completions and backend.completions[0].pieces_sent > 2)
    editor.type("x")
    await eventually(lambda: backend.completions[0].ended == "closed by client")
    assert await first is None
    backend.reply(" = a\n")
    (item,) = await editor.ghost()
    editor.accept(item)
    assert editor.shown == "def add(a, b):\n    x = a|\n"


async def test_a_request_that_has_no_answer_yet_is_superseded_at_once(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("2\n")
    backend.reply("1\n", ending="hang before headers", times=1)
    editor.open("x = |\n")
    first = editor.ask_ghost()
    await eventually(lambda: backend.completions)
    editor.replace("x = ", "y = ")
    second = editor.ask_ghost()
    assert await first is None
    assert (await second).items[0].insert_text == "2"
    await eventually(lambda: backend.completions[0].ended == "closed by client")


async def test_moving_the_cursor_supersedes_too(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply_endlessly("1 + ")
    editor.open("x = |\ny = \n")
    first = editor.ask_ghost()
    await eventually(lambda: backend.completions and backend.completions[0].pieces_sent > 10)
    editor.go("x = \ny = |\n")
    second = editor.ask_ghost()
    assert await first is None
    await eventually(lambda: len(backend.completions) == 2)
    await eventually(lambda: backend.completions[0].ended == "closed by client")
    editor.cancel(second)


async def test_a_request_taken_back_is_answered_so_and_closes_the_connection(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply_endlessly("1 + ")
    editor.open("x = |\n")
    ask = editor.ask_ghost()
    await eventually(lambda: backend.open_streams)
    editor.cancel(ask)
    with pytest.raises(JsonRpcRequestCancelled):
        await ask
    await eventually(lambda: backend.completions[0].ended == "closed by client")


async def test_a_request_taken_back_and_asked_again_one_key_later_keeps_its_stream(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("return total + 1\n", delay_between=0.1)
    editor.open("def f(total):\n    |\n")
    first = editor.ask_ghost()
    await eventually(lambda: backend.completions and backend.completions[0].pieces_sent)
    editor.type("r")
    editor.cancel(first)
    (item,) = await editor.ghost()
    assert item.insert_text == "eturn total + 1"
    assert len(backend.completions) == 1


async def test_closing_the_document_closes_the_connection(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply_endlessly("1 + ")
    editor.open("x = |\n")
    ask = editor.ask_ghost()
    await eventually(lambda: backend.open_streams)
    editor.close()
    await eventually(lambda: backend.completions[0].ended == "closed by client")
    assert await ask is None


async def test_a_fast_burst_makes_few_requests(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    """All of it is sent at once: pauses between the keys would be as long as a busy machine makes them."""
    backend.reply("1\n")
    editor.open("|\n")
    asks = []
    for key in "the_quick_brown_fox_jumps_over":
        editor.type(key)
        asks.append(editor.ask_ghost())
    await asyncio.gather(*asks)
    assert len(backend.completions) <= 10
    assert "fox_jumps_over<|fim_suffix|>" in backend.completions[-1].body["prompt"]


async def test_the_menu_and_ghost_text_share_one_request(tmp_path, backend: ScriptedTabbyAPI) -> None:
    backend.reply("a + b\n", delay_between=0.02)
    async with Editor(tmp_path, VS_CODE, backend=backend.url, settings={"menu": {"show": "on"}}) as editor:
        editor.open("def add(a, b):\n    return |\n")
        menu, ghost = editor.ask_menu(), editor.ask_ghost()
        assert (await ghost).items[0].insert_text == "a + b"
        assert (await menu).items[0].text_edit.new_text == "a + b"
        assert len(backend.completions) == 1


async def test_the_answer_has_the_range_it_was_asked_for(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    """Text typed while the answer is on its way moves nothing: the client knows what it typed."""
    backend.reply("'😀', b)", delay_before_first=0.3)
    editor.open("print(a, |)\n")
    where = types.Range(types.Position(0, 9), types.Position(0, 9))
    ask = editor.ask_ghost()
    await eventually(lambda: backend.completions)
    editor.type("'")
    editor.type("😀")
    (item,) = (await ask).items
    assert (item.insert_text, item.range) == ("'😀', b", where)


async def test_a_request_sees_the_document_as_it_was_when_it_was_sent(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("12\n")
    editor.open("x = |\n")
    ask = editor.ask_ghost()
    editor.type("1")
    (item,) = (await ask).items
    assert "x = <|fim_suffix|>\n<" in backend.completions[0].body["prompt"]
    assert item.insert_text == "12"


async def test_by_key_there_are_several_suggestions_to_cycle_through(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    drawn = iter(["2\n", "3\n"])
    backend.reply(lambda prompt: next(drawn, "1\n"))
    editor.open("x = |\n")
    items = await editor.ghost(invoked=True)
    assert sorted(item.insert_text for item in items) == ["1", "2", "3"]
    # They run side by side, and come in any order.
    likeliest, *others = sorted(request.body["temperature"] for request in backend.completions)
    assert likeliest == 0
    assert all(others)


async def test_after_taking_a_line_and_enter_the_next_one_is_there(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("a = 1\n    b = 2\n    c = 3\n")
    editor.open("def f():\n    pass\n    |\n")
    (item,) = await editor.ghost()
    assert item.insert_text == "a = 1"
    await eventually(lambda: backend.completions[0].ended)
    editor.accept(item)
    editor.type("\n    ")
    (item,) = await editor.ghost()
    assert item.insert_text == "b = 2"
    assert len(backend.completions) == 1


async def test_a_menu_that_is_asked_at_each_key_gets_one_item_and_asks_rarely(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    """The kind of trigger is `Invoked` while typing, and no wish for more."""
    backend.reply("compute(a, b)\n")
    settings = {"menu": {"show": "on"}, "prefetch": False}
    async with Editor(tmp_path, VS_CODE, backend=backend.url, settings=settings) as editor:
        editor.open("x = |\n")
        assert len((await editor.menu()).items) == 1
        for key in "compute(":
            editor.type(key)
            assert len((await editor.menu()).items) == 1
        assert len(backend.completions) == 1
