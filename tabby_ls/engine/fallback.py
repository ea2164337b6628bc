"""Fallback to the next target: when one that is late is given up, and how one that failed is found to be well again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.engine.choosing import Choice
from tabby_ls.engine.health import Health
from tabby_ls.engine.inflight import Generation
from tabby_ls.engine.outcome import Event, Prepared
from tabby_ls.engine.target import Target

#: Troubles that are over once the backend tells what it serves. Of the others only an answer shows that.
_SHOWN_BY_ASKING = frozenset({Trouble.UNREACHABLE, Trouble.TIMEOUT, Trouble.NO_MODEL})
#: Seconds before a backend that was not asked anything yet is tried again.
_LEAST_REST = 1.0


class Fallback:
    """Looks after the targets in use: those that are late, and those that failed."""

    def __init__(self, choice: Choice, watch: Callable[[Event], None]) -> None:
        """`watch` is told of a target that is well again."""
        self._choice = choice
        self._watch = watch
        #: By target.
        self._recovering: dict[int, asyncio.Task[None]] = {}

    def in_time(self, generation: Generation) -> AbstractAsyncContextManager[None]:
        """Return a block that ends with BackendError if a target whose place another can take is late with it."""
        now, target = monotonic(), generation.target
        meant = self._choice.meant_for(generation.origin.language, invoked=generation.invoked)
        later = meant[meant.index(target) + 1 :] if target in meant else ()
        has_next = any(not other.health.is_resting(now) for other in later)
        return _first_text_within(target.health.patience if has_next else None, generation)

    def failed(self, target: Target) -> None:
        """Find out, beside the requests, when a target that failed is well again, and tell `watch`."""
        if id(target) not in self._recovering and not target.backend.is_instant:
            task = asyncio.create_task(self._recover(target))
            self._recovering[id(target)] = task
            task.add_done_callback(lambda _: self._recovering.pop(id(target)))

    async def _recover(self, target: Target) -> None:
        if await _recovery(target):
            self._watch(Prepared(target.description))

    def end(self) -> None:
        """Look after no target any more: others take their place."""
        for task in self._recovering.values():
            task.cancel()

    async def close(self) -> None:
        """End, and wait until all has ended."""
        self.end()
        if self._recovering:
            await asyncio.wait(self._recovering.values())


@asynccontextmanager
async def _first_text_within(seconds: float | None, generation: Generation) -> AsyncIterator[None]:
    """End the block with BackendError if `generation` has no text after so many seconds; None is for ever."""
    loop, began = asyncio.get_running_loop(), monotonic()
    limit = asyncio.timeout(None)

    def look() -> None:
        if generation.first_text_at is None:
            limit.reschedule(loop.time())

    timer = None if seconds is None else loop.call_later(seconds, look)
    try:
        async with limit:
            yield
    except TimeoutError:
        what = f"{generation.target.description} takes much longer than usual, so the next backend is asked"
        raise BackendError(Trouble.SLOW, what) from None
    finally:
        if timer is not None:
            timer.cancel()
        if generation.first_text_at is not None:
            generation.target.health.first_text(generation.first_text_at - began)


async def _recovery(target: Target) -> bool:
    """Wait until a backend that failed is well again; return False if only its next answer can tell.

    Requests leave it alone meanwhile: none has to find out, and wait for that, whether it is back.
    """
    health = target.health
    while _is_away(health):
        await asyncio.sleep(max(_LEAST_REST, health.rest(monotonic())))
        if not _is_away(health):  # a request by key had an answer
            break
        health.is_being_tried = True
        try:
            await target.prepare()
        except BackendError as error:
            health.failed(error, monotonic())
        else:
            health.recovered()
        finally:
            health.is_being_tried = False
    return health.error is None


def _is_away(health: Health) -> bool:
    return health.error is not None and health.error.trouble in _SHOWN_BY_ASKING
