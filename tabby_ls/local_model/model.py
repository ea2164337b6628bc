"""The local model: completes from what the open buffers and the workspace have already said.

Plain form: the longest text before the cursor that occurs elsewhere is continued as it went on there.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from attrs import frozen

#: Characters before the cursor that a place elsewhere must share at least.
_SHORTEST_MATCH = 12
_LONGEST_MATCH = 200


@frozen
class Query:
    """What comes between `prefix` and `suffix` of the document at `path`?"""

    path: str
    language: str
    prefix: str
    suffix: str
    threshold: float
    max_lines: int


@frozen
class Prediction:
    """The text to insert, and how probable it is that it is wanted."""

    text: str
    probability: float
    source: str = "longest match"


class LocalModel:
    """One per process; may be used from several threads."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        self._documents: dict[str, str] = {}
        self._lock = threading.Lock()

    def open_document(self, path: str, text: str) -> None:
        """Take in the text of an open document."""
        with self._lock:
            self._documents[path] = text.replace("\r\n", "\n")

    def close_document(self, path: str) -> None:
        """Forget an open document."""
        with self._lock:
            self._documents.pop(path, None)

    def predict(self, query: Query, *, deadline: float, cancelled: Callable[[], bool]) -> Prediction | None:
        """Return what most likely follows the cursor; None if nothing is likely enough."""
        ends = monotonic() + deadline
        with self._lock:
            others = [text for path, text in self._documents.items() if path != query.path]
        best, matched = "", 0
        for text in (query.prefix[:-1], query.suffix, *others):
            if cancelled() or monotonic() > ends:
                return None
            length, rest = _longest(query.prefix, text)
            if length > matched:
                best, matched = rest, length
        if matched < _SHORTEST_MATCH / max(query.threshold, 0.1) * 0.6:
            return None
        lines = best.split("\n")
        text = "\n".join(lines[: query.max_lines]).rstrip()
        return Prediction(text, 0.7) if text.strip() else None


def _longest(prefix: str, text: str) -> tuple[int, str]:
    low, high, found = _SHORTEST_MATCH, min(len(prefix), _LONGEST_MATCH), -1
    while low <= high:
        middle = (low + high) // 2
        at = text.rfind(prefix[-middle:])
        if at >= 0:
            found, low = at + middle, middle + 1
        else:
            high = middle - 1
    if found < 0:
        return 0, ""
    return high, re.split(r"\n\n", text[found : found + 400])[0]
