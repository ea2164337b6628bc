"""What goes wrong elsewhere, and must not here: each test is a defect that some completion engine has, or had."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.backends.backend import BackendError, ModelInfo, Trouble
from tabby_ls.engine.anchor import Anchor
from tabby_ls.engine.engine import Engine
from tabby_ls.engine.memory import Answer, Memory
from tabby_ls.engine.outcome import Origin, Reason
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.target import Target
from tabby_ls.settings import Settings
from tests.engine.conftest import EngineFactory
from tests.support.fake_backend import FakeBackend
from tests.support.typist import Typist, snapshot_at, text_of
from tests.support.waiting import eventually

SLOW = BackendError(Trouble.TIMEOUT, "the server did not answer in time")

# Requests


async def burst(typist: Typist, keys: str) -> None:
    """Type as fast as can be, asking at each key as editors do, which cancel the request before."""
    asking = typist.ask()
    for key in keys:
        typist.type(key)
        asking.cancel()
        asking = typist.ask()
        await asyncio.sleep(0)
    await asyncio.wait([asking])


async def test_the_very_first_burst_makes_one_request(engine_over: EngineFactory) -> None:
    """An average of no samples is no number, and a wait of no number is none (tabby-agent: 13 requests)."""
    backend = FakeBackend(["!"])
    await burst(Typist(engine_over(backend, debounce_ms=None), "x|"), " = compute(a)")
    assert len(backend.streams) == 1


async def test_a_burst_while_the_server_answers_nothing_makes_one_request(engine_over: EngineFactory) -> None:
    backend = FakeBackend([SLOW])
    await burst(Typist(engine_over(backend, debounce_ms=None), "x|"), " = compute(a)")
    assert len(backend.streams) == 1


@pytest.mark.parametrize(
    "marked", ["f(a)|", "x = [a]|", "}|", "x = f(1); |", "x = f(|bar)", "|name = 1", "x|\n"]
)
async def test_it_asks_wherever_the_cursor_stands(engine_over: EngineFactory, marked: str) -> None:
    backend = FakeBackend([".go()"])
    await Typist(engine_over(backend), marked).ask()
    assert len(backend.streams) == 1


# Memory


@pytest.mark.parametrize(
    "accepted", ["compute", "compute(", "compute(a, b)", "compute(a, b)\n", "compute(a, b)\ny"]
)
async def test_what_is_accepted_in_parts_leaves_the_rest(engine_over: EngineFactory, accepted: str) -> None:
    text = "compute(a, b)\ny = 1\nz = 2"
    backend = FakeBackend([text])
    typist = Typist(engine_over(backend), "x = |")
    await typist.ask(invoked=True)
    typist.type(accepted)
    outcome = await typist.ask(invoked=True)
    assert (text_of(outcome), outcome.origin) == (text[len(accepted) :], Origin.MEMORY)


async def test_lines_that_read_nearly_the_same_are_another_place(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["log(x + y + z)"], ["log(a + b + c)"])
    typist = Typist(engine_over(backend), "def f(x, y, z):\n    |\n")
    await typist.ask()
    typist.now = snapshot_at("def f(a, b, c):\n    |\n")
    assert text_of(await typist.ask()) == "log(a + b + c)"


async def test_an_edit_above_or_below_makes_it_another_place(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["1"], ["2"], ["3"])
    typist = Typist(engine_over(backend), "a = 1\nx = |\nb = 2")
    await typist.ask()
    typist.now = snapshot_at("a = 9\nx = |\nb = 2")
    assert text_of(await typist.ask()) == "2"
    typist.now = snapshot_at("a = 1\nx = |\nb = 9")
    assert text_of(await typist.ask()) == "3"


async def test_nothing_comes_from_another_model(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["1"], ["2"], model=ModelInfo("Qwen2.5-Coder-7B"))
    engine = engine_over(backend)
    typist = Typist(engine, "x = |")
    await typist.ask()
    backend.served = ModelInfo("starcoder2-3b")
    target = engine._targets[0]
    target.forget()
    await target.prepare()
    assert text_of(await typist.ask()) == "2"


async def test_work_in_another_file_forgets_nothing(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["1"], ["2"])
    engine = engine_over(backend)
    typist, other = Typist(engine, "x = |"), Typist(engine, "y = |")
    other.now = snapshot_at("y = |", uri="file:///work/b.py")
    await typist.ask()
    other.type("z")
    await other.ask()
    outcome = await typist.ask()
    assert (text_of(outcome), outcome.origin) == ("1", Origin.MEMORY)


async def test_what_the_user_deletes_back_beyond_is_not_suggested_again(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["ute(a)"], ["other"])
    typist = Typist(engine_over(backend), "x = comp|")
    await typist.ask()
    typist.backspace()
    assert text_of(await typist.ask()) == "other"


def test_a_look_up_copies_next_to_nothing_whatever_the_size_of_the_window() -> None:
    """Others copy and hash the text around the cursor for each of a hundred candidates at every key."""
    memory = Memory()
    window = "".join(f"    value_{number} = compute({number})\n" for number in range(3000))
    for column in range(8):
        origin = Snapshot("file:///a", 1, "python", 3000, window + "x" * column, window)
        memory.remember("scope", Anchor.of(origin), [Answer("compute(a)", (0,))], invoked=False)
    now = Snapshot("file:///a", 2, "python", 3000, window + "xxxcomp", window)
    assert now.line_prefix == "xxxcomp"
    assert memory.recall("scope", now, invoked=False) == "ute(a)"
    tracemalloc.start()
    try:
        for _ in range(100):
            memory.recall("scope", now, invoked=False)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 50_000 < len(window)


def test_what_is_remembered_does_not_hold_the_windows() -> None:
    window = "x = 1\n" * 10_000
    anchor = Anchor.of(Snapshot("file:///a", 1, "python", 10_000, window, window))
    assert len(anchor.above) + len(anchor.after) < 10_000


# Settings


async def test_switching_off_ends_what_runs(engine_over: EngineFactory) -> None:
    backend = FakeBackend([asyncio.Event()])
    engine = engine_over(backend)
    asking = Typist(engine, "x = |").ask()
    await eventually(lambda: backend.streams)
    off = Settings(enabled=False)
    engine.configure(off, [Target(backend, off)])
    assert (await asking).reason is Reason.DISABLED
    await eventually(lambda: backend.open_streams == 0)


# Whatever is typed


keys = st.text("ab(\n ", max_size=6)


@given(
    st.lists(st.sampled_from(["a", "b(", "ab", "\n    ", "\n", " ", ")"]), min_size=1, max_size=8),
    keys,
    st.data(),
)
def test_what_is_suggested_and_what_was_typed_make_the_answer(
    pieces: list[str], other: str, data: st.DataObject
) -> None:
    """By memory or by what runs, at any state: never anything that does not go on as was generated."""
    text = "".join(pieces)
    typed = data.draw(st.integers(0, len(text)).map(lambda length: text[:length]) | st.just(other))

    async def typing() -> None:
        arrived = data.draw(st.integers(0, len(pieces)))
        backend = FakeBackend([*pieces[:arrived], asyncio.Event()], [])
        settings = Settings(debounce_ms=0, prefetch=False)
        engine = Engine(settings, [Target(backend, settings)], lambda _: None)
        typist = Typist(engine, "x = |\nend\n")
        first = typist.ask(deadline=0.001)
        await first
        for key in typed:
            typist.type(key)
            outcome = await typist.ask(deadline=0.001)
            written = typist.now.prefix.removeprefix("x = ")
            if outcome.suggestion is not None:
                lines = (written + outcome.suggestion.text).split("\n")
                expected = text.split("\n")[: len(lines)]
                assert [line.strip() for line in lines[:-1]] == [line.strip() for line in expected[:-1]]
                assert expected[-1].strip().startswith(lines[-1].strip())
        await engine.close()
        assert backend.open_streams == 0

    asyncio.run(typing())
