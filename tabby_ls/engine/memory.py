"""Suggestions already known: what was generated before answers what the user types into it."""

from __future__ import annotations

from collections.abc import Hashable

from attrs import frozen
from cachetools import TTLCache

from tabby_ls.engine.ahead import typed_since
from tabby_ls.engine.snapshot import Snapshot

#: How many places are remembered, for how many seconds, and how many answers at each.
_PLACES, _SECONDS, _ANSWERS = 512, 600.0, 8
#: How many lines above the cursor a remembered answer may have begun.
_LINES_ABOVE = 24


@frozen(slots=True)
class Remembered:
    """`text` was generated at `origin`'s cursor, to its end."""

    origin: Snapshot
    text: str
    invoked: bool


class Memory:
    """A cache of answers by document, language, scope and line, each checked against the text itself.

    `scope` stands for whatever else decides an answer: the model and the settings.
    """

    def __init__(self) -> None:
        self._places: TTLCache[Hashable, tuple[Remembered, ...]] = TTLCache(_PLACES, _SECONDS)

    def remember(self, scope: Hashable, origin: Snapshot, text: str, *, invoked: bool) -> None:
        """Keep `text`, the answer at `origin`; an empty one says that there was nothing to suggest."""
        key = (scope, origin.uri, origin.language, origin.line)
        others = [
            r
            for r in self._places.get(key, ())
            if r.origin.line_prefix != origin.line_prefix or r.invoked != invoked
        ]
        self._places[key] = (Remembered(origin, text, invoked), *others[: _ANSWERS - 1])

    def recall(self, scope: Hashable, now: Snapshot, *, invoked: bool) -> str | None:
        """Return the rest of an answer whose beginning was typed, "" for a known silence, else None.

        An invoked request asks for more than is usual: only the answer to another one will do.
        """
        for line in range(now.line, max(-1, now.line - _LINES_ABOVE), -1):
            for known in self._places.get((scope, now.uri, now.language, line), ()):
                if (invoked and not known.invoked) or known.text.count("\n") < now.line - line:
                    continue
                typed = typed_since(known.origin, now)
                if typed is None or not known.text.startswith(typed):
                    continue
                rest = known.text[len(typed) :]
                if rest.strip() or not typed:
                    return rest
        return None

    def forget(self, uri: str) -> None:
        """Drop everything about a document."""
        for key in [k for k in self._places if k[1] == uri]:  # type: ignore[index]
            self._places.pop(key, None)  # it may expire meanwhile
