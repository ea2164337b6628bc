"""How much a piece of other text says about a cursor: the one scoring function.

It is a sum over the words that the piece and the cursor's surroundings have in common, each counted by how near it
is to the cursor and how rare it is elsewhere (inverse document frequency), over the piece's length as in BM25. What
the user has just changed, visited or imports counts more. `tests/bench/context_quality.py` measured it against others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping

from attrs import frozen

#: How much the length of a piece tells against it, and the length, in words, that tells nothing.
_LENGTH_SHARE, _USUAL_LENGTH = 0.4, 60.0
#: What a word still counts once a chosen piece holds it.
_SAID = 0.4


@frozen(eq=False)
class Piece:
    """A candidate: some lines of a document. `boost` multiplies what its words say, `floor` is added to it."""

    path: str
    uri: str
    start: int
    end: int
    text: str
    words: Collection[str]
    boost: float = 1.0
    floor: float = 0.0


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
) -> Iterable[Piece]:
    """Yield the pieces, the best first, each judged by what those before it have not said yet."""
    left = dict(query)
    known: dict[str, float] = {word: rare(word) for word in left}
    waiting = [(score(piece, left, known.__getitem__), number, piece) for number, piece in enumerate(pieces)]
    waiting.sort(key=lambda entry: (-entry[0], entry[1]))
    while waiting:
        # Scores only fall, so the first that keeps its place after being judged anew is the best.
        _, number, piece = waiting.pop(0)
        now = score(piece, left, known.__getitem__)
        if waiting and now < waiting[0][0]:
            at = 0
            while at < len(waiting) and (-waiting[at][0], waiting[at][1]) < (-now, number):
                at += 1
            waiting.insert(at, (now, number, piece))
            continue
        if now <= 0.0:
            return
        yield piece
        for word in piece.words:
            if word in left:
                left[word] *= _SAID
