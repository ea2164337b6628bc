"""Chooses the pieces of other text that the model sees besides the window around the cursor, and keeps their order.

They stand at the head of the prompt, so the choice is kept from key to key, and with it what the server has computed
for them: it is made anew when the cursor is elsewhere or the user paused. What stays then comes first, in its order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Generator, Sequence, Set
from math import inf
from pathlib import Path
from time import monotonic, thread_time
from typing import TYPE_CHECKING, TypeVar

from attrs import define, frozen

from tabby_ls.backends.backend import Snippet
from tabby_ls.context.document_search import Search, find
from tabby_ls.context.open_documents import OpenDocuments
from tabby_ls.context.privacy import FileRules
from tabby_ls.context.query import Query, query_at
from tabby_ls.context.ranking import Piece, in_order
from tabby_ls.settings import ContextSettings

if TYPE_CHECKING:
    from tabby_ls.local_model.blend import Source

#: The choice holds while the cursor is within so many lines of where it was made ...
_REGION_LINES = 12
#: ... and the user has not paused for so many seconds.
_PAUSE = 3.0
#: Seconds of work between two turns of the event loop, so that no key waits longer.
_SLICE = 0.002
#: Seconds after a document was opened, and after the last change, before what is new is taken apart.
_REST_OPENED, _REST = 0.05, 0.4
#: Seconds of that work, of this thread's own, that a request waits for at most.
_REFRESH = 0.003
#: With less room, in characters, no piece is looked for.
_LEAST_ROOM = 80
#: Pieces with a larger share of their words in a chosen one say nothing new.
_SAME = 0.85
#: Characters of what frames a piece and its path. Marks of comments are counted when the prompt is composed, which
#: leaves out the last pieces if there is no room for them then (`compose.compose`).
_FRAME = 24

_Result = TypeVar("_Result")


@frozen(eq=False)
class Cursor:
    """Where pieces are wanted. `prefix` and `suffix` are what is known of the document, `window` what the prompt
    holds of it anyway, before and after the cursor."""

    uri: str
    path: str
    language: str
    line: int
    prefix: str
    suffix: str
    window: tuple[str, str]


@define(eq=False)
class _Choice:
    """Pieces chosen at a cursor, and until when they stand: see `_REGION_LINES` and `_PAUSE`."""

    cursor: Cursor
    room: int
    used_at: float
    pieces: list[Piece]

    def holds_for(self, cursor: Cursor, room: int, now: float) -> bool:
        return (
            cursor.uri == self.cursor.uri
            and abs(cursor.line - self.cursor.line) <= _REGION_LINES
            and room >= self.room // 2
            and now - self.used_at < _PAUSE
        )


class Surroundings:
    """The pieces for one session's requests, chosen of its open documents and the index; belongs to its event loop."""

    def __init__(
        self,
        *,
        indexed: Callable[[str], Sequence[tuple[Path, Source]]] = lambda _: (),
        rules: FileRules | None = None,
        sources: Collection[str] = ContextSettings().sources,
    ) -> None:
        """`indexed` returns the workspace's saved indexes with their folders, weighted for a document by its URI."""
        self._documents = OpenDocuments()
        self._indexed = indexed
        self.configure(rules or FileRules(), sources)
        self._refreshing: asyncio.Task[None] | None = None
        self._refresh_at = 0.0

    def configure(self, rules: FileRules, sources: Collection[str]) -> None:
        """Put other rules and sources in force."""
        self._rules = rules
        self._sources = sources
        self._choice: _Choice | None = None

    def path_of(self, uri: str) -> str:
        """Return what the model sees of where a document is."""
        return self._rules.shown_path(uri)

    def opened(self, uri: str, language: str, lines: Callable[[], Sequence[str]]) -> None:
        """Take in a document; `lines` gives its lines as they then are, with or without line ends."""
        self._documents.opened(uri, self.path_of(uri), language, lines)
        self._refresh_later(_REST_OPENED)

    def edited(self, uri: str, line: int, end_line: int, text: str) -> None:
        """Take note that `text` took the place of what was from `line` to `end_line`."""
        self._documents.edited(uri, line, end_line, text)
        self._refresh_later()

    def closed(self, uri: str) -> None:
        """Keep of a document only where the user was, for some minutes."""
        self._documents.closed(uri)

    async def snippets(self, cursor: Cursor, room: int) -> tuple[Snippet, ...]:
        """Return what to show the model before the window, at most `room` characters of it, in order."""
        now = monotonic()
        self._refresh_at = max(self._refresh_at, now + _REST)
        choice = self._choice
        if choice is None or not choice.holds_for(cursor, room, now):
            former = choice.pieces if choice is not None else []
            pieces = await self._choose(cursor, room)
            choice = _Choice(cursor, room, now, _stable(former, pieces))
            self._choice = choice
            self._documents.visited(cursor.uri, cursor.line)
        choice.used_at = now
        if not choice.pieces:
            return ()
        shown = _lines("\n".join(cursor.window))
        return tuple(
            Snippet(piece.path, piece.text)
            for piece in choice.pieces
            if _is_news(piece, shown) and self._may_be_sent(piece)  # an ignore file may have changed since
        )

    def _may_be_sent(self, piece: Piece) -> bool:
        return self._rules.rule_for(piece.uri) is None

    def _refresh_later(self, rest: float = _REST) -> None:
        """Take apart what changed, once nobody types."""
        self._refresh_at = max(self._refresh_at, monotonic() + rest)
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())

    async def close(self) -> None:
        """End what runs."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])

    async def _refresh(self) -> None:
        is_done = False
        while not is_done:
            while (rest := self._refresh_at - monotonic()) > 0:  # noqa: ASYNC110 - a time is waited for
                await asyncio.sleep(rest)
            for _ in self._documents.refresh():
                await asyncio.sleep(0)
                # A request takes ten turns of the event loop, each of which would wait for a slice of this.
                if self._refresh_at > monotonic():
                    break  # somebody types, or asks: on with it after that
            else:
                is_done = True

    async def _choose(self, cursor: Cursor, room: int) -> list[Piece]:
        query = query_at(cursor.prefix, cursor.suffix)
        before, after = cursor.window
        lines = range(cursor.line - before.count("\n"), cursor.line + after.count("\n") + 1)
        search = Search(cursor.uri, cursor.path, cursor.language, query, lines, self._sources)
        # What cannot be taken apart in time is for the next choice.
        await _in_slices(self._documents.refresh(but=cursor.uri), most=_REFRESH)
        if self._documents.has_stale:
            self._refresh_later()
        pieces = await _in_slices(find(self._documents, search)) or []
        rare = self._documents.rare
        if "workspace" in self._sources and (sources := self._indexed(cursor.uri)):
            pieces += await _in_thread(sources, query, rare, definitions="definitions" in self._sources)
        return pack(pieces, cursor, query.words, rare, room, self._may_be_sent)


async def _in_slices(steps: Generator[None, None, _Result], most: float = inf) -> _Result | None:
    """Go through `steps` with a turn of the event loop now and then; end them after `most` seconds of work."""
    started, since = thread_time(), monotonic()
    try:
        while True:
            next(steps)
            if thread_time() - started > most:
                return None
            if monotonic() - since > _SLICE:
                await asyncio.sleep(0)
                since = monotonic()
    except StopIteration as end:
        result: _Result = end.value
        return result
    finally:
        steps.close()


async def _in_thread(
    sources: Sequence[tuple[Path, Source]], query: Query, rare: Callable[[str], float], *, definitions: bool
) -> list[Piece]:
    """Search the workspace's indexes beside the event loop; the search ends with the request."""
    from tabby_ls.context.workspace_index import search  # nothing is indexed when the first request comes

    is_wanted = True
    try:
        return await asyncio.to_thread(
            search, sources, query, rare, lambda: not is_wanted, definitions=definitions
        )
    except (IndexError, ValueError):  # an index whose checksum is right and whose numbers are not
        return []
    finally:
        is_wanted = False


def pack(
    pieces: Sequence[Piece],
    cursor: Cursor,
    query: dict[str, float],
    rare: Callable[[str], float],
    room: int,
    may_be_sent: Callable[[Piece], bool],
) -> list[Piece]:
    """Return the pieces that say most and fit into `room` characters, none twice and none that is in the window.

    `query` has the weights of words, `rare` what each is worth by how rare it is.
    """
    chosen: list[Piece] = []
    shown = _lines("\n".join(cursor.window))
    news = [piece for piece in pieces if _is_news(piece, shown)]
    for piece in in_order(news, query, rare):
        cost = len(piece.text) + len(piece.path) + _FRAME
        if cost > room or not _is_news(piece, shown) or any(_says_the_same(piece, other) for other in chosen):
            continue
        if not may_be_sent(piece):
            continue
        chosen.append(piece)
        shown |= piece.lines
        room -= cost
        if room < _LEAST_ROOM:
            break
    return chosen


def _lines(text: str) -> set[str]:
    return set(map(str.strip, text.split("\n")))


def _is_news(piece: Piece, shown: Set[str]) -> bool:
    """Return whether at most half of the piece's lines are shown already."""
    return 2 * len(piece.lines & shown) <= len(piece.lines)


def _says_the_same(piece: Piece, other: Piece) -> bool:
    return len(piece.words & other.words) > _SAME * len(piece.words)


def _stable(former: Sequence[Piece], pieces: Sequence[Piece]) -> list[Piece]:
    """Return `pieces`, those that were there before first and in their order."""
    known = {(piece.path, piece.text): piece for piece in pieces}
    kept = [key for piece in former if (key := (piece.path, piece.text)) in known]
    return [known.pop(key) for key in kept] + list(known.values())
