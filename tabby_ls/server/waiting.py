"""Whether a request has been waiting for a while: shown as the status `thinking`, and not at every keystroke."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds of waiting before it is shown: answers from memory, and most others, come sooner.
_PATIENCE = 0.25
#: Seconds that it stays after the last answer: the next keystroke's request may be on its way.
_LINGER = 0.15


class Waiting:
    """Counts the requests under way. `is_long` once one has waited for a while; `changed` is called then."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.is_long = False
        self._changed = changed
        self._requests = 0
        self._ending: asyncio.TimerHandle | None = None

    @contextmanager
    def request(self) -> Iterator[None]:
        """Surround the handling of one request."""
        loop = asyncio.get_running_loop()
        self._requests += 1
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        long = loop.call_later(_PATIENCE, self._set, True)
        try:
            yield
        finally:
            long.cancel()
            self._requests -= 1
            if self.is_long and not self._requests:
                self._ending = loop.call_later(_LINGER, self._set, False)

    def _set(self, is_long: bool) -> None:
        if is_long != self.is_long:
            self.is_long = is_long
            self._changed()
