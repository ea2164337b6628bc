"""The last requests of a session, kept in memory so that "why?" always has an answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from tabby_ls.engine.outcome import Reason
from tabby_ls.journal.explain import explain
from tabby_ls.journal.record import Record

NOTHING_YET = "Nothing has been asked yet: type in a file, or ask for a suggestion by key."
MENU_SILENT = (
    "Your editor asks for menu items, and says that it shows ghost text, so its menu is left alone. If you see no "
    "ghost text, switch it on in your editor, or set `menu.show` to `on`."
)

#: How many requests are kept: some minutes of typing.
_KEPT = 200
#: Ends that say more of the editor than of the suggestion.
_TAKEN_BACK = frozenset({Reason.SUPERSEDED, Reason.CANCELLED})


class Journal:
    """What became of the latest requests, oldest first."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque(maxlen=_KEPT)
        #: The editor has asked for menu items that it was not given because ghost text is shown instead.
        self.menu_was_silent = False

    def take(self, record: Record) -> None:
        """Keep a record."""
        self._records.append(record)

    def why(self, file: str = "") -> str:
        """Return in a few sentences what came of the last request, or of the last one in a file."""
        records = [record for record in self._records if not file or record.file == file]
        if records:
            return why(records)
        return MENU_SILENT if self.menu_was_silent else NOTHING_YET


def why(records: Sequence[Record]) -> str:
    """Return in a few sentences what came of the last of some requests.

    Those that the editor replaced or took back are only counted, if one before them says more.
    """
    telling = next((r for r in reversed(records) if r.reason not in _TAKEN_BACK), records[-1])
    newer = len(records) - 1 - records.index(telling)
    if not newer:
        return explain(telling)
    after = f"{newer} more were" if newer > 1 else "one more was"
    return f"{explain(telling)} After it, {after} replaced or taken back before an answer."
