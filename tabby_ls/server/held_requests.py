"""Requests that arrive while the client is being asked for its settings.

They wait for the answer, because it may forbid what they ask for: a file may be excluded, a language switched off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tabby_ls.engine.inflight import Edit

#: Seconds a request is held at most: the client may never answer.
_LONGEST = 1.0


class HeldRequests:
    """Holds requests while settings are on their way, and releases them in the order in which they came."""

    def __init__(self) -> None:
        self._known = asyncio.Event()
        self._known.set()
        self._turn = asyncio.Lock()
        #: For each held request, its document and the changes made to it since the request came.
        self._missed: list[tuple[str, list[Edit]]] = []

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold the requests that arrive before this context ends."""
        self._known.clear()
        try:
            yield
        finally:
            self._known.set()

    async def wait(self, uri: str) -> Sequence[Edit]:
        """Wait until a request about this document may go on; return what has changed in the document meanwhile."""
        if self._known.is_set() and not self._missed:  # the lock is free between two that go on
            return ()
        missed: list[Edit] = []
        self._missed.append((uri, missed))
        try:
            async with self._turn:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LONGEST):
                        await self._known.wait()
                self._known.set()
        finally:
            self._missed = [(of, edits) for of, edits in self._missed if edits is not missed]
        return missed

    def edited(self, uri: str, edits: Sequence[Edit]) -> None:
        """Take note of changes to a document, for the requests about it that are held."""
        for of, missed in self._missed:
            if of == uri:
                missed += edits
