"""By key there are several suggestions to choose from: drawn beside the likeliest one, and what is known already."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.engine import alternatives
from tabby_ls.engine.outcome import Origin
from tests.engine.conftest import EngineFactory
from tests.support.fake_backend import FakeBackend
from tests.support.typist import Typist, text_of
from tests.support.waiting import eventually, remains


@pytest.mark.parametrize("at_once", [1, 2, 5])
async def test_by_key_there_are_up_to_three_distinct_suggestions_the_likeliest_first(
    engine_over: EngineFactory, at_once: int
) -> None:
    backend = FakeBackend(["best"], ["second"], ["third"])
    backend.max_in_flight = at_once
    outcome = await Typist(engine_over(backend), "x = |").ask(invoked=True, alternatives=2)
    assert text_of(outcome) == "best"
    assert {other.text for other in outcome.alternatives} == {"second", "third"}
    likeliest, *drawn = (stream.infill.temperature for stream in backend.streams)
    assert (likeliest, all(drawn)) == (0, True)


async def test_they_are_drawn_at_the_users_temperature_if_that_is_high(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["best"], ["second"])
    await Typist(engine_over(backend, temperature=1.5), "x = |").ask(invoked=True, alternatives=1)
    assert [stream.infill.temperature for stream in backend.streams] == [1.5, 1.5]


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
    monkeypatch.setattr(alternatives, "_SECONDS", 0.01)
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
    await remains(lambda: len(backend.streams) == 2, seconds=0.05)
    asking.cancel()
