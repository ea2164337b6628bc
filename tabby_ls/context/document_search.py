"""Finds the lines of the session's documents that may say most about a cursor, among which `ranking.py` then chooses.

Which words are where is known (`chunks.py`), so only likely documents, and in them likely chunks, are looked at closely.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Collection, Generator, Mapping
from functools import lru_cache
from time import thread_time

from attrs import frozen

from tabby_ls.context.chunks import Chunk, Chunked
from tabby_ls.context.open_documents import OpenDocument, OpenDocuments
from tabby_ls.context.query import Query
from tabby_ls.context.ranking import DEFINED, Piece
from tabby_ls.context.words import bag

#: Documents and chunks that one search looks at closely.
_MOST_DOCUMENTS, _MOST_PIECES = 24, 80
#: Seconds of work after which a search looks into no further document; the likeliest come first.
_MOST_WORK = 0.003
#: Documents that are scored, and pieces that are made, between two pauses: a fraction of a millisecond's work.
_SLICE = 16
#: How fast what the user changed or visited counts less with every place after it: 1 / (1 + _FORGETTING * age).
_FORGETTING = 0.15
#: What a recent change and a visit add to a chunk's factor, and what a change adds to its score (see `Piece.boost`
#: and `Piece.floor`). What this choice of numbers is worth, `tests/bench/context_quality.py` measures.
_EDITED, _EDITED_FLOOR, _VISITED = 0.6, 3.0, 0.2
#: What is added to the factor of a document that the cursor's imports, is in its language, or in its folder.
_IMPORTED, _SAME_LANGUAGE, _SAME_FOLDER = 0.4, 0.3, 0.15

#: What was looked at closely is likely to be so again at the next place: most of what looking costs is its words.
_words_of = lru_cache(maxsize=4 * _MOST_PIECES)(bag)


@frozen(eq=False)
class Search:
    """A cursor that pieces are wanted for, from `sources` (of `edits`, `open`, `definitions`).

    `lines` of the document `uri` are in the prompt anyway. `path` is the document's as the model sees it.
    """

    uri: str
    path: str
    language: str
    query: Query
    lines: range
    sources: Collection[str]

    def sees(self, uri: str, chunk: Chunk) -> bool:
        """Return whether a chunk is, in part, in the prompt anyway."""
        return uri == self.uri and chunk.start < self.lines.stop and chunk.end > self.lines.start


@frozen(eq=False)
class _Candidate:
    """A chunk before its words are looked at one by one: `total` is what those in common with the query are worth."""

    document: OpenDocument
    chunk: Chunk
    total: float
    boost: float
    floor: float

    @property
    def worth(self) -> float:
        """Its score but for its length (see `ranking.score`)."""
        return self.total * self.boost + self.floor

    def piece(self) -> Piece:
        document, chunk = self.document, self.chunk
        return Piece(
            document.path,
            document.uri,
            chunk.start,
            chunk.end,
            chunk.text,
            _words_of(chunk.text),
            self.boost,
            self.floor,
        )


def find(documents: OpenDocuments, search: Search) -> Generator[None, None, list[Piece]]:
    """Return the pieces that may say most about a cursor; yields after each millisecond or so of work.

    What all of it takes has a bound, whatever is open: see `_MOST_WORK`.
    """
    work, since = 0.0, thread_time()
    weights = {word: weight * documents.rare(word) for word, weight in search.query.words.items()}
    scored: list[tuple[float, OpenDocument]] = []
    for number, document in enumerate(documents.recent()):
        if document.chunked is not None:
            where = document.chunked.where
            total = sum(weight for word, weight in weights.items() if word in where)
            if document.places:
                total += _EDITED_FLOOR
            scored.append((total * _boost(document, search), document))
        if number % _SLICE == _SLICE - 1:
            yield
    candidates: list[_Candidate] = []
    for _, document in heapq.nlargest(_MOST_DOCUMENTS, scored, key=lambda entry: entry[0]):
        if document.chunked is not None:  # it may have been closed since
            candidates += _candidates(documents, document, document.chunked, search, weights)
        work += thread_time() - since
        if work > _MOST_WORK:
            break
        yield
        since = thread_time()
    pieces: list[Piece] = []
    for candidate in heapq.nlargest(_MOST_PIECES, candidates, key=lambda it: it.worth):
        pieces.append(candidate.piece())
        if len(pieces) % _SLICE == 0:
            yield
    return pieces


def _candidates(
    documents: OpenDocuments,
    document: OpenDocument,
    chunked: Chunked,
    search: Search,
    weights: Mapping[str, float],
) -> list[_Candidate]:
    boost = _boost(document, search)
    totals: dict[int, float] = {}
    for word, weight in weights.items():
        bits = chunked.where.get(word, 0)
        while bits:
            number = (bits & -bits).bit_length() - 1
            totals[number] = totals.get(number, 0.0) + weight
            bits &= bits - 1
    recent = _recent_chunks(documents, document, chunked) if "edits" in search.sources else {}
    wanted = totals.keys() | recent.keys() if "open" in search.sources else recent.keys()
    ranked: list[tuple[float, int]] = []
    is_its_own = document.uri == search.uri
    for number in wanted:
        if is_its_own and search.sees(document.uri, chunked.chunks[number]):
            continue
        more, floor = recent.get(number, (0.0, 0.0))
        ranked.append((totals.get(number, 0.0) * (boost + more) + floor, number))
    found: list[_Candidate] = []
    for _, number in heapq.nlargest(_MOST_PIECES, ranked):
        more, floor = recent.get(number, (0.0, 0.0))
        found.append(
            _Candidate(document, chunked.chunks[number], totals.get(number, 0.0), boost + more, floor)
        )
    for name, weight in search.query.whole.items() if "definitions" in search.sources else ():
        head = chunked.defined.get(name)
        if head is not None and not search.sees(document.uri, head):
            worth = weight * documents.rare(name)
            found.append(_Candidate(document, head, worth, boost, DEFINED * worth))
    return found


def _recent_chunks(
    documents: OpenDocuments, document: OpenDocument, chunked: Chunked
) -> dict[int, tuple[float, float]]:
    """Return what is added to the factor and to the score of the chunks that the user changed or was at."""
    recent: dict[int, tuple[float, float]] = {}
    chunks = chunked.chunks
    for place in document.places:
        fading = 1.0 / (1.0 + _FORGETTING * documents.age(place))
        gain, floor = (_EDITED, _EDITED_FLOOR) if place.edited else (_VISITED, 0.0)
        number = bisect_right(chunks, place.line, key=lambda chunk: chunk.end)
        while number < len(chunks) and chunks[number].start <= place.end:
            more, base = recent.get(number, (0.0, 0.0))
            recent[number] = max(more, gain * fading), max(base, floor * fading)
            number += 1
    return recent


def _boost(document: OpenDocument, search: Search) -> float:
    """Return by how much all of a document counts more for where it is and what it is written in."""
    boost = 1.0
    if document.stem in search.query.imported:
        boost += _IMPORTED
    if document.language == search.language:
        boost += _SAME_LANGUAGE
    if document.path.rpartition("/")[0] == search.path.rpartition("/")[0]:
        boost += _SAME_FOLDER
    return boost
