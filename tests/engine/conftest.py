"""An engine over fake backends that must leave no task and no unseen exception behind, and a clock to set forward."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic
from typing import Any

import pytest

from tabby_ls.engine import choosing, generating
from tabby_ls.engine import engine as engine_module
from tabby_ls.engine.engine import Engine
from tabby_ls.engine.outcome import Event, Generated
from tabby_ls.engine.target import Target
from tabby_ls.settings import BackendSettings, Settings
from tests.support.fake_backend import FakeBackend

EngineFactory = Callable[..., Engine]


@pytest.fixture
def watched() -> list[Event]:
    """What the engine reported of requests and failures, in order."""
    return []


@pytest.fixture
def generated() -> list[Event]:
    """What it reported of the backend's work."""
    return []


@pytest.fixture
async def engine_over(watched: list[Event], generated: list[Event]) -> AsyncIterator[EngineFactory]:
    """Make engines. Unless a test says otherwise they neither wait before they ask nor ask ahead.

    `said` is what the settings say of each backend, for those that they say something of.
    """
    engines: list[tuple[Engine, Sequence[FakeBackend]]] = []
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))

    def watch(event: Event) -> None:
        (generated if isinstance(event, Generated) else watched).append(event)

    def make(*backends: FakeBackend, said: Sequence[dict[str, Any]] = (), **settings: Any) -> Engine:
        in_force = Settings(**({"debounce_ms": 0, "prefetch": False} | settings))
        servers = [BackendSettings(**of_one) for of_one in said]
        servers += [in_force.backend] * (len(backends) - len(said))
        targets = [Target(*each) for each in zip(backends, [in_force] * len(backends), servers, strict=True)]
        engine = Engine(in_force, targets, watch)
        engines.append((engine, backends))
        return engine

    yield make
    for engine, backends in engines:
        await engine.close()
        for backend in backends:
            await backend.close()
    me = asyncio.current_task()
    assert [task for task in asyncio.all_tasks() if task is not me and not task.done()] == []
    assert unseen == []


class Clock:
    """The engine's clock, which can be set forward."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def skip(self, seconds: float) -> None:
        self._skipped += seconds

    def monotonic(self) -> float:
        return monotonic() + self._skipped


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (engine_module, choosing, generating):
        monkeypatch.setattr(module, "monotonic", clock.monotonic)
    return clock
