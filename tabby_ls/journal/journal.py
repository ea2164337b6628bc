"""The last requests of a session, kept in memory so that "why?" always has an answer."""

from __future__ import annotations

from collections import deque

from tabby_ls.engine.outcome import Reason
from tabby_ls.journal.explain import NOTHING_YET, explain
from tabby_ls.journal.record import Record

#: How many requests are kept: some minutes of typing.
_KEPT = 200
#: Ends that say more of the editor than of the suggestion.
_TAKEN_BACK = frozenset({Reason.SUPERSEDED, Reason.CANCELLED})


class Journal:
    """What became of the latest requests, oldest first."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque(maxlen=_KEPT)

    def take(self, record: Record) -> None:
        """Keep a record."""
        self._records.append(record)

    def why(self, uri: str = "") -> str:
        """Return in a few sentences what came of the last request, or of the last one in a file.

        Requests that the editor replaced or took back are only counted, if there is one before them that says more.
        """
        records = [record for record in self._records if not uri or record.uri == uri]
        if not records:
            return NOTHING_YET
        telling = next((r for r in reversed(records) if r.reason not in _TAKEN_BACK), records[-1])
        newer = len(records) - 1 - records.index(telling)
        after = f" After it, {newer} more were replaced or taken back before their answer." if newer else ""
        return explain(telling) + after
