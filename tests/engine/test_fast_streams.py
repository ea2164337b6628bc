"""A stream as fast as streams get: it is read in batches once its first line is there, and nothing waits for that."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.engine import batching, reading
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.shaping.reach import Reach, reach
from tabby_ls.engine.snapshot import Snapshot
from tests.engine.conftest import EngineFactory
from tests.support.fake_backend import FakeBackend
from tests.support.typist import Typist, text_of
from tests.support.waiting import eventually

_BLOCK = "def f():\n    |\n"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were looked at; every stream counts as fast."""
    seen: list[str] = []

    def watched(text: str, snapshot: Snapshot, mode: Mode, *, finished: bool) -> Reach:
        seen.append(text)
        return reach(text, snapshot, mode, finished=finished)

    monkeypatch.setattr(reading, "reach", watched)
    monkeypatch.setattr(batching, "_FAST", 0)
    return seen


async def test_what_comes_at_once_is_looked_at_by_the_line(
    engine_over: EngineFactory, looks: list[str]
) -> None:
    go = asyncio.Event()
    backend = FakeBackend(["a = 1\n", go, "    ", "b", " =", " 2", "\n", "    ", "c", " =", " 3", "\n", "x"])
    typist = Typist(engine_over(backend), _BLOCK)
    request = typist.ask()
    await eventually(lambda: looks)
    go.set()
    assert text_of(await request) == "a = 1\n    b = 2\n    c = 3"
    whole = ["a = 1\n", "a = 1\n    b = 2\n", "a = 1\n    b = 2\n    c = 3\n"]
    # The piece that was waited for is looked at by itself.
    assert looks[:4] == [whole[0], whole[0] + "    ", whole[1], whole[2]]


async def test_what_is_held_when_the_answer_ends_is_part_of_it(
    engine_over: EngineFactory, looks: list[str]
) -> None:
    go = asyncio.Event()
    backend = FakeBackend(["a = 1\n", go, "    ", "return", " a"])
    typist = Typist(engine_over(backend), _BLOCK)
    request = typist.ask()
    await eventually(lambda: looks)
    go.set()
    assert text_of(await request) == "a = 1\n    return a"


async def test_a_key_that_contradicts_ends_the_sleep_between_two_reads(
    engine_over: EngineFactory, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "_SLEEP", 3600)
    go = asyncio.Event()
    backend = FakeBackend(["a = 1\n", go, "    b", " = 2\n", asyncio.Event()])
    typist = Typist(engine_over(backend), _BLOCK)
    typist.ask()
    await eventually(lambda: looks)
    go.set()
    await eventually(lambda: len(looks) > 1)
    assert backend.streams[0].written == ["a = 1\n", "    b"], "it sleeps"
    typist.type("z")
    await eventually(lambda: not backend.open_streams)


async def test_it_never_sleeps_between_pieces_that_have_come_already(
    engine_over: EngineFactory, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    pause = asyncio.sleep

    async def counted(seconds: float) -> None:
        pauses.append(seconds)
        await pause(seconds)

    monkeypatch.setattr(batching, "_SLEEP", 0.0123)
    monkeypatch.setattr(asyncio, "sleep", counted)
    go = asyncio.Event()
    backend = FakeBackend(["a = 1\n", go, "    b =", *[" 1 +"] * 12, " 1\n"])
    typist = Typist(engine_over(backend), _BLOCK)
    request = typist.ask()
    await eventually(lambda: looks)
    go.set()
    assert text_of(await request) == "a = 1\n    b =" + " 1 +" * 12 + " 1"
    assert pauses.count(0.0123) == 1, "once, behind the piece that was waited for"
