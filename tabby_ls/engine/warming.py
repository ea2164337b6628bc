"""Warms a server's prompt cache: while the user rests, it reads the snippets that the next prompt will begin with."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tabby_ls.backends.backend import BackendError, Snippet
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.target import Target

#: Seconds of rest before it begins: by then the snippets are chosen anew (`_PAUSE` in `context/surroundings.py`).
_REST = 3.5


class Warmer:
    """Reads ahead for one target at a time, until a request needs the server."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        #: What the server has read last, by target.
        self._read: dict[int, tuple[Snippet, ...]] = {}

    def rest(self, target: Target, snapshot: Snapshot, snippets: tuple[Snippet, ...]) -> None:
        """Read ahead after a rest: a request with `snippets` was answered at `snapshot`."""
        self.stop()
        self._read[id(target)] = snippets
        if target.backend.reads_ahead:
            self._task = asyncio.create_task(self._warm(target, snapshot))

    def stop(self) -> None:
        """Break off: a request is about to be made, which must not wait for what is being read."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Stop, and wait until the connection is closed."""
        self.stop()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _warm(self, target: Target, snapshot: Snapshot) -> None:
        await asyncio.sleep(_REST)
        with suppress(BackendError):  # the next request will find out
            chosen = await target.snippets(snapshot)
            snippets = target.infill(snapshot, Mode.LINE, invoked=False, snippets=chosen).snippets
            if snippets and snippets != self._read.get(id(target)):
                await target.backend.warm(snippets)
                self._read[id(target)] = snippets
