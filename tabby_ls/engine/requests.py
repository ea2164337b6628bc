"""A request to the engine, and how long it waits for the generation that is to answer it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from attrs import define, frozen

from tabby_ls.engine.inflight import Edit, Generation
from tabby_ls.engine.snapshot import Snapshot

#: Seconds after which a request is answered with the whole lines that are there, though more of them are coming. Who
#: asks by key waits for it, and has a use for the whole.
_PATIENCE, _PATIENCE_INVOKED = 0.4, 1.5


@frozen
class Request:
    """One question: what comes at this cursor? `deadline` is in seconds from now.

    `alternatives` is how many suggestions besides the best one are of use to an invoked request. `since` are the
    changes of the document after `snapshot`, of which the engine has been told before it is asked. `waits_for_all`
    says that nobody will ask again: until the deadline, only all of the answer will do.
    """

    snapshot: Snapshot
    invoked: bool
    deadline: float
    alternatives: int = 0
    since: tuple[Edit, ...] = ()
    waits_for_all: bool = False


@define(eq=False)
class _Pending:
    snapshot: Snapshot
    waiter: asyncio.Future[None]
    is_superseded: bool = False


class Waiting:
    """The requests that wait for a generation."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []

    def supersede(self, now: Snapshot) -> None:
        """Let go of the requests for an earlier state of this document: a newer one is here."""
        for pending in self._pending:
            if pending.snapshot.uri == now.uri and pending.snapshot != now and not pending.waiter.done():
                pending.is_superseded = True
                pending.waiter.set_result(None)

    async def wait(self, generation: Generation, request: Request, arrived: float) -> tuple[bool, str | None]:
        """Wait for `generation`; return whether a newer request superseded this one, and else the suggestion for it.

        That is None if there is none when the generation ends, at the deadline, or, once the user has waited a while,
        as soon as whole lines are there: the caller takes those. `arrived` is when the request came, in seconds of the
        monotonic clock.
        """
        deadline = arrived + request.deadline
        usual = _PATIENCE_INVOKED if request.invoked else _PATIENCE
        patience = deadline if request.waits_for_all else arrived + usual
        while True:
            text = generation.suggestion_for(request.snapshot)
            now = monotonic()
            is_all = text is not None and (not request.invoked or generation.ended or now >= patience)
            if is_all or generation.ended or now >= deadline:
                return False, text
            if now >= patience and _has_whole_line(generation.rest_for(request.snapshot)):
                return False, text
            until = patience if now < patience else deadline
            with self._waiting(generation, request) as pending, suppress(TimeoutError):
                async with asyncio.timeout(min(until, deadline) - now):
                    await pending.waiter
            if pending.is_superseded:
                return True, None

    @contextmanager
    def _waiting(self, generation: Generation, request: Request) -> Iterator[_Pending]:
        pending = _Pending(request.snapshot, generation.waiter())
        self._pending.append(pending)
        try:
            yield pending
        finally:
            self._pending.remove(pending)
            generation.leave(pending.waiter)


def _has_whole_line(text: str | None) -> bool:
    head, newline, _ = (text or "").rpartition("\n")
    return bool(newline and head.strip())
