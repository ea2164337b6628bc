"""Keeps the session's documents in chunks, with the places the user changed or was at, for `document_search.py`.

Documents are taken apart while nobody types. Only what the editor has opened is here. Of a closed document the places
where the user was are kept for some minutes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Generator, Sequence
from time import monotonic

from attrs import Factory, define

from tabby_ls.context.chunks import Chunked, take_apart
from tabby_ls.context.ranking import rarity

#: Of all documents only those used last are taken apart, and of a long one its first lines: in Python so many take
#: 25 ms and 1 MB.
_MOST_DOCUMENTS, _MOST_LINES = 256, 6000
#: Seconds that the places in a closed document are remembered.
_KEPT = 600.0
#: Places that are remembered of a document, the latest ones: older ones count for little.
_MOST_PLACES = 12
#: Lines around a place that belong to it: what happens there is no new place, and of a closed document they stay.
_AROUND = 8


@define(eq=False)
class Place:
    """Lines `line` to `end`, the latter included, that the user changed or was at; the later, the greater `when`."""

    line: int
    end: int
    when: int
    edited: bool


@define(eq=False)
class OpenDocument:
    """A document and what it says; `path` is as the model sees it, `lines` gives its lines as they then are."""

    uri: str
    path: str
    language: str
    lines: Callable[[], Sequence[str]]
    #: None before it is first taken apart.
    chunked: Chunked | None = None
    #: Whether it was changed since.
    is_stale: bool = True
    #: Taking it apart, while that goes on.
    work: Generator[None, None, Chunked] | None = None
    places: list[Place] = Factory(list)
    #: `time.monotonic()` in seconds, None while it is open.
    closed_at: float | None = None

    @property
    def stem(self) -> str:
        """The document's name as an import statement would have it."""
        folder, _, name = self.path.rpartition("/")
        stem = name.partition(".")[0]
        return folder.rpartition("/")[2] if stem in ("__init__", "index", "mod") else stem


class OpenDocuments:
    """All documents of a session. Belongs to one thread; methods that take long are generators: work in slices."""

    def __init__(self) -> None:
        self._documents: OrderedDict[str, OpenDocument] = OrderedDict()
        self._counts: Counter[str] = Counter()
        self._chunks = 0
        self._clock = 0

    def opened(self, uri: str, path: str, language: str, lines: Callable[[], Sequence[str]]) -> None:
        """Take in a document; `path` is what the model sees, `lines` gives its lines as they then are."""
        self._drop(uri)
        self._documents[uri] = OpenDocument(uri, path, language, lines)

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
            kept += [
                line.rstrip("\r\n") for line in lines[max(0, place.line - _AROUND) : place.end + _AROUND]
            ] + [""]
        if not kept:
            del self._documents[uri]
            return
        document.lines = lambda: kept
        document.closed_at = monotonic()
        document.places = []

    @property
    def has_stale(self) -> bool:
        """Whether there is something to take apart."""
        return any(document.is_stale or document.work is not None for document in self.recent())

    def refresh(self, but: str = "") -> Generator[None, None, None]:
        """Take apart what was changed since, but for the document `but`; yields after each millisecond of work.

        What is given up half way goes on from there the next time.
        """
        for document in self.recent():
            is_wanted = document.is_stale and (document.uri != but or document.chunked is None)
            if is_wanted or document.work is not None:
                yield from self._take_apart(document)

    def _take_apart(self, document: OpenDocument) -> Generator[None, None, None]:
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

    def _count(self, document: OpenDocument, chunked: Chunked) -> None:
        document.chunked = chunked
        self._chunks += len(chunked.chunks)
        for word, places in chunked.where.items():
            self._counts[word] += places.bit_count()

    def rare(self, word: str) -> float:
        """Return how much it says that a text holds `word` (see `ranking.rarity`)."""
        return rarity(self._counts.get(word, 0), self._chunks + 1)

    def age(self, place: Place) -> int:
        """Return how many places the user changed or was at after this one."""
        return self._clock - place.when

    def recent(self) -> list[OpenDocument]:
        """Return the documents used last, the latest first; those closed too long ago go."""
        oldest = monotonic() - _KEPT
        gone = [
            uri for uri, it in self._documents.items() if it.closed_at is not None and it.closed_at < oldest
        ]
        for uri in gone:
            self._drop(uri)
        documents = list(reversed(self._documents.values()))
        for document in documents[_MOST_DOCUMENTS:]:
            if document.chunked is not None:
                self._forget(document)
        return documents[:_MOST_DOCUMENTS]

    def _note(self, document: OpenDocument, line: int, end: int, *, edited: bool) -> None:
        """Remember a place; a visit to one that was changed lately, or another change there, only renews it."""
        last = document.places[-1] if document.places else None
        if last is not None and last.line - _AROUND <= line <= last.end + _AROUND and last.edited >= edited:
            last.line, last.end = min(last.line, line), max(last.end, end)
            if last.when != self._clock:
                self._clock += 1
                last.when = self._clock
            return
        self._clock += 1
        document.places.append(Place(line, end, self._clock, edited))
        del document.places[:-_MOST_PLACES]

    def _drop(self, uri: str) -> None:
        if (document := self._documents.pop(uri, None)) is not None:
            self._forget(document)

    def _forget(self, document: OpenDocument) -> None:
        """Forget how a document is taken apart; that is to be done anew."""
        self._uncount(document)
        document.work, document.chunked, document.is_stale = None, None, True

    def _uncount(self, document: OpenDocument) -> None:
        """Take what a document counts for out of the counts."""
        if document.chunked is not None:
            self._chunks -= len(document.chunked.chunks)
            for word, places in document.chunked.where.items():
                self._counts[word] -= places.bit_count()
                if self._counts[word] <= 0:
                    del self._counts[word]
