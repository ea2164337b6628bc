"""The generations that run: one a document and one prefetch, and at each backend no more than it bears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from tabby_ls.engine.inflight import Generation, Purpose
from tabby_ls.engine.requests import Request
from tabby_ls.engine.target import Target

#: Seconds a generation outlives the request that started it: editors cancel the old request before they send the
#: one that will join. Longer where the document moved on in agreement; else only so long as an edit may be on its way.
_GRACE, _SHORT_GRACE = 0.5, 0.05


class Running:
    """Starts and ends generations; whoever waits for one that is ended here is told at once."""

    def __init__(self) -> None:
        self._of: dict[str, Generation] = {}
        self._prefetch_of: dict[str, Generation] = {}
        #: All that run, so that they are not collected, and are waited for in the end.
        self._tasks: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Generation]:
        return iter([*self._of.values(), *self._prefetch_of.values()])

    def of(self, uri: str) -> Generation | None:
        """Return the document's generation."""
        return self._of.get(uri)

    def prefetch_of(self, uri: str) -> Generation | None:
        """Return the document's prefetch: the generation for its state after a suggestion is accepted."""
        return self._prefetch_of.get(uri)

    def start(self, generation: Generation, work: Callable[[Generation], Coroutine[Any, Any, None]]) -> None:
        """Begin to generate, in the place of what ran for the document; `work` fills it in until it ends."""
        uri = generation.origin.uri
        place = self._prefetch_of if generation.purpose is Purpose.PREFETCH else self._of
        if place is self._of:
            self.abandon(uri)
        elif former := self._prefetch_of.pop(uri, None):
            former.abandon()
        place[uri] = generation
        self.keep(generation.start(work))

    def keep(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        """Keep a task until it is done, and return it; :meth:`close` waits for it."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def join(self, request: Request) -> Generation | None:
        """Return the document's generation if it may answer `request`; else end it.

        That may be the prefetch: the suggestion was accepted.
        """
        uri = request.snapshot.uri
        generation, prefetch = self._of.get(uri), self._prefetch_of.get(uri)
        if generation is not None and _may_answer(generation, request):
            generation.requests += 1
            return generation
        self.end(generation)
        if prefetch is None or request.invoked or not prefetch.resumes_at(request.snapshot):
            return None
        self._of[uri] = self._prefetch_of.pop(uri)
        return prefetch

    def abandon(self, uri: str) -> None:
        """End all that runs for a document."""
        self.end(self._of.get(uri))
        self.end(self._prefetch_of.get(uri))

    def end(self, generation: Generation | None) -> None:
        """End a generation and close its connection, if it still runs."""
        if generation is not None and self.leave(generation):
            generation.abandon()

    def leave(self, generation: Generation) -> bool:
        """Forget a generation that ended; return False if that was done already."""
        uri = generation.origin.uri
        for place in (self._of, self._prefetch_of):
            if place.get(uri) is generation:
                del place[uri]
                return True
        return False

    def withdraw(self, generation: Generation, *, typing: bool) -> None:
        """End `generation` in a moment, unless it is joined: the client cancelled the request that waited for it.

        While the user is `typing`, the next request may come back for it. Else what was asked for by key was taken back
        by key, and ends at once.
        """
        state = generation.requests, generation.edits
        if generation.invoked and not typing:
            self._end_if_unwanted(generation, *state)
            return
        seconds = _GRACE if typing else _SHORT_GRACE
        asyncio.get_running_loop().call_later(seconds, self._end_if_unwanted, generation, *state)

    def _end_if_unwanted(self, generation: Generation, requests: int, edits: int) -> None:
        if generation.is_awaited or generation.requests != requests:
            return
        if generation.edits != edits:  # the edit came after the cancellation: its request may be on the way
            self.withdraw(generation, typing=True)
        else:
            self.end(generation)

    def spare(self, target: Target) -> int:
        """Return how many more streams a backend bears."""
        return target.max_in_flight - len(self._at(target))

    def make_room(self, generation: Generation) -> None:
        """End what has to give way to a generation that is about to ask: prefetches, what nobody waits for,
        then what began first."""
        others = [other for other in self._at(generation.target) if other is not generation]
        others.sort(
            key=lambda other: (other.purpose is not Purpose.PREFETCH, other.is_awaited, other.asked_at)
        )
        for other in others[: max(0, len(others) + 1 - generation.target.max_in_flight)]:
            self.end(other)

    def _at(self, target: Target) -> list[Generation]:
        return [g for g in self if g.target is target and g.asked_at is not None and not g.ended]

    async def close(self) -> None:
        """End everything, and wait until every connection is closed."""
        for generation in self:
            self.end(generation)
        if self._tasks:
            await asyncio.wait(self._tasks)


def _may_answer(generation: Generation, request: Request) -> bool:
    if request.invoked and not generation.invoked:
        return False
    if generation.asked_at is None:  # still pacing: nothing is lost by asking for the newer state
        return generation.origin == request.snapshot
    return generation.leads_to(request.snapshot)
