"""Messages that wait until the user has paused, for a client that takes a message away at the next key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from lsprotocol.types import MessageType

#: Seconds without an edit after which a message has a chance to be read.
_PAUSE = 1.0


class Lull:
    """Passes messages on as soon as nothing was edited for a while."""

    def __init__(self, show: Callable[[MessageType, str], None]) -> None:
        self._show = show
        self._kept: list[tuple[MessageType, str]] = []
        self._last_edit = -_PAUSE
        self._looking: asyncio.TimerHandle | None = None

    def edited(self) -> None:
        """Take note that the user types."""
        self._last_edit = monotonic()

    def say(self, kind: MessageType, text: str) -> None:
        """Show a message, now or later."""
        self._kept.append((kind, text))
        if self._looking is None:
            self._look()

    def _look(self) -> None:
        self._looking = None
        rest = self._last_edit + _PAUSE - monotonic()
        if rest > 0:
            self._looking = asyncio.get_running_loop().call_later(rest, self._look)
            return
        kept, self._kept = self._kept, []
        for kind, text in kept:
            self._show(kind, text)

    def end(self) -> None:
        """Show nothing any more."""
        if self._looking is not None:
            self._looking.cancel()
