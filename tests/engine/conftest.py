"""An engine over a fake backend that must leave no task and no unseen exception behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tabby_ls.engine.engine import Engine
from tabby_ls.engine.outcome import Event, Generated
from tabby_ls.engine.target import Target
from tabby_ls.settings import Settings
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
    """Make engines. Unless a test says otherwise they neither wait before they ask nor ask ahead."""
    engines: list[tuple[Engine, FakeBackend]] = []
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))

    def watch(event: Event) -> None:
        (generated if isinstance(event, Generated) else watched).append(event)

    def make(backend: FakeBackend, /, **settings: Any) -> Engine:
        in_force = Settings(**({"debounce_ms": 0, "prefetch": False} | settings))
        engine = Engine(in_force, [Target(backend, in_force)], watch)
        engines.append((engine, backend))
        return engine

    yield make
    for engine, backend in engines:
        await engine.close()
        await backend.close()
    me = asyncio.current_task()
    assert [task for task in asyncio.all_tasks() if task is not me and not task.done()] == []
    assert unseen == []
