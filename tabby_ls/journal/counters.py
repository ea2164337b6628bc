"""What is counted, by backend and by language: how often, how much, and how fast."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any, TypeAlias

import attrs
from attrs import Factory, define

#: Upper bounds of the buckets of a histogram, in milliseconds; the last one has none.
BOUNDS_MS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 800, 1200, 2000, 3000, 5000, 8000, 12000)

#: No count gets this high: one that was read from the file and does was not written by this program.
_MOST = 1 << 53


@define
class Histogram:
    """A histogram of durations: how many fell into each of the buckets that `BOUNDS_MS` separates."""

    buckets: list[int] = Factory(lambda: [0] * (len(BOUNDS_MS) + 1))

    def add(self, milliseconds: float) -> None:
        """Count one time."""
        self.buckets[bisect_left(BOUNDS_MS, milliseconds)] += 1

    def merge(self, other: Histogram) -> None:
        """Count what another one has counted."""
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]

    def percentile(self, share: float) -> float | None:
        """Return the milliseconds that a `share` (above 0, up to 1) of all durations do not exceed, interpolated within a bucket.

        None if there is no duration.
        """
        sums = list(accumulate(self.buckets))
        if not sums[-1]:
            return None
        wanted = share * sums[-1]
        bucket = bisect_left(sums, wanted)
        low, high = (0, *BOUNDS_MS)[bucket], (*BOUNDS_MS, BOUNDS_MS[-1])[bucket]
        return low + (high - low) * (wanted - (sums[bucket] - self.buckets[bucket])) / self.buckets[bucket]


@define
class Counts:
    """The counts of one backend in one language."""

    #: Requests of the editor that this backend, or what it had said before, answered.
    requests: int = 0
    from_memory: int = 0
    shown: int = 0
    accepted: int = 0
    typed_through: int = 0
    partially_accepted: int = 0
    characters_shown: int = 0
    characters_kept: int = 0
    backend_requests: int = 0
    backend_failures: int = 0
    characters_generated: int = 0
    #: Only what the server told.
    tokens: int = 0
    #: From the editor's request to the answer, where a suggestion was shown.
    answer_ms: Histogram = Factory(Histogram)
    #: From asking the backend to the first text.
    first_text_ms: Histogram = Factory(Histogram)

    def merge(self, other: Counts) -> None:
        """Add what another one has counted."""
        for field in attrs.fields(Counts):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if isinstance(mine, Histogram):
                mine.merge(theirs)
            else:
                setattr(self, field.name, mine + theirs)


Key: TypeAlias = tuple[str, str]
"""A backend's kind and a language's id."""


@define
class Counters:
    """All counts, each under its backend and language."""

    _counts: dict[Key, Counts] = Factory(dict)

    def of(self, backend: str, language: str) -> Counts:
        """Return the counts of a backend in a language, to be added to."""
        return self._counts.setdefault((backend, language), Counts())

    def __bool__(self) -> bool:
        return bool(self._counts)

    def merge(self, other: Counters) -> None:
        """Add what another one has counted."""
        for (backend, language), counts in other._counts.items():
            self.of(backend, language).merge(counts)

    def total(self) -> Counts:
        """Return the sum of everything."""
        return self._sums(lambda _: "").get("", Counts())

    def by_backend(self) -> dict[str, Counts]:
        """Return the sums by backend."""
        return self._sums(lambda key: key[0])

    def by_language(self) -> dict[str, Counts]:
        """Return the sums by language."""
        return self._sums(lambda key: key[1])

    def _sums(self, group: Callable[[Key], str]) -> dict[str, Counts]:
        sums: dict[str, Counts] = {}
        for key, counts in self._counts.items():
            sums.setdefault(group(key), Counts()).merge(counts)
        return sums

    def as_json(self) -> dict[str, Any]:
        """Return the counts as nested objects: backend, language, name."""
        data: dict[str, Any] = {}
        for (backend, language), counts in self._counts.items():
            data.setdefault(backend, {})[language] = {
                field.name: value.buckets if isinstance(value, Histogram) else value
                for field in attrs.fields(Counts)
                if (value := getattr(counts, field.name)) not in (0, Histogram())
            }
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Counters:
        """Return what :meth:`as_json` made; raises TypeError, ValueError or AttributeError for anything else."""
        counters = cls()
        for backend, languages in data.items():
            for language, values in languages.items():
                counts = counters.of(backend, language)
                for name, value in values.items():
                    _set(counts, name, value)
        return counters


def _set(counts: Counts, name: str, value: Any) -> None:
    now = getattr(counts, name)
    if isinstance(now, Histogram):
        if len(value) != len(now.buckets) or not all(map(_is_count, value)):
            raise ValueError(name)
        now.buckets = list(value)
    elif _is_count(value):
        setattr(counts, name, value)
    else:
        raise TypeError(name)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST
