"""A client cancels a request: its stream ends at once, unless the user types along with it or another request waits."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.engine import running
from tabby_ls.engine.outcome import Event, Outcome, Reason
from tests.engine.conftest import EngineFactory
from tests.support.fake_backend import FakeBackend
from tests.support.typist import Typist, snapshot_at, text_of
from tests.support.waiting import eventually, remains


async def test_a_cancelled_request_closes_its_stream_at_once(
    engine_over: EngineFactory, watched: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_GRACE", 60.0)
    backend = FakeBackend(["a", asyncio.Event()])
    typist = Typist(engine_over(backend), "x = |")
    asking = typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    asking.cancel()
    await asyncio.wait([asking])
    await eventually(lambda: backend.open_streams == 0)
    assert [event.reason for event in watched if isinstance(event, Outcome)] == [Reason.CANCELLED]


async def test_what_was_asked_for_by_key_is_closed_in_the_same_tick_as_it_is_cancelled(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_SHORT_GRACE", 60.0)
    backend = FakeBackend(["a", asyncio.Event()])
    typist = Typist(engine_over(backend), "x = |")
    asking = typist.ask(invoked=True)
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    asking.cancel()
    await asyncio.wait([asking])
    assert typist.engine.running_text(typist.now.uri) == ""
    await eventually(lambda: backend.open_streams == 0)


async def test_a_stream_that_another_request_waits_for_outlives_a_cancelled_one(
    engine_over: EngineFactory,
) -> None:
    go = asyncio.Event()
    backend = FakeBackend([go, "1"])
    typist = Typist(engine_over(backend), "x = |")
    one, two = typist.ask(), typist.ask()
    await eventually(lambda: backend.streams)
    one.cancel()
    go.set()
    assert text_of(await two) == "1"


async def test_cancelled_while_typing_along_the_stream_waits_for_the_next_request(
    engine_over: EngineFactory,
) -> None:
    go = asyncio.Event()
    backend = FakeBackend(["co", go, "mpute"])
    typist = Typist(engine_over(backend), "x = |")
    old = typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    typist.type("c")
    old.cancel()
    await asyncio.wait([old])
    newer = typist.ask()
    await asyncio.sleep(0)
    go.set()
    assert text_of(await newer) == "ompute"
    newer = typist.ask()
    newer.cancel()
    await asyncio.wait([newer])
    assert len(backend.streams) == 1


async def test_cancelled_while_typing_along_the_stream_does_not_wait_long(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_GRACE", 0.01)
    backend = FakeBackend(["co", asyncio.Event()])
    typist = Typist(engine_over(backend), "x = |")
    asking = typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    typist.type("c")
    asking.cancel()
    await asyncio.wait([asking])
    assert backend.open_streams == 1
    await eventually(lambda: backend.open_streams == 0)


async def test_escape_after_typing_along_closes_at_once(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is whether the document changed since the request that is cancelled."""
    monkeypatch.setattr(running, "_GRACE", 60.0)
    backend = FakeBackend(["co", asyncio.Event()])
    typist = Typist(engine_over(backend), "x = |")
    typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    typist.type("c")
    newest = typist.ask()
    await asyncio.sleep(0)
    newest.cancel()
    await asyncio.wait([newest])
    await eventually(lambda: backend.open_streams == 0)


async def test_cancelling_a_superseded_request_leaves_the_newer_one_alone(engine_over: EngineFactory) -> None:
    go = asyncio.Event()
    backend = FakeBackend([asyncio.Event()], [go, "1"])
    typist = Typist(engine_over(backend), "x|")
    old = typist.ask()
    await eventually(lambda: backend.streams)
    typist.now = snapshot_at("y = |")
    newer = typist.ask()
    await asyncio.sleep(0)
    old.cancel()
    go.set()
    assert text_of(await newer) == "1"


async def test_an_answer_and_a_cancellation_in_the_same_tick(engine_over: EngineFactory) -> None:
    go = asyncio.Event()
    backend = FakeBackend([go, "1\n"])
    typist = Typist(engine_over(backend), "x = |")
    asking = typist.ask()
    await eventually(lambda: backend.streams)
    go.set()
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    assert text_of(await typist.ask()) == "1"


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
    monkeypatch.setattr(running, "_GRACE", 0.01)
    backend = FakeBackend(["co", asyncio.Event()])
    typist = Typist(engine_over(backend), "x = |")
    old = typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    typist.type("c")
    old.cancel()
    await asyncio.wait([old])
    await typist.ask(deadline=0)
    await remains(lambda: backend.open_streams == 1, seconds=0.05)
