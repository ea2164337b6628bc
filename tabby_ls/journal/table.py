"""The counts as a small table for people, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from tabby_ls.backends.kinds import NAMES
from tabby_ls.journal.counters import Counters, Counts, Histogram

#: Languages in the table, those with the most suggestions first.
_LANGUAGES = 8
_SHARES = (0.5, 0.95)
#: What stands above a kind of backend: nobody for requests that were refused, and an address where nobody has said yet
#: what runs there.
_COLUMNS = {**NAMES, "": "nobody", "auto": "not reached"}


def table(counters: Counters, heading: str) -> str:
    """Return the counts by backend, then by language, under a heading."""
    backends = {_COLUMNS.get(kind, kind): sums for kind, sums in counters.by_backend().items()}
    columns = {"all": counters.total(), **(backends if len(backends) > 1 else {})}
    rows = [["", *columns], *_rows(list(columns.values()))]
    languages = sorted(counters.by_language().items(), key=lambda item: -item[1].shown)[:_LANGUAGES]
    parts = [heading, _aligned(rows)]
    if languages:
        head = ["", "shown", "accepted", "typed", "characters kept"]
        body = [
            [name or "(none)", *map(str, (c.shown, c.accepted, c.typed_through, c.characters_kept))]
            for name, c in languages
        ]
        parts.append(_aligned([head, *body]))
    return "\n\n".join(parts)


def brief(session: Counters, stored: Counters, since: str) -> str:
    """Return the sums of a session beside those of all."""
    columns = {"this session": session.total(), f"since {since}": stored.total()}
    return _aligned([["", *columns], *_rows(list(columns.values()))])


def as_json(counters: Counters, since: str) -> dict[str, Any]:
    """Return the sums and the percentiles, in all, by backend and by language."""
    return {
        "since": since,
        "all": _values(counters.total()),
        "backends": {name: _values(counts) for name, counts in counters.by_backend().items()},
        "languages": {name: _values(counts) for name, counts in counters.by_language().items()},
    }


def _rows(columns: Sequence[Counts]) -> list[list[str]]:
    return [[label, *map(cell, columns)] for label, cell in _ROWS]


def _values(counts: Counts) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in attrs.fields(Counts):
        value = getattr(counts, field.name)
        if isinstance(value, Histogram):
            value = {f"p{share * 100:.0f}": value.percentile(share) for share in _SHARES}
        values[field.name] = value
    return values


def _taken(number: int, counts: Counts) -> str:
    return f"{number} ({100 * number / counts.shown:.0f} %)" if counts.shown else str(number)


def _times(histogram: Histogram) -> str:
    times = [histogram.percentile(share) for share in _SHARES]
    return " / ".join("-" if time is None else f"{time:.0f}" for time in times)


_ROWS: Sequence[tuple[str, Callable[[Counts], str]]] = (
    ("requests of the editor", lambda counts: str(counts.requests)),
    ("answered from memory", lambda counts: str(counts.from_memory)),
    ("suggestions shown", lambda counts: str(counts.shown)),
    ("accepted", lambda counts: _taken(counts.accepted, counts)),
    ("typed through", lambda counts: _taken(counts.typed_through, counts)),
    ("partially accepted", lambda counts: _taken(counts.partially_accepted, counts)),
    ("characters kept", lambda counts: str(counts.characters_kept)),
    ("answer, ms (half / 95 %)", lambda counts: _times(counts.answer_ms)),
    ("asked of the backend", lambda counts: str(counts.backend_requests)),
    ("failed there", lambda counts: str(counts.backend_failures)),
    ("first text, ms (half / 95 %)", lambda counts: _times(counts.first_text_ms)),
    ("characters generated", lambda counts: str(counts.characters_generated)),
    ("tokens, where told", lambda counts: str(counts.tokens)),
)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
