"""A server that reads ahead does so while the user rests, and at no other time."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.backends.backend import ModelInfo, Snippet
from tabby_ls.engine import warming
from tabby_ls.engine.engine import Engine
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.target import Target
from tabby_ls.settings import Settings
from tests.support.fake_backend import FakeBackend
from tests.support.typist import Typist
from tests.support.waiting import eventually, remains

OLD, NEW = (Snippet("a.py", "old\n"),), (Snippet("b.py", "new\n"), Snippet("a.py", "old\n"))


class Chosen(Target):
    """A target whose snippets the test chooses."""

    chosen: tuple[Snippet, ...] = OLD

    async def snippets(self, snapshot: Snapshot) -> tuple[Snippet, ...]:
        return self.chosen


class Reading(FakeBackend):
    """A backend that reads ahead, for as long as `reading` is not set."""

    takes_snippets = reads_ahead = True
    reading: asyncio.Event | None = None

    async def warm(self, snippets: tuple[Snippet, ...]) -> None:
        await super().warm(snippets)
        if self.reading is not None:
            try:
                await self.reading.wait()
            except asyncio.CancelledError:
                self.warmed.append(())
                raise


@pytest.fixture(autouse=True)
def short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "_REST", 0.05)


async def typing(backend: FakeBackend) -> tuple[Engine, Chosen, Typist]:
    settings = Settings(debounce_ms=0)
    target = Chosen(backend, settings)
    engine = Engine(settings, [target], lambda _: None)
    typist = Typist(engine, "x = |")
    await typist.ask()
    return engine, target, typist


async def test_what_changed_is_read_while_the_user_rests() -> None:
    backend = Reading(["1"], model=ModelInfo("Qwen2.5-Coder-7B"), fills_in=True)
    engine, target, _ = await typing(backend)
    assert backend.streams[0].infill.snippets == OLD
    target.chosen = NEW
    await eventually(lambda: backend.warmed)
    assert backend.warmed == [NEW]
    await engine.close()


async def test_what_the_server_has_read_is_not_read_again() -> None:
    backend = Reading(["1"], model=ModelInfo("Qwen2.5-Coder-7B"), fills_in=True)
    engine, _, _ = await typing(backend)
    await remains(lambda: backend.warmed == [], seconds=0.2)
    await engine.close()


async def test_a_request_ends_it_at_once() -> None:
    backend = Reading(["1"], [asyncio.Event()], model=ModelInfo("Qwen2.5-Coder-7B"), fills_in=True)
    backend.reading = asyncio.Event()
    engine, target, typist = await typing(backend)
    target.chosen = NEW
    await eventually(lambda: backend.warmed)
    typist.type("2")
    typist.ask()
    await eventually(lambda: len(backend.streams) == 2)
    await eventually(lambda: backend.warmed == [NEW, ()])
    await engine.close()


async def test_others_are_left_alone() -> None:
    backend = FakeBackend(["1"], model=ModelInfo("Qwen2.5-Coder-7B"))
    engine, target, _ = await typing(backend)
    target.chosen = NEW
    await remains(lambda: backend.warmed == [], seconds=0.2)
    await engine.close()
