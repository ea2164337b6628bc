"""Tells pacing what happens: each keystroke, and whether the user went on to type what a backend had suggested."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from tabby_ls.engine.inflight import Edit, Generation
from tabby_ls.engine.pacing import Key, Pacer
from tabby_ls.engine.snapshot import Snapshot


class Habits:
    """The habits of one user, in all documents."""

    def __init__(self) -> None:
        self._pacer = Pacer()
        #: The newest answer of each document, until a key shows whether it was right.
        self._unjudged: dict[str, Generation] = {}
        self._asked_last: Snapshot | None = None

    def requested(self, now: Snapshot) -> None:
        """Take note of a request: without an edit before it, at another place than the last, the cursor was moved."""
        last, self._asked_last = self._asked_last, now
        if last is not None and (last.uri, last.version) == (now.uri, now.version) and last != now:
            self._pacer.key(monotonic(), Key.MOVE)

    def delay(self, generation: Generation, fixed_ms: int | None) -> float:
        """Return the seconds to wait before `generation` may ask; `fixed_ms` is the user's own choice, if any."""
        return self._pacer.delay(monotonic(), generation.target.speed, fixed_ms)

    def asked(self, generation: Generation) -> None:
        """Take note that a backend is being asked."""
        self._unjudged[generation.origin.uri] = generation

    def edited(self, uri: str, edits: Sequence[Edit], running: Generation | None) -> bool:
        """Take note of a change of a document; return whether what is `running` for it survives that."""
        if edits:
            self._pacer.key(monotonic(), Key.of(edits[-1].text))
        survives = running is None or _survives(running, edits)
        newest = self._unjudged.get(uri)
        if newest is not None and (newest.text.strip() or newest.ended):
            del self._unjudged[uri]
            if not newest.abandoned:
                agreed = survives if newest is running else _survives(newest, edits)
                newest.target.speed.answer(agreed=agreed)
        return survives

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        self._unjudged.pop(uri, None)


def _survives(generation: Generation, edits: Sequence[Edit]) -> bool:
    outcomes = [generation.survives(edit) for edit in edits]  # it takes note of all of them
    return all(outcomes)
