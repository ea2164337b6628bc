"""Streams that nobody wants end at once: the answer is worth nothing, the user went another way, all is closed."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.engine.engine import Engine
from tabby_ls.engine.outcome import Reason
from tabby_ls.engine.target import Target
from tabby_ls.settings import Settings
from tests.engine.conftest import EngineFactory
from tests.support.fake_backend import FakeBackend
from tests.support.typist import Typist, snapshot_at, text_of
from tests.support.waiting import eventually

# Nothing to say


@pytest.mark.parametrize("marked", ["|", "def f():\n    |", "total = |", "    return a + |", "f(|)"])
@pytest.mark.parametrize("blank", [" ", "\t", "\n"])
async def test_an_answer_that_stays_blank_is_not_read_to_its_end(
    engine_over: EngineFactory, marked: str, blank: str
) -> None:
    backend = FakeBackend([blank] * 5000)
    outcome = await Typist(engine_over(backend), marked).ask()
    assert outcome.reason is Reason.NOTHING_TO_SAY
    assert len(backend.streams[0].written) < 1000


# Going another way


async def test_nobody_waits_until_a_connection_is_closed(engine_over: EngineFactory) -> None:
    closing = asyncio.Event()
    backend = FakeBackend([asyncio.Event()], ["1"], closing=closing)
    typist = Typist(engine_over(backend), "x|")
    asking = typist.ask()
    await eventually(lambda: backend.streams)
    typist.backspace()
    done, _ = await asyncio.wait([asking], timeout=1)
    assert [one.result().reason for one in done] == [Reason.SUPERSEDED]
    assert backend.open_streams == 1
    closing.set()


async def test_a_request_for_a_newer_state_supersedes_the_older_at_once(engine_over: EngineFactory) -> None:
    backend = FakeBackend([asyncio.Event()])
    typist = Typist(engine_over(backend), "x|")
    old = typist.ask()
    await eventually(lambda: backend.streams)
    typist.now = snapshot_at("y|")  # the cursor went elsewhere; no edit told of it
    newer = typist.ask()
    outcome = await old
    assert outcome.reason is Reason.SUPERSEDED
    assert outcome.is_superseded
    await eventually(lambda: len(backend.streams) == 2)
    assert backend.streams[0].is_closed
    assert not newer.done()


@pytest.mark.parametrize(
    ("stage", "edit"),
    [
        ("before headers", "backspace"),
        ("before text", "backspace"),
        ("mid-stream", "backspace"),
        ("mid-stream", "type"),
    ],
)
async def test_an_edit_that_contradicts_closes_the_stream_at_once(
    engine_over: EngineFactory, stage: str, edit: str
) -> None:
    headers = asyncio.Event()
    script = [asyncio.Event()] if stage == "before text" else ["compute", asyncio.Event()]
    backend = FakeBackend(script, headers=headers)
    if stage != "before headers":
        headers.set()
    typist = Typist(engine_over(backend), "x = |")
    asking = typist.ask()
    await eventually(lambda: backend.streams)
    if stage == "mid-stream":
        await eventually(lambda: typist.engine.running_text(typist.now.uri))
    if edit == "type":
        typist.type("cox")
    else:
        typist.backspace()
    assert (await asking).reason is Reason.SUPERSEDED
    await eventually(lambda: backend.streams[0].is_closed)
    assert typist.engine.running_text(typist.now.uri) == ""


async def test_a_key_need_not_wait_until_all_that_has_arrived_at_once_was_looked_at(
    engine_over: EngineFactory,
) -> None:
    backend = FakeBackend(["word "] * 150)  # all there: reading it never waits
    typist = Typist(engine_over(backend), "x = |")
    asking = typist.ask()
    await eventually(lambda: backend.streams and backend.streams[0].written)
    typist.backspace()
    assert (await asking).reason is Reason.SUPERSEDED
    await eventually(lambda: backend.open_streams == 0)
    assert not backend.streams[0].has_finished


async def test_text_that_contradicts_what_was_typed_meanwhile_closes_the_stream(
    engine_over: EngineFactory,
) -> None:
    go = asyncio.Event()
    backend = FakeBackend([go, "compute", asyncio.Event()])
    typist = Typist(engine_over(backend), "x = |")
    asking = typist.ask()
    await eventually(lambda: backend.streams)
    typist.type("y")
    go.set()
    assert (await asking).reason is Reason.SUPERSEDED
    assert backend.streams[0].is_closed
    typist.backspace()
    assert (await asyncio.wait([typist.ask()], timeout=0.01))[1], "half an answer was remembered"


async def test_to_move_over_text_that_reads_like_the_answer_is_not_to_type_it(
    engine_over: EngineFactory,
) -> None:
    backend = FakeBackend(["\nb = 2", asyncio.Event()], ["3"])
    typist = Typist(engine_over(backend), "x|\nb\n")
    typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    typist.now = snapshot_at("x\nb|\n")
    assert text_of(await typist.ask()) == "3"


async def test_a_suggestion_from_memory_ends_a_stream_for_another_place(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["1"], ["2", asyncio.Event()])
    typist = Typist(engine_over(backend), "x = |")
    await typist.ask()
    here = typist.now
    typist.now = snapshot_at("x = \ny = |")
    elsewhere = typist.ask()
    await eventually(lambda: len(backend.streams) == 2)
    typist.now = here
    assert text_of(await typist.ask()) == "1"
    assert (await elsewhere).reason is Reason.SUPERSEDED
    await eventually(lambda: backend.open_streams == 0)


async def test_a_closed_document_ends_its_stream_and_is_forgotten(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["1"], [asyncio.Event()])
    typist = Typist(engine_over(backend), "x = |")
    await typist.ask()
    typist.engine.closed(typist.now.uri)
    asking = typist.ask()
    await eventually(lambda: len(backend.streams) == 2)
    typist.engine.closed(typist.now.uri)
    assert (await asking).reason is Reason.SUPERSEDED
    await eventually(lambda: backend.open_streams == 0)


async def test_documents_do_not_disturb_each_other(engine_over: EngineFactory) -> None:
    go = asyncio.Event()
    backend = FakeBackend([go, "1"], ["2"])
    engine = engine_over(backend)
    one, two = Typist(engine, "x = |"), Typist(engine, "y = |")
    two.now = snapshot_at("y = |", uri="file:///work/b.py")
    waiting = one.ask()
    await eventually(lambda: backend.streams)
    two.type("3")
    assert text_of(await two.ask()) == "2"
    go.set()
    assert text_of(await waiting) == "1"


# Closing


async def test_closing_ends_everything_and_waits_for_it(engine_over: EngineFactory) -> None:
    backend = FakeBackend([asyncio.Event()])
    engine = engine_over(backend)
    typist = Typist(engine, "x|")
    asking = [typist.ask()]
    await eventually(lambda: backend.streams)
    typist.backspace()  # this stream is closing still
    asking.append(typist.ask())
    await eventually(lambda: len(backend.streams) == 2)
    await engine.close()
    assert backend.open_streams == 0
    assert {(await one).reason for one in asking} == {Reason.SUPERSEDED}


async def test_an_engine_can_be_closed_before_it_did_anything() -> None:
    settings = Settings()
    engine = Engine(settings, [Target(FakeBackend([]), settings)], lambda _: None)
    await engine.close()
