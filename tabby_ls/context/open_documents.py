"""The documents of the session: taken apart while nobody types, and asked which of their lines say most.

Only what the editor has opened is here. Of a closed document the places where the user was are kept for some minutes.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Generator, Sequence
from functools import lru_cache
from time import monotonic, thread_time

from attrs import Factory, define, frozen

from tabby_ls.context.chunks import Chunk, Chunked, take_apart
from tabby_ls.context.query import Query
from tabby_ls.context.ranking import Piece, rarity
from tabby_ls.context.words import bag

#: Of all documents, only those used last are taken apart; of a long one, only the beginning.
MOST_DOCUMENTS = 256
_MOST_LINES = 6000
#: Seconds that the places in a closed document are remembered.
_KEPT = 600.0
_MOST_PLACES = 12
#: Pieces a query looks at closely.
_MOST_DOCUMENTS_ASKED, _MOST_PIECES = 24, 80
#: Seconds of work after which a query looks into no further document; the likeliest come first.
_MOST_WORK = 0.003
#: How fast what the user changed or visited counts less with every place after it.
_FORGETTING = 0.15
#: What recent changes and visits, imported modules, nearness and definitions count.
_EDITED, _EDITED_FLOOR, _VISITED = 0.6, 3.0, 0.2
_IMPORTED, _SAME_LANGUAGE, _SAME_FOLDER, _DEFINED = 0.4, 0.3, 0.15, 1.0


#: What was looked at closely is likely to be so again at the next place: most of what looking costs is its words.
_words_of = lru_cache(maxsize=4 * _MOST_PIECES)(bag)


@define(eq=False)
class _Place:
    """Lines the user changed or was at; the later, the greater `when`."""

    line: int
    end: int
    when: int
    edited: bool


@define(eq=False)
class _Document:
    uri: str
    path: str
    language: str
    lines: Callable[[], Sequence[str]]
    chunked: Chunked | None = None
    is_stale: bool = True
    #: Taking it apart, while that goes on.
    work: Generator[None, None, Chunked] | None = None
    places: list[_Place] = Factory(list)
    closed_at: float | None = None

    @property
    def stem(self) -> str:
        """The document's name as an import statement would have it."""
        folder, _, name = self.path.rpartition("/")
        stem = name.partition(".")[0]
        return folder.rpartition("/")[2] if stem in ("__init__", "index", "mod") else stem


@frozen(eq=False)
class Asking:
    """A cursor that pieces are wanted for, from `sources`. `lines` of its document are in the prompt anyway."""

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
    document: _Document
    chunk: Chunk
    total: float
    boost: float
    floor: float

    @property
    def worth(self) -> float:
        """What it is likely to be worth, before its words are looked at one by one."""
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


class OpenDocuments:
    """All documents of a session. Belongs to one thread; methods that take long are generators: work in slices."""

    def __init__(self) -> None:
        self._documents: OrderedDict[str, _Document] = OrderedDict()
        self._counts: Counter[str] = Counter()
        self._chunks = 0
        self._clock = 0

    def opened(self, uri: str, path: str, language: str, lines: Callable[[], Sequence[str]]) -> None:
        """Take in a document; `path` is what the model sees, `lines` gives its lines as they then are."""
        self._drop(uri)
        self._documents[uri] = _Document(uri, path, language, lines)

    def edited(self, uri: str, line: int, end_line: int, text: str) -> None:
        """Take note that `text` took the place of lines `line` to `end_line`."""
        document = self._documents.get(uri)
        if document is None:
            return
        document.is_stale = True
        self._documents.move_to_end(uri)
        grown = text.count("\n") - (end_line - line)
        if grown:
            for place in document.places:
                if place.line > line:
                    place.line, place.end = max(line, place.line + grown), max(line, place.end + grown)
        self._note(document, line, line + text.count("\n"), edited=True)

    def visited(self, uri: str, line: int) -> None:
        """Take note that the cursor is at a line."""
        if (document := self._documents.get(uri)) is not None:
            self._documents.move_to_end(uri)
            self._note(document, line, line, edited=False)

    def closed(self, uri: str) -> None:
        """Keep of a document only where the user was, for some minutes."""
        document = self._documents.get(uri)
        if document is None:
            return
        self._forget(document)
        kept: list[str] = []
        lines = document.lines()
        for place in document.places:
            kept += [line.rstrip("\r\n") for line in lines[max(0, place.line - 8) : place.end + 8]] + [""]
        if not kept:
            del self._documents[uri]
            return
        document.lines = lambda: kept
        document.closed_at = monotonic()
        document.places = []

    def forget(self, uri: str) -> None:
        """Forget a document and all that was in it."""
        self._drop(uri)

    @property
    def has_stale(self) -> bool:
        """Whether there is something to take apart."""
        return any(document.is_stale or document.work is not None for document in self._recent())

    def refresh(self, but: str = "") -> Generator[None, None, None]:
        """Take apart what was changed since, but for the document `but`; yields after each millisecond of work.

        What is given up half way goes on from there the next time.
        """
        for document in self._recent():
            is_wanted = document.is_stale and (document.uri != but or document.chunked is None)
            if is_wanted or document.work is not None:
                yield from self._take_apart(document)

    def _take_apart(self, document: _Document) -> Generator[None, None, None]:
        if document.work is None:
            document.is_stale = False  # and will be again if it is edited while this goes on
            document.work = take_apart([line.rstrip("\r\n") for line in document.lines()[:_MOST_LINES]])
        work = document.work
        while document.work is work:  # else it was closed, or another caller has come to the end
            try:
                next(work)
            except StopIteration as end:
                document.work = None
                self._uncount(document)
                self._count(document, end.value)
            yield

    def _count(self, document: _Document, chunked: Chunked) -> None:
        document.chunked = chunked
        self._chunks += len(chunked.chunks)
        for word, places in chunked.where.items():
            self._counts[word] += places.bit_count()

    def rare(self, word: str) -> float:
        """Return how much it says that a text holds `word`."""
        return rarity(self._counts.get(word, 0), self._chunks + 1)

    def find(self, asking: Asking) -> Generator[None, None, list[Piece]]:
        """Return the pieces that may say most about a cursor; yields after each millisecond or so of work.

        What all of it takes has a bound, whatever is open: see `_MOST_WORK`.
        """
        work, since = 0.0, thread_time()
        weights = {word: weight * self.rare(word) for word, weight in asking.query.words.items()}
        scored: list[tuple[float, _Document]] = []
        for number, document in enumerate(self._recent()):
            if document.chunked is not None:
                where = document.chunked.where
                total = sum(weight for word, weight in weights.items() if word in where)
                if document.places:
                    total += _EDITED_FLOOR
                scored.append((total * self._boost(document, asking), document))
            if number % 16 == 15:
                yield
        candidates: list[_Candidate] = []
        for _, document in heapq.nlargest(_MOST_DOCUMENTS_ASKED, scored, key=lambda entry: entry[0]):
            candidates += self._candidates(document, asking, weights)
            work += thread_time() - since
            if work > _MOST_WORK:
                break
            yield
            since = thread_time()
        pieces: list[Piece] = []
        for candidate in heapq.nlargest(_MOST_PIECES, candidates, key=lambda it: it.worth):
            pieces.append(candidate.piece())
            if len(pieces) % 16 == 0:
                yield
        return pieces

    def _candidates(self, document: _Document, asking: Asking, weights: dict[str, float]) -> list[_Candidate]:
        assert document.chunked is not None
        chunked, boost = document.chunked, self._boost(document, asking)
        totals: dict[int, float] = {}
        for word, weight in weights.items():
            bits = chunked.where.get(word, 0)
            while bits:
                number = (bits & -bits).bit_length() - 1
                totals[number] = totals.get(number, 0.0) + weight
                bits &= bits - 1
        recent = self._recent_chunks(document) if "edits" in asking.sources else {}
        wanted = totals.keys() | recent.keys() if "open" in asking.sources else recent.keys()
        ranked: list[tuple[float, int]] = []
        is_its_own = document.uri == asking.uri
        for number in wanted:
            if is_its_own and asking.sees(document.uri, chunked.chunks[number]):
                continue
            more, floor = recent.get(number, (0.0, 0.0))
            ranked.append((totals.get(number, 0.0) * (boost + more) + floor, number))
        found: list[_Candidate] = []
        for _, number in heapq.nlargest(_MOST_PIECES, ranked):
            more, floor = recent.get(number, (0.0, 0.0))
            found.append(
                _Candidate(document, chunked.chunks[number], totals.get(number, 0.0), boost + more, floor)
            )
        for name, weight in asking.query.whole.items() if "definitions" in asking.sources else ():
            head = chunked.defined.get(name)
            if head is not None and not asking.sees(document.uri, head):
                worth = weight * self.rare(name)
                found.append(_Candidate(document, head, worth, boost, _DEFINED * worth))
        return found

    def _recent_chunks(self, document: _Document) -> dict[int, tuple[float, float]]:
        """Return how much more the chunks count that the user changed or was at, and what is added to that."""
        assert document.chunked is not None
        recent: dict[int, tuple[float, float]] = {}
        chunks = document.chunked.chunks
        for place in document.places:
            fading = 1.0 / (1.0 + _FORGETTING * (self._clock - place.when))
            gain, floor = (_EDITED, _EDITED_FLOOR) if place.edited else (_VISITED, 0.0)
            number = bisect_right(chunks, place.line, key=lambda chunk: chunk.end)
            while number < len(chunks) and chunks[number].start <= place.end:
                more, base = recent.get(number, (0.0, 0.0))
                recent[number] = max(more, gain * fading), max(base, floor * fading)
                number += 1
        return recent

    def _boost(self, document: _Document, asking: Asking) -> float:
        boost = 1.0
        if document.stem in asking.query.imported:
            boost += _IMPORTED
        if document.language == asking.language:
            boost += _SAME_LANGUAGE
        if document.path.rpartition("/")[0] == asking.path.rpartition("/")[0]:
            boost += _SAME_FOLDER
        return boost

    def _note(self, document: _Document, line: int, end: int, *, edited: bool) -> None:
        last = document.places[-1] if document.places else None
        if last is not None and last.line - 8 <= line <= last.end + 8 and last.edited >= edited:
            last.line, last.end = min(last.line, line), max(last.end, end)
            if last.when != self._clock:
                self._clock += 1
                last.when = self._clock
            return
        self._clock += 1
        document.places.append(_Place(line, end, self._clock, edited))
        del document.places[:-_MOST_PLACES]

    def _recent(self) -> list[_Document]:
        """Return the documents used last, the latest first; those closed too long ago go."""
        oldest = monotonic() - _KEPT
        gone = [
            uri for uri, it in self._documents.items() if it.closed_at is not None and it.closed_at < oldest
        ]
        for uri in gone:
            self._drop(uri)
        documents = list(reversed(self._documents.values()))
        for document in documents[MOST_DOCUMENTS:]:
            if document.chunked is not None:
                self._forget(document)
        return documents[:MOST_DOCUMENTS]

    def _drop(self, uri: str) -> None:
        if (document := self._documents.pop(uri, None)) is not None:
            self._forget(document)

    def _forget(self, document: _Document) -> None:
        """Forget how a document is taken apart; that is to be done anew."""
        self._uncount(document)
        document.work, document.chunked, document.is_stale = None, None, True

    def _uncount(self, document: _Document) -> None:
        """Take what a document counts for out of the counts."""
        if document.chunked is not None:
            self._chunks -= len(document.chunked.chunks)
            for word, places in document.chunked.where.items():
                self._counts[word] -= places.bit_count()
                if self._counts[word] <= 0:
                    del self._counts[word]
