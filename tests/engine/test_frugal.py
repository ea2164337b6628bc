"""Few requests and little thrown away: what is read on for, asked ahead, and who gives way to whom."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.engine import requests as requests_module
from tabby_ls.engine import running as running_module
from tabby_ls.engine.outcome import Origin, Reason
from tabby_ls.engine.snapshot import Suggestion
from tests.engine.conftest import EngineFactory
from tests.support.fake_backend import FakeBackend
from tests.support.typist import Typist, snapshot_at, text_of
from tests.support.waiting import eventually

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


# Long answers


async def test_whole_lines_are_shown_before_a_long_block_has_ended(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests_module, "_PATIENCE", 0.02)
    go = asyncio.Event()
    backend = FakeBackend(["\n    a\n    b\n    c", go, "cc\n    d\nx\n"])
    typist = Typist(engine_over(backend), "def f():|\n")
    outcome = await typist.ask()
    assert (text_of(outcome), outcome.complete) == ("\n    a\n    b", False)
    assert outcome.suggestion is not None
    typist.accept(outcome.suggestion)
    asking = typist.ask()
    go.set()
    assert text_of(await asking) == "\n    ccc\n    d"
    assert len(backend.streams) == 1


async def test_an_invoked_request_waits_for_all_of_its_answer(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests_module, "_PATIENCE", 0.0)
    go = asyncio.Event()
    backend = FakeBackend(["\n    a\n    b\n", go, "    c\nx\n"])
    asking = Typist(engine_over(backend), "def f():|\n").ask(invoked=True)
    await eventually(lambda: backend.streams and backend.streams[0].written)
    await asyncio.sleep(0.01)
    go.set()
    assert text_of(await asking) == "\n    a\n    b\n    c"


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
    await asyncio.sleep(0.01)
    assert len(backend.streams) == 1


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
    await asyncio.sleep(0.01)
    assert len(backend.streams) == 2
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


# Cancelled requests


async def test_a_stream_outlives_a_request_that_is_cancelled_just_before_the_edit(
    engine_over: EngineFactory,
) -> None:
    go = asyncio.Event()
    backend = FakeBackend(["co", go, "mpute"])
    typist = Typist(engine_over(backend), "x = |")
    old = typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    old.cancel()
    await asyncio.wait([old])
    typist.type("c")
    newer = typist.ask()
    go.set()
    assert text_of(await newer) == "ompute"
    assert len(backend.streams) == 1


async def test_a_cancelled_request_does_not_end_what_a_later_one_was_answered_from(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_module, "_GRACE", 0.01)
    backend = FakeBackend(["co", asyncio.Event()])
    typist = Typist(engine_over(backend), "x = |")
    old = typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    typist.type("c")
    old.cancel()
    await asyncio.wait([old])
    await typist.ask(deadline=0.001)
    await asyncio.sleep(0.03)
    assert backend.open_streams == 1


# Alternatives


async def test_by_key_there_are_up_to_three_distinct_suggestions_the_likeliest_first(
    engine_over: EngineFactory,
) -> None:
    backend = FakeBackend(["best"], ["second"], ["third"])
    outcome = await Typist(engine_over(backend), "x = |").ask(invoked=True, alternatives=2)
    assert text_of(outcome) == "best"
    assert {other.text for other in outcome.alternatives} == {"second", "third"}
    likeliest, *drawn = (stream.infill.temperature for stream in backend.streams)
    assert (likeliest, all(drawn)) == (0, True)


async def test_the_same_suggestion_is_not_offered_twice(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["same"])
    outcome = await Typist(engine_over(backend), "x = |").ask(invoked=True, alternatives=2)
    assert (text_of(outcome), outcome.alternatives) == ("same", ())


async def test_what_was_suggested_unasked_is_among_the_alternatives(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["1\n", "y = 2\n"], ["1\n", "y = 2"])
    typist = Typist(engine_over(backend), "x = |")
    await typist.ask()
    outcome = await typist.ask(invoked=True, alternatives=2)
    assert (text_of(outcome), [other.text for other in outcome.alternatives]) == ("1\ny = 2", ["1"])


async def test_alternatives_that_take_too_long_are_not_waited_for(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tabby_ls.engine.alternatives._SECONDS", 0.01)
    backend = FakeBackend(["best"], [asyncio.Event()])
    outcome = await Typist(engine_over(backend), "x = |").ask(invoked=True, alternatives=2)
    assert (text_of(outcome), outcome.alternatives) == ("best", ())
    await eventually(lambda: backend.open_streams == 0)


async def test_typing_into_an_alternative_is_answered_from_memory(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["best"], ["second"], ["third"])
    typist = Typist(engine_over(backend), "x = |")
    await typist.ask(invoked=True, alternatives=2)
    typist.type("se")
    outcome = await typist.ask()
    assert (text_of(outcome), outcome.origin) == ("cond", Origin.MEMORY)


async def test_alternatives_keep_to_the_limit(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["best", asyncio.Event()])
    backend.max_in_flight = 2
    asking = Typist(engine_over(backend), "x = |").ask(invoked=True, alternatives=2)
    await eventually(lambda: len(backend.streams) == 2)
    await asyncio.sleep(0.01)
    assert len(backend.streams) == 2
    asking.cancel()
