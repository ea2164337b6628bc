"""Backends that fail, prompts that are too long, settings that change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tabby_ls.backends.backend import BackendError, Infill, ModelInfo, Trouble
from tabby_ls.engine.health import Health
from tabby_ls.engine.outcome import Event, Reason
from tabby_ls.engine.requests import Request
from tabby_ls.engine.target import Target
from tabby_ls.settings import BackendSettings, Settings
from tests.engine.conftest import Clock, EngineFactory
from tests.support.fake_backend import DOWN, FakeBackend, FakeStream
from tests.support.typist import Typist, snapshot_at, text_of
from tests.support.waiting import eventually

TOO_LONG = BackendError(Trouble.PROMPT_TOO_LONG, "the prompt is too long")


# Failures


async def test_a_failure_is_told_never_remembered_and_rests_for_a_while(
    engine_over: EngineFactory, clock: Clock
) -> None:
    backend = FakeBackend([DOWN], ["1"])
    typist = Typist(engine_over(backend), "x = |")
    failed = await typist.ask()
    assert (failed.reason, failed.detail) == (Reason.BACKEND_FAILED, DOWN.message)
    resting = await typist.ask()
    assert (resting.reason, resting.detail) == (Reason.BACKEND_RESTING, DOWN.message)
    assert len(backend.streams) == 1
    clock.skip(60)
    assert text_of(await typist.ask()) == "1"


async def test_failures_in_a_row_rest_longer_and_an_answer_ends_that(
    engine_over: EngineFactory, clock: Clock
) -> None:
    backend = FakeBackend([DOWN], [DOWN], ["1"], [DOWN], ["2"])
    typist = Typist(engine_over(backend), "x = |")
    await typist.ask()
    clock.skip(1.1)
    assert (await typist.ask()).reason is Reason.BACKEND_FAILED
    clock.skip(1.1)
    assert (await typist.ask()).reason is Reason.BACKEND_RESTING
    clock.skip(1)
    assert text_of(await typist.ask()) == "1"
    typist.type("0")
    assert (await typist.ask()).reason is Reason.BACKEND_FAILED
    clock.skip(1.1)
    assert text_of(await typist.ask()) == "2"


def test_the_rest_has_a_limit() -> None:
    health = Health()
    rests = []
    for _ in range(12):
        health.failed(DOWN, 0.0)
        rests.append(health.rest(0.0))
    assert rests == sorted(rests)
    assert (rests[0], rests[-1]) == (1, 30)


async def test_a_stream_that_breaks_off_is_a_failure(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["compute(", BackendError(Trouble.BROKEN_STREAM, "it broke off")], ["1"])
    typist = Typist(engine_over(backend), "x = |")
    assert (await typist.ask()).reason is Reason.BACKEND_FAILED
    assert text_of(await typist.ask(invoked=True)) == "1"


async def test_a_mistake_of_our_own_is_no_answer_but_said_and_logged(engine_over: EngineFactory) -> None:
    unhandled: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: unhandled.append(context["exception"])
    )
    mistake = RuntimeError("of ours")
    typist = Typist(engine_over(FakeBackend([mistake], ["1"])), "x = |")
    failed = await typist.ask()
    assert failed.reason is Reason.BACKEND_FAILED
    assert "its own" in failed.detail
    assert text_of(await typist.ask(invoked=True)) == "1"


async def test_a_failure_of_a_stream_that_nobody_wants_any_more_is_no_news(
    engine_over: EngineFactory, watched: list[Event]
) -> None:
    class Stubborn(FakeBackend):
        """Turns a cancellation into a failure, as a connection that is being closed may."""

        @asynccontextmanager
        async def stream(self, infill: Infill) -> AsyncIterator[FakeStream]:
            try:
                async with super().stream(infill) as stream:
                    yield stream
            finally:
                raise DOWN

    backend = Stubborn([asyncio.Event()])
    typist = Typist(engine_over(backend), "x = |")
    asking = typist.ask()
    await eventually(lambda: backend.streams)
    typist.backspace()
    await asking
    await eventually(lambda: backend.open_streams == 0)
    await asyncio.sleep(0)
    assert DOWN not in watched


async def test_invoked_requests_do_not_rest(engine_over: EngineFactory) -> None:
    backend = FakeBackend([DOWN], ["1"])
    typist = Typist(engine_over(backend), "x = |")
    await typist.ask()
    assert text_of(await typist.ask(invoked=True)) == "1"


# Prompts


async def test_a_prompt_that_is_too_long_is_shrunk_and_that_is_remembered(engine_over: EngineFactory) -> None:
    backend = FakeBackend([TOO_LONG], [TOO_LONG], ["1"], model=ModelInfo("Qwen2.5-Coder-7B", 4096))
    typist = Typist(engine_over(backend), "x = 1234567890\n" * 1000 + "y = |")
    assert text_of(await typist.ask()) == "1"
    lengths = [len(stream.infill.prompt or "") for stream in backend.streams]
    assert lengths[0] > lengths[1] > lengths[2]
    typist.type("2")
    await typist.ask()
    assert len(backend.streams) == 4
    assert len(backend.streams[3].infill.prompt or "") <= lengths[2] + 10


async def test_a_prompt_that_is_never_short_enough_is_a_failure(engine_over: EngineFactory) -> None:
    backend = FakeBackend([TOO_LONG], model=ModelInfo("Qwen2.5-Coder-7B"))
    outcome = await Typist(engine_over(backend), "x = |").ask()
    assert (outcome.reason, outcome.detail) == (Reason.BACKEND_FAILED, TOO_LONG.message)
    assert len(backend.streams) == 5


async def test_the_backend_is_asked_once_what_it_serves_and_again_after_a_failure(
    engine_over: EngineFactory,
) -> None:
    backend = FakeBackend(["1"], [DOWN], ["2"], model=ModelInfo("Qwen2.5-Coder-7B"))
    engine = engine_over(backend)
    engine.prepare()
    typist = Typist(engine, "x = |")
    await typist.ask()
    typist.type("2")
    assert backend.models_asked == 1
    await typist.ask()
    await typist.ask(invoked=True)
    assert backend.models_asked == 2


async def test_a_notebook_cell_below_others_has_a_window(engine_over: EngineFactory) -> None:
    """Its line counts from the cell's first, and the text before it does not."""
    backend = FakeBackend(["1"], model=ModelInfo("Qwen2.5-Coder-7B"))
    engine = engine_over(backend)
    now = snapshot_at("a = 1\n" * 3000 + "x = |")
    now = type(now)(now.uri, 1, "python", 2, now.prefix, now.suffix)
    outcome = await engine.suggest(Request(now, False, 5))
    assert now.first_line < 0
    assert text_of(outcome) == "1"
    assert backend.streams[0].infill.prefix.endswith("a = 1\nx = ")


# Settings


async def test_changed_settings_end_what_runs_and_forget_what_is_known(engine_over: EngineFactory) -> None:
    old = FakeBackend(["1"], [asyncio.Event(), "never"])
    engine = engine_over(old)
    typist = Typist(engine, "x = |")
    await typist.ask()
    here = typist.now
    typist.type("0 + ")
    running = typist.ask()
    await eventually(lambda: len(old.streams) == 2)
    new = FakeBackend(["2"])
    settings = Settings(debounce_ms=0)
    engine.configure(settings, [Target(new, settings)])
    assert (await running).reason is Reason.SUPERSEDED
    await eventually(lambda: old.open_streams == 0)
    typist.now = here
    assert text_of(await typist.ask()) == "2"


async def test_an_answer_that_is_cut_off_is_not_remembered(engine_over: EngineFactory) -> None:
    class Deaf(FakeBackend):
        """Ends normally although it was cancelled."""

        @asynccontextmanager
        async def stream(self, infill: Infill) -> AsyncIterator[FakeStream]:
            with suppress(asyncio.CancelledError):
                async with super().stream(infill) as stream:
                    yield stream

    backend = Deaf(["comp", asyncio.Event()], ["2"], ["compute"], ["compute", asyncio.Event()], ["3"])
    engine = engine_over(backend)
    typist = Typist(engine, "x = |")
    here = typist.now
    typist.ask()
    await eventually(lambda: engine.running_text(here.uri))
    typist.now = snapshot_at("y = |")
    await typist.ask()
    typist.now = here
    assert text_of(await typist.ask()) == "compute"
    typist.type("com")  # whose answer comes from memory, but not by key
    typist.ask(invoked=True)
    await eventually(lambda: engine.running_text(here.uri))
    settings = Settings(debounce_ms=0)
    engine.configure(settings, [Target(backend, settings)])
    await eventually(lambda: backend.open_streams == 0)
    assert text_of(await typist.ask()) == "3"


async def test_changed_settings_prepare_the_new_backend(
    engine_over: EngineFactory, watched: list[Event]
) -> None:
    old = FakeBackend(["1"], model=ModelInfo("Qwen2.5-Coder-7B"))
    new = FakeBackend(["1"], model=ModelInfo("Qwen2.5-Coder-7B"))
    engine = engine_over(old)
    engine.prepare()
    engine.configure(settings := Settings(), [Target(new, settings)])
    await eventually(lambda: new.models_asked == 1)
    assert old.models_asked == 0
    assert not any(isinstance(event, BackendError) for event in watched)


async def test_a_wrong_family_is_reported(engine_over: EngineFactory, watched: list[Event]) -> None:
    backend = FakeBackend(["1"], model=ModelInfo("m"))
    engine = engine_over(backend, backend=BackendSettings(family="no such thing"))
    engine.prepare()
    await eventually(lambda: watched)
    assert isinstance(watched[0], BackendError)
    assert "no such thing" in watched[0].message
