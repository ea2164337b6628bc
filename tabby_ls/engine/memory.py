"""The memory: a cache of generated text, which also answers for the states reached by typing or accepting that text."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from attrs import frozen
from cachetools import TTLCache

from tabby_ls.engine.anchor import Anchor, rest_of, typed_since
from tabby_ls.engine.snapshot import Snapshot

#: How many places (lines of documents) are remembered, for how many seconds, and how many answers at each. An
#: anchor holds up to 6,000 characters, so that they take some megabytes.
_PLACES, _SECONDS, _ANSWERS = 512, 600.0, 8
#: How many lines above the cursor a remembered answer may have begun: each costs a look-up at every key.
_LINES_ABOVE = 24


@frozen(slots=True)
class Answer:
    """Text that was generated, to its end, and where a suggestion made of it ends.

    `stops` are numbers of its lines, ascending. The first suggestion ends with the line of the first stop, and
    when that is typed or accepted the next one ends with that of the next.
    """

    text: str
    stops: tuple[int, ...]

    def next_piece(self, rest: str, typed: str, place: Anchor) -> str | None:
        """Return what of the `rest` that remains once `typed` stands at `place` is one suggestion, else None."""
        lines = rest.split("\n")
        first_line = typed.count("\n")
        is_first = typed == place.head
        for stop in self.stops:
            piece = "\n".join(lines[: max(0, stop - first_line + 1)])
            if piece.strip() or (is_first and stop >= first_line):
                return piece
        return None


@frozen(slots=True)
class _Remembered:
    place: Anchor
    answer: Answer
    invoked: bool


class Memory:
    """A cache of answers by document, language, scope and line, each checked against the text itself.

    `scope` stands for whatever else decides an answer: the model and the settings. A look-up costs what is
    compared around the cursor, at most some thousand characters, whatever the size of the document.
    """

    def __init__(self) -> None:
        self._places: TTLCache[Hashable, tuple[_Remembered, ...]] = TTLCache(_PLACES, _SECONDS)

    def remember(self, scope: Hashable, place: Anchor, answers: Sequence[Answer], *, invoked: bool) -> None:
        """Keep the answers at `place`, the best one first, instead of those that such a request brought before.

        An empty one says that there was nothing to suggest.
        """
        key = (scope, place.uri, place.language, place.line)
        others = [
            known
            for known in self._places.get(key, ())
            if (known.place.fixed, known.place.head) != (place.fixed, place.head) or known.invoked != invoked
        ]
        new = [_Remembered(place, answer, invoked) for answer in answers]
        self._places[key] = (*new, *others)[:_ANSWERS]

    def recall(self, scope: Hashable, now: Snapshot, *, invoked: bool) -> str | None:
        """Return the rest of an answer whose beginning was typed, "" for a known silence, else None.

        An invoked request asks for more than is usual: only the answer to another one will do.
        """
        pieces = (piece for known, piece in self._pieces(scope, now) if known.invoked or not invoked)
        return next(pieces, None)

    def recall_all(self, scope: Hashable, now: Snapshot) -> list[str]:
        """Return all that is known for a state, what invoked requests brought first, without repetition."""
        pieces = sorted(self._pieces(scope, now), key=lambda found: not found[0].invoked)
        return list(dict.fromkeys(piece for _, piece in pieces if piece.strip()))

    def _pieces(self, scope: Hashable, now: Snapshot) -> Iterator[tuple[_Remembered, str]]:
        for line in range(now.line, max(-1, now.line - _LINES_ABOVE), -1):
            for known in self._places.get((scope, now.uri, now.language, line), ()):
                if known.answer.text.count("\n") < now.line - line:
                    continue
                typed = typed_since(known.place, now)
                if typed is None:
                    continue
                rest = rest_of(known.answer.text, typed, known.place, finished=True)
                if rest is None:
                    continue
                piece = known.answer.next_piece(rest, typed, known.place)
                if piece is not None:
                    yield known, piece

    def forget(self, uri: str) -> None:
        """Drop everything about a document."""
        for key in [k for k in self._places if k[1] == uri]:  # type: ignore[index]
            self._places.pop(key, None)  # it may expire meanwhile
