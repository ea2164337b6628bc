"""How much a piece of other text says about a cursor: the one scoring function.

It is a sum over the words that the piece and the cursor's surroundings have in common, each counted by how near it
is to the cursor and how rare it is elsewhere (inverse document frequency), over the piece's length as in BM25. What
the user has just changed, visited or imports counts more. `tests/bench/context_quality.py` measured it against others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Set
from functools import cached_property

from attrs import frozen

#: How much the length of a piece tells against it, and the length, in words, that tells nothing.
_LENGTH_SHARE, _USUAL_LENGTH = 0.4, 60.0


@frozen(eq=False)
class Piece:
    """A candidate: some lines of a document. `boost` multiplies what its words say, `floor` is added to it."""

    path: str
    uri: str
    start: int
    end: int
    text: str
    words: Set[str]
    boost: float = 1.0
    floor: float = 0.0

    @cached_property
    def lines(self) -> frozenset[str]:
        """Its lines that are not blank, without what they are indented by."""
        return frozenset(line.strip() for line in self.text.split("\n")) - {""}


def rarity(count: int, of: int) -> float:
    """Return the inverse document frequency of a word that `count` of `of` pieces hold."""
    return math.log(1.0 + (of - count + 0.5) / (count + 0.5)) if count < of else 0.05


def score(piece: Piece, query: Mapping[str, float], rare: Callable[[str], float]) -> float:
    """Return how much `piece` says about `query`, words with their weights."""
    words = piece.words
    common = sum(weight * rare(word) for word, weight in query.items() if word in words)
    length = 1.0 - _LENGTH_SHARE + _LENGTH_SHARE * len(words) / _USUAL_LENGTH
    return common / length * piece.boost + piece.floor


def in_order(
    pieces: Iterable[Piece], query: Mapping[str, float], rare: Callable[[str], float]
) -> list[Piece]:
    """Return the pieces that say anything, the best first.

    Each is judged by itself: to count less what earlier pieces have said was measured, and finds fewer names.
    """
    known = {word: rare(word) for word in query}
    scored = [(score(piece, query, known.__getitem__), piece) for piece in pieces]
    scored.sort(key=lambda entry: -entry[0])
    return [piece for worth, piece in scored if worth > 0.0]
