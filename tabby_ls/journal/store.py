"""The counts on disk: one small file in the user's state folder, to which any number of servers add theirs.

Each adds what it has counted since it last did, under a lock, and puts a whole new file in the place of the old one.
Nothing of it is ever sent anywhere.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

from attrs import Factory, define

from tabby_ls.foreign_files import read_file
from tabby_ls.journal.counters import Counters
from tabby_ls.own_files import make_folder

#: Seconds to wait while other servers write.
_PATIENCE = 2.0
_VERSION = 1
#: Far more than the counts of every language take; a longer file is not ours, and ends in mid-word.
_MOST_BYTES = 1 << 20
#: What a file that cannot be understood is called from then on.
_KEPT = "stats.json.bad"


class StoreError(Exception):
    """The counts cannot be read or written; its message is one line that says why."""


@define
class Stored:
    """What was counted since a day."""

    since: str = Factory(lambda: date.today().isoformat())
    counters: Counters = Factory(Counters)


def state_folder() -> Path:
    """Return where this user's state is kept."""
    from platformdirs import user_state_path

    return user_state_path("tabby-ls", appauthor=False)


class Store:
    """The file of the counts. Its methods block, so they belong in a thread. They raise StoreError."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stats.json"

    def load(self) -> tuple[Stored, str]:
        """Return what is stored, and what is wrong with the file, "" if it is well."""
        try:
            data = json.loads(read_file(self.path, _MOST_BYTES, follow=True))
            if data["version"] != _VERSION:
                raise ValueError("another version")
            return Stored(str(data["since"]), Counters.from_json(data["counts"])), ""
        except FileNotFoundError:
            return Stored(), ""
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return (
                Stored(),
                f"{self.path} is damaged, or of another version of tabby-ls; "
                f"the next counts begin anew, and it is kept as {_KEPT}",
            )

    def add(self, counters: Counters) -> str:
        """Add counts to the stored ones; return what was wrong with the file, "" if it was well.

        A file that cannot be understood is kept beside the new one.
        """
        with self._lock():
            stored, wrong = self.load()
            if wrong:
                with suppress(OSError):
                    self.path.replace(self.path.with_name(_KEPT))
            stored.counters.merge(counters)
            self._write({"version": _VERSION, "since": stored.since, "counts": stored.counters.as_json()})
        return wrong

    def reset(self) -> None:
        """Forget everything that was counted."""
        with self._lock():
            try:
                self.path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(f"{self.path} cannot be removed: {error.strerror}") from error

    @contextmanager
    def _lock(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            make_folder(self.path.parent)
            lock = FileLock(self.path.with_name("stats.lock"), timeout=_PATIENCE, mode=0o600)
            lock.acquire()
        except Timeout:
            raise StoreError(f"{self.path} is locked by another program; try again") from None
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error
        try:
            yield
        finally:
            lock.release()

    def _write(self, data: dict[str, Any]) -> None:
        try:
            descriptor, name = tempfile.mkstemp(prefix="stats-", dir=self.path.parent)  # 0600
            written = Path(name)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(data, file)
                written.replace(self.path)
            finally:
                written.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error
