"""The suggestions that were handed to the client, followed until it is known what the user made of them.

Editors report that one was accepted, or part of it. For those that never do, the document itself tells: where the
whole text of a suggestion stands at its place it was accepted, if much of it came at once, or typed by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from attrs import define
from cachetools import LRUCache

from tabby_ls.engine.outcome import Outcome
from tabby_ls.engine.snapshot import Snapshot, Suggestion
from tabby_ls.journal.counters import Counters, Counts
from tabby_ls.languages import language_named

if TYPE_CHECKING:
    from tabby_ls.engine.inflight import Edit

#: How many are remembered: only the last few can still be on a screen.
_KEPT = 128
#: Characters that come at once when one key is pressed: itself, and what the editor closes or indents by itself.
_BY_KEY = 2

Point: TypeAlias = tuple[int, int]
"""A line and a column in code points, both from 0."""
ReadText: TypeAlias = Callable[[Point, int], str]
"""Return what stands at a point of the document, at most so many characters, with LF line ends."""

#: What the user may make of a suggestion, the least first; the last three are names of counts.
_RANKS = ("", "partially_accepted", "typed_through", "accepted")


@define(eq=False)
class _Shown:
    """One suggestion on the screen, whatever is typed of it: `text` stands at `start`, or might.

    `there` is how many characters of it stand in the document already, by whatever way, and `credited` up to which of
    them they were counted as kept. `verdict` is what it was counted as.
    """

    uri: str
    start: Point
    text: str
    replaces: int
    backend: str
    language: str
    there: int
    credited: int = 0
    verdict: str = ""


@define
class _Item:
    """An item that was handed to the client: `lead`, then the text of `shown` from `offset` on."""

    shown: _Shown
    offset: int
    lead: str
    line_ending: str


class Offers:
    """The latest offers, by the id that their items carry."""

    def __init__(self, counters: Callable[[], Counters]) -> None:
        """`counters` is asked for what to count in, each time."""
        self._counters = counters
        self._items: LRUCache[str, _Item] = LRUCache(_KEPT)
        #: What may be on the screen, by document.
        self._on_screen: dict[str, _Shown] = {}

    def made(self, outcome: Outcome, suggestion: Suggestion, *, lead: str = "", alternative: int = 0) -> str:
        """Take note of a suggestion that is handed out; return its id.

        `lead` is what the item's text has before the suggestion's, as of a word that it completes. One that is
        only an `alternative`, counted from 1, is not on the screen.
        """
        assert outcome.snapshot is not None
        now = outcome.snapshot
        shown = None if alternative else self._on_screen.get(now.uri)
        offset = _goes_on(shown, now, suggestion) if shown is not None else None
        if shown is None or offset is None:
            shown, offset = _shown(outcome.backend, now, suggestion), 0
            if not alternative:
                self._on_screen[now.uri] = shown
                counts = self._counts_of(shown)
                counts.shown += 1
                counts.characters_shown += len(suggestion.text) - suggestion.replaces
        elif len(shown.text) < offset + len(suggestion.text):
            shown.text, shown.replaces = shown.text[:offset] + suggestion.text, suggestion.replaces
        offer = f"{outcome.number}.{alternative}" if alternative else str(outcome.number)
        self._items[offer] = _Item(shown, offset, lead, now.line_ending)
        return offer

    def accepted(self, offer: str) -> None:
        """The user took it whole."""
        if (item := self._items.get(offer)) is not None:
            self._keep(item.shown, item.offset, len(item.shown.text))
            self._judge(item.shown, "accepted")

    def partially_accepted(self, offer: str, units: int) -> None:
        """The user took it up to so many UTF-16 units of the item's text."""
        if (item := self._items.get(offer)) is None:
            return
        shown = item.shown
        text = item.lead + shown.text[item.offset :].replace("\n", item.line_ending)
        taken = _first_units(text, units)[len(item.lead) :].replace(item.line_ending, "\n")
        if taken:
            end = item.offset + len(taken)
            self._keep(shown, item.offset, end)
            self._judge(shown, "accepted" if end == len(shown.text) else "partially_accepted")

    def edited(self, uri: str, edits: Sequence[Edit], read: ReadText) -> None:
        """Take note of a change of a document."""
        shown = self._on_screen.get(uri)
        if shown is None:
            return
        for edit in edits:
            line, column = shown.start
            if edit.end_line < line:
                shown.start = line + edit.text.count("\n") - (edit.end_line - edit.line), column
            elif edit.line < line:
                del self._on_screen[uri]  # what stood around its place is gone
                return
        before, shown.there = shown.there, _there(shown.text, read(shown.start, len(shown.text)))
        came_at_once = shown.there - before > _BY_KEY
        if came_at_once:
            self._keep(shown, before, shown.there)
        if shown.there == len(shown.text):
            self._judge(shown, "accepted" if came_at_once else "typed_through")
            del self._on_screen[uri]
        elif came_at_once:
            self._judge(shown, "partially_accepted")

    def closed(self, uri: str) -> None:
        """Nothing is on the screen of a document that was closed."""
        self._on_screen.pop(uri, None)

    def _keep(self, shown: _Shown, start: int, end: int) -> None:
        """Count the characters from `start` to `end` as kept, those that were not yet."""
        end = min(end, len(shown.text) - shown.replaces)
        self._counts_of(shown).characters_kept += max(0, end - max(start, shown.credited))
        shown.credited = max(shown.credited, end)

    def _judge(self, shown: _Shown, verdict: str) -> None:
        """Count it as what the user made of it, and no longer as the less that it was before."""
        if _RANKS.index(verdict) > _RANKS.index(shown.verdict):
            counts = self._counts_of(shown)
            if shown.verdict:
                setattr(counts, shown.verdict, getattr(counts, shown.verdict) - 1)
            setattr(counts, verdict, getattr(counts, verdict) + 1)
            shown.verdict = verdict

    def _counts_of(self, shown: _Shown) -> Counts:
        return self._counters().of(shown.backend, shown.language)


def _shown(backend: str, now: Snapshot, suggestion: Suggestion) -> _Shown:
    return _Shown(
        uri=now.uri,
        start=(now.line, len(now.line_prefix)),
        text=suggestion.text,
        replaces=suggestion.replaces,
        backend=backend,
        language=language_named(now.language).id,
        there=_there(suggestion.text, now.suffix),
    )


def _there(text: str, document: str) -> int:
    pairs = enumerate(zip(text, document, strict=False))
    return next((index for index, (one, other) in pairs if one != other), min(len(text), len(document)))


def _goes_on(shown: _Shown, now: Snapshot, suggestion: Suggestion) -> int | None:
    """Return from where on a suggestion is the rest of what is on the screen, None if it is another one."""
    lines = shown.text.split("\n")
    row = now.line - shown.start[0]
    if not 0 <= row < len(lines):
        return None
    column = len(now.line_prefix) - (0 if row else shown.start[1])
    offset = sum(len(line) + 1 for line in lines[:row]) + column
    if not 0 <= column <= len(lines[row]) or offset > shown.there:
        return None
    rest = shown.text[offset:]
    return offset if rest.startswith(suggestion.text) or suggestion.text.startswith(rest) else None


def _first_units(text: str, units: int) -> str:
    """Return the first `units` UTF-16 code units of a text; a pair that is cut is left out."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore")
