"""What is known or running already serves what the user types into it."""

from __future__ import annotations

import asyncio

from tabby_ls.engine.outcome import Origin, Reason
from tabby_ls.engine.snapshot import Suggestion
from tests.engine.conftest import EngineFactory
from tests.support.fake_backend import FakeBackend
from tests.support.typist import Typist, text_of
from tests.support.waiting import eventually

# Typing ahead


async def test_typing_a_suggestion_is_answered_from_memory(engine_over: EngineFactory) -> None:
    backend = FakeBackend([" compute(a)\n"])
    typist = Typist(engine_over(backend), "x =|")
    assert text_of(await typist.ask()) == " compute(a)"
    for typed, rest in ((" ", "compute(a)"), ("comp", "ute(a)"), ("ute", "(a)")):
        typist.type(typed)
        outcome = await typist.ask()
        assert (text_of(outcome), outcome.origin) == (rest, Origin.MEMORY)
    typist.type("(", closed_by_editor=")")
    assert (await typist.ask()).suggestion == Suggestion("a)", replaces=1)
    assert len(backend.streams) == 1


async def test_behind_a_bracket_that_the_editor_closed_the_body_is_there(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["):\n    if n < 2:\n        return n\n    return 1\n"])
    typist = Typist(engine_over(backend), "def fib(n|)\n\nx = 1\n")
    assert (await typist.ask()).reason is Reason.ALREADY_THERE
    typist.type_over(")")
    outcome = await typist.ask()
    assert text_of(outcome) == ":\n    if n < 2:\n        return n\n    return 1"
    assert (outcome.origin, len(backend.streams)) == (Origin.MEMORY, 1)


async def test_once_the_line_is_taken_to_its_bracket_the_body_is_there(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["n) {\n  return n / 2;\n}\n"])
    typist = Typist(engine_over(backend), "function half(|)\n", "javascript")
    suggestion = (await typist.ask()).suggestion
    assert suggestion == Suggestion("n)", replaces=1)
    typist.accept(suggestion)
    outcome = await typist.ask()
    assert text_of(outcome) == " {\n  return n / 2;\n}"
    assert (outcome.origin, len(backend.streams)) == (Origin.MEMORY, 1)


async def test_a_deleted_character_brings_the_suggestion_back(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["compute(a)"], ["!"])
    typist = Typist(engine_over(backend), "x = |")
    await typist.ask()
    typist.type("cx")
    await typist.ask()
    typist.backspace()
    assert text_of(await typist.ask()) == "ompute(a)"
    assert len(backend.streams) == 2


async def test_a_space_that_was_trimmed_does_not_part_the_typist_from_the_suggestion(
    engine_over: EngineFactory,
) -> None:
    backend = FakeBackend([" value", " # why"])
    typist = Typist(engine_over(backend), "x = |")
    assert text_of(await typist.ask()) == "value # why"
    typist.type("value ")
    outcome = await typist.ask()
    assert (text_of(outcome), outcome.origin) == ("# why", Origin.MEMORY)


async def test_several_lines_are_typed_ahead(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["\n    total = a + b\n    return total\n"])
    typist = Typist(engine_over(backend), "def add(a, b):|\n")
    assert text_of(await typist.ask()) == "\n    total = a + b\n    return total"
    typist.type("\n    total = a + b\n    ret")
    assert text_of(await typist.ask()) == "urn total"
    assert len(backend.streams) == 1


async def test_when_the_suggestion_is_used_up_the_backend_is_asked_again(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["foo(a)"], [".bar()"])
    typist = Typist(engine_over(backend), "x = |")
    first = await typist.ask()
    assert first.suggestion is not None
    typist.accept(first.suggestion)
    assert text_of(await typist.ask()) == ".bar()"


# Joining what runs


async def test_requests_for_the_same_state_share_one_stream(engine_over: EngineFactory) -> None:
    go = asyncio.Event()
    backend = FakeBackend([go, "1\n"])
    typist = Typist(engine_over(backend), "x = |")
    one, two = typist.ask(), typist.ask()
    await eventually(lambda: backend.streams)
    three = typist.ask()
    go.set()
    outcomes = await asyncio.gather(one, two, three)
    assert [text_of(outcome) for outcome in outcomes] == ["1", "1", "1"]
    assert [outcome.origin for outcome in outcomes] == [Origin.ASKED, Origin.RUNNING, Origin.RUNNING]
    assert len(backend.streams) == 1


async def test_typing_along_neither_restarts_nor_loses_the_stream(engine_over: EngineFactory) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    backend = FakeBackend([first, "comp", second, "ute(a, b)\n"])
    typist = Typist(engine_over(backend), "x = |")
    old = typist.ask()
    await eventually(lambda: backend.streams)
    typist.type("c")  # before anything has arrived
    newer = typist.ask()
    assert (await old).reason is Reason.SUPERSEDED
    first.set()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    typist.type("ompute(", closed_by_editor=")")  # beyond what has arrived
    newest = typist.ask()
    assert (await newer).reason is Reason.SUPERSEDED
    second.set()
    outcome = await newest
    assert (outcome.suggestion, outcome.origin) == (Suggestion("a, b)", replaces=1), Origin.RUNNING)
    assert len(backend.streams) == 1


async def test_a_closer_in_an_edit_of_its_own_does_not_end_the_stream(engine_over: EngineFactory) -> None:
    go = asyncio.Event()
    backend = FakeBackend(["f", go, "(a)\n"])
    typist = Typist(engine_over(backend), "x = |")
    typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    typist.type("f(", closed_by_editor=")", in_one_edit=False)
    asking = typist.ask()
    go.set()
    assert (await asking).suggestion == Suggestion("a)", replaces=1)
    assert len(backend.streams) == 1


async def test_if_the_joined_stream_says_something_else_the_backend_is_asked_again(
    engine_over: EngineFactory,
) -> None:
    go = asyncio.Event()
    backend = FakeBackend([go, "other"], ["z = 1"])
    typist = Typist(engine_over(backend), "|")
    typist.ask()
    await eventually(lambda: backend.streams)
    typist.type("xy")
    asking = typist.ask()
    await asyncio.sleep(0)
    go.set()
    outcome = await asking
    assert (text_of(outcome), outcome.origin) == ("z = 1", Origin.ASKED)
    assert backend.streams[0].is_closed
    assert backend.streams[1].infill.prefix == "xy"


async def test_if_the_whole_of_a_running_answer_was_typed_the_backend_is_asked_again(
    engine_over: EngineFactory,
) -> None:
    go = asyncio.Event()
    backend = FakeBackend(["ab", go], ["cd"])
    typist = Typist(engine_over(backend), "|")
    typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    typist.type("ab")
    asking = typist.ask()
    await asyncio.sleep(0)
    go.set()
    assert text_of(await asking) == "cd"


async def test_what_was_asked_for_by_key_stays_while_it_is_typed_and_no_longer(
    engine_over: EngineFactory,
) -> None:
    """With `trigger = "manual"` nothing is asked for while typing, and what is on the screen must not vanish."""
    backend = FakeBackend(["sum(rows)\n"])
    typist = Typist(engine_over(backend, trigger="manual", prefetch=True), "total = |\n")
    assert (await typist.ask()).reason is Reason.MANUAL_ONLY
    assert text_of(await typist.ask(invoked=True)) == "sum(rows)"
    for typed, rest in [("s", "um(rows)"), ("um(r", "ows)")]:
        typist.type(typed)
        assert text_of(await typist.ask()) == rest
    typist.type("ows)")
    assert (await typist.ask()).reason is Reason.MANUAL_ONLY
    typist.backspace()
    typist.type("]")
    assert (await typist.ask()).reason is Reason.MANUAL_ONLY
    assert len(backend.streams) == 1
