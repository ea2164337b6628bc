"""Ranks pieces of other text by how much they say about a cursor. There is one score for all of them.

It is a sum over the words that the piece and the cursor's surroundings have in common, each counted by how near it
is to the cursor and how rare it is elsewhere (inverse document frequency), over the piece's length as in BM25. What
the user has just changed, visited or imports counts more. `tests/bench/context_quality.py` measured it against others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Set
from functools import lru_cache

from attrs import frozen

#: How much the length of a piece tells against it (BM25's `b`), and the length, in words, that tells nothing.
_LENGTH_SHARE, _USUAL_LENGTH = 0.4, 60.0
#: What a word is worth at least, even if all pieces hold it: next to nothing, and still more than no word.
_LEAST_RARITY = 0.05
#: What a piece that defines a name is worth besides what its words say: so many times the name itself.
DEFINED = 1.0


@frozen(eq=False)
class Piece:
    """A candidate: some lines of a document. `boost` multiplies what its words say, `floor` is added to it.

    `start` and `end` are lines of an open document, tokens of an indexed one. `path` is as the model sees it.
    """

    path: str
    uri: str
    start: int
    end: int
    text: str
    words: Set[str]
    boost: float = 1.0
    floor: float = 0.0

    @property
    def lines(self) -> frozenset[str]:
        """Its lines that are not blank, without what they are indented by."""
        return _lines_of(self.text)


@lru_cache(maxsize=512)
def _lines_of(text: str) -> frozenset[str]:
    return frozenset(map(str.strip, text.split("\n"))) - {""}


def rarity(count: int, of: int) -> float:
    """Return the inverse document frequency, as in BM25, of a word that `count` of `of` pieces hold."""
    return max(_LEAST_RARITY, math.log(1.0 + (of - count + 0.5) / (count + 0.5)))


def score(piece: Piece, worths: Mapping[str, float]) -> float:
    """Return how much `piece` says about a query: words with what each is worth, its weight times its rarity."""
    words = piece.words
    common = sum([worth for word, worth in worths.items() if word in words])
    length = 1.0 - _LENGTH_SHARE + _LENGTH_SHARE * len(words) / _USUAL_LENGTH
    return common / length * piece.boost + piece.floor


def in_order(
    pieces: Iterable[Piece], query: Mapping[str, float], rare: Callable[[str], float]
) -> list[Piece]:
    """Return the pieces that say anything, the best first.

    Each is judged by itself: to count less what earlier pieces have said was measured, and finds fewer names.
    """
    worths = {word: weight * rare(word) for word, weight in query.items()}
    scored = [(score(piece, worths), piece) for piece in pieces]
    scored.sort(key=lambda entry: -entry[0])
    return [piece for worth, piece in scored if worth > 0.0]
