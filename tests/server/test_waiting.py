"""When waiting is worth showing: after a while, steadily, and never for what comes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from tabby_ls.server.waiting import Waiting


class Clock:
    """A loop's timers under a test's own clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[Timer] = []

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        timer = Timer(self.now + delay, callback, args)
        self._timers.append(timer)
        return timer

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        for timer in [timer for timer in self._timers if timer.at <= self.now]:
            self._timers.remove(timer)
            timer.run()


class Timer:
    def __init__(self, at: float, callback: Callable[..., Any], args: Any) -> None:
        self.at = at
        self.run: Callable[[], Any] = lambda: callback(*args)

    def cancel(self) -> None:
        self.run = lambda: None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    return clock


@pytest.fixture
def seen() -> list[bool]:
    return []


@pytest.fixture
def waiting(seen: list[bool]) -> Waiting:
    waiting = Waiting(lambda: seen.append(waiting.is_long))
    return waiting


def test_what_comes_soon_is_never_shown(clock: Clock, waiting: Waiting, seen: list[bool]) -> None:
    for _ in range(50):
        with waiting.request():
            clock.pass_(0.1)
    clock.pass_(10)
    assert seen == []


def test_a_long_wait_is_shown_until_a_little_after_the_answer(
    clock: Clock, waiting: Waiting, seen: list[bool]
) -> None:
    with waiting.request():
        clock.pass_(1)
        assert seen == [True]
    assert seen == [True]
    clock.pass_(1)
    assert seen == [True, False]


def test_it_stays_from_one_request_to_the_next(clock: Clock, waiting: Waiting, seen: list[bool]) -> None:
    for _ in range(10):
        with waiting.request():
            clock.pass_(0.4)
        clock.pass_(0.05)
    assert seen == [True]
    clock.pass_(1)
    assert seen == [True, False]


def test_requests_that_overlap_each_wait_for_themselves(
    clock: Clock, waiting: Waiting, seen: list[bool]
) -> None:
    with ExitStack() as older:
        for _ in range(10):
            clock.pass_(0.1)
            newer = ExitStack()
            newer.enter_context(waiting.request())
            older.close()
            older.push(newer.pop_all())
        assert seen == []
        clock.pass_(0.3)
        assert seen == [True]
        with waiting.request():
            older.close()
            clock.pass_(1)
            assert seen == [True], "one is still waited for"
    clock.pass_(1)
    assert seen == [True, False]
