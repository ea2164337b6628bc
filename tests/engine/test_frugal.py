"""Few requests and little thrown away: what is read on for, what is asked ahead, and who gives way to whom."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.engine.outcome import Origin, Reason
from tabby_ls.engine.snapshot import Suggestion
from tests.engine.conftest import EngineFactory
from tests.support.fake_backend import FakeBackend
from tests.support.typist import Typist, snapshot_at, text_of
from tests.support.waiting import eventually, remains

# After acceptance


async def test_after_accepting_and_enter_the_next_line_is_there_without_asking(
    engine_over: EngineFactory,
) -> None:
    backend = FakeBackend(["a = 1\n", "    b = 2\n", "    c = 3\n"])
    typist = Typist(engine_over(backend), "def f():\n    pass\n    |")
    first = await typist.ask()
    assert first.suggestion == Suggestion("a = 1")
    typist.accept(first.suggestion)
    assert text_of(await typist.ask()) == "\n    b = 2"
    typist.type("\n    ")
    outcome = await typist.ask()
    assert (text_of(outcome), outcome.origin) == ("b = 2", Origin.MEMORY)
    assert len(backend.streams) == 1


async def test_the_line_after_a_block_is_known_too(engine_over: EngineFactory) -> None:
    """The block's end shows only by it."""
    backend = FakeBackend(["\n    a\n", "    return b\n", "x = f()\n", "y = 1\n"])
    typist = Typist(engine_over(backend), "def f():|\n")
    first = await typist.ask()
    assert first.suggestion == Suggestion("\n    a\n    return b")
    typist.accept(first.suggestion)
    typist.type("\n")
    assert text_of(await typist.ask()) == "x = f()"
    assert backend.streams[0].written[-1] == "x = f()\n"


async def test_the_next_line_is_never_the_one_below_again(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["a = 1\n", "return b\n"], ["other"])
    typist = Typist(engine_over(backend), "|\nreturn b\n")
    first = await typist.ask()
    assert first.suggestion == Suggestion("a = 1")
    typist.accept(first.suggestion)
    assert "return b" not in (text_of(await typist.ask()) or "")


async def test_a_rejected_line_ends_the_reading_of_the_next_one(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["a = 1\n", asyncio.Event()])
    typist = Typist(engine_over(backend), "|")
    assert text_of(await typist.ask()) == "a = 1"
    assert backend.open_streams == 1
    typist.type("x")
    await eventually(lambda: backend.open_streams == 0)


async def test_an_answer_whose_stream_was_broken_off_comes_back_with_backspace(
    engine_over: EngineFactory,
) -> None:
    backend = FakeBackend(["a = 1\n", asyncio.Event()], [asyncio.Event()])
    typist = Typist(engine_over(backend), "|")
    await typist.ask()
    typist.type("x")
    typist.ask()
    typist.backspace()
    outcome = await typist.ask()
    assert (text_of(outcome), outcome.origin) == ("a = 1", Origin.MEMORY)


# Asking ahead


async def test_once_half_was_taken_what_follows_is_asked_for_and_there(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["compute"], ["(a)\n"])
    typist = Typist(engine_over(backend, prefetch=True), "x = |")
    await typist.ask()
    typist.type("com")
    await typist.ask()
    assert len(backend.streams) == 1
    typist.type("p")
    await typist.ask()
    await eventually(lambda: len(backend.streams) == 2)
    assert backend.streams[1].infill.prefix == "x = compute"
    typist.type("ute")
    outcome = await typist.ask()
    assert (text_of(outcome), outcome.origin) == ("(a)", Origin.MEMORY)
    assert len(backend.streams) == 2


async def test_a_request_joins_what_was_asked_ahead_and_still_runs(engine_over: EngineFactory) -> None:
    go = asyncio.Event()
    backend = FakeBackend(["compute"], [go, "(a)\n"])
    typist = Typist(engine_over(backend, prefetch=True), "x = |")
    await typist.ask()
    typist.type("comput")
    outcome = await typist.ask()
    assert outcome.suggestion == Suggestion("e")
    typist.accept(outcome.suggestion)
    asking = typist.ask()
    go.set()
    outcome = await asking
    assert (text_of(outcome), outcome.origin) == ("(a)", Origin.RUNNING)
    assert len(backend.streams) == 2


async def test_nothing_is_asked_ahead_where_something_stays_behind_the_cursor(
    engine_over: EngineFactory,
) -> None:
    """Whether an accepted text leaves the cursor before or behind it is the editor's affair."""
    backend = FakeBackend(["one, two)"], ["ahead"])
    typist = Typist(engine_over(backend, prefetch=True), "print(|)")
    assert (await typist.ask()).suggestion == Suggestion("one, two)", 1)
    typist.type("one, t")
    assert (await typist.ask()).suggestion == Suggestion("wo)", 1)
    await remains(lambda: len(backend.streams) == 1, seconds=0.05)


async def test_what_runs_ahead_ends_when_the_user_goes_another_way(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["compute"], [asyncio.Event()], ["!"])
    typist = Typist(engine_over(backend, prefetch=True), "x = |")
    await typist.ask()
    typist.type("comput")
    await typist.ask()
    await eventually(lambda: len(backend.streams) == 2)
    typist.type("X")
    assert text_of(await typist.ask()) == "!"
    assert backend.streams[1].is_closed


@pytest.mark.parametrize("settings", [{"prefetch": False}, {"prefetch": True, "slots": 1}])
async def test_nothing_is_asked_ahead_against_the_users_wish_or_without_a_place(
    engine_over: EngineFactory, settings: dict[str, object]
) -> None:
    elsewhere = asyncio.Event()
    backend = FakeBackend(["compute"], [elsewhere], ["ahead"])
    backend.max_in_flight = int(str(settings.pop("slots", 2)))
    engine = engine_over(backend, **settings)
    typist, other = Typist(engine, "x = |"), Typist(engine, "y = |")
    other.now = snapshot_at("y = |", uri="file:///work/b.py")
    await typist.ask()
    waiting = other.ask()
    await eventually(lambda: len(backend.streams) == 2)
    typist.type("comput")
    await typist.ask()
    await remains(lambda: len(backend.streams) == 2, seconds=0.05)
    assert not waiting.done()


# Who gives way


async def test_beyond_the_limit_the_newest_request_wins(engine_over: EngineFactory) -> None:
    backend = FakeBackend([asyncio.Event()], [asyncio.Event()], ["3"])
    backend.max_in_flight = 2
    engine = engine_over(backend)
    typists = [Typist(engine, "x = |") for _ in range(3)]
    for number, typist in enumerate(typists):
        typist.now = snapshot_at("x = |", uri=f"file:///work/{number}.py")
    first, second = typists[0].ask(), typists[1].ask()
    await eventually(lambda: len(backend.streams) == 2)
    assert text_of(await typists[2].ask()) == "3"
    assert (await first).reason is Reason.SUPERSEDED
    assert [stream.is_closed for stream in backend.streams] == [True, False, True]
    assert not second.done()


async def test_what_runs_ahead_gives_way_to_a_request_before_any_other(engine_over: EngineFactory) -> None:
    """Even before one that is older."""
    backend = FakeBackend([asyncio.Event()], ["compute"], [asyncio.Event()], ["4"])
    backend.max_in_flight = 2
    engine = engine_over(backend, prefetch=True)
    one, two, three = (Typist(engine, "x = |") for _ in range(3))
    two.now = snapshot_at("x = |", uri="file:///work/b.py")
    three.now = snapshot_at("x = |", uri="file:///work/c.py")
    waiting = two.ask()
    await eventually(lambda: len(backend.streams) == 1)
    await one.ask()
    one.type("comput")
    await one.ask()
    await eventually(lambda: len(backend.streams) == 3)
    assert not backend.streams[2].is_closed
    assert text_of(await three.ask()) == "4"
    assert backend.streams[2].is_closed
    assert not waiting.done()
