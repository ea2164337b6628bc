"""The trace: a file with one JSON object a line, one for each request. `tabby-ls why` reads it.

It holds no key, and code only if the user said so. It is readable by its owner alone.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import attrs
from cattrs import Converter
from cattrs.errors import BaseValidationError

from tabby_ls.engine.outcome import Outcome
from tabby_ls.journal.record import Record, name_of
from tabby_ls.own_files import make_folder, open_to_append
from tabby_ls.settings import TraceSettings

#: Seconds that lines are collected before they are written together.
_REST = 0.3
#: Characters around the cursor that are written where the user wants code in the trace.
_BEFORE, _AFTER = 1000, 500
_MEGABYTE = 1_000_000
#: In bytes, when reading; no line of ours is so long.
_LONGEST_LINE = 1 << 20


class Trace:
    """Writes to the trace in a thread of its own; belongs to one event loop."""

    def __init__(self, settings: TraceSettings, warn: Callable[[str], None]) -> None:
        """`warn` is told, once, if the file cannot be written; nothing is written from then on."""
        self._settings = settings
        self._warn = warn
        self._path = Path(settings.file).expanduser()
        self._lines: list[str] = []
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._has_failed = False

    def take(self, record: Record, outcome: Outcome) -> None:
        """Write one request's record soon."""
        if self._has_failed:
            return
        self._lines.append(line_of(record, outcome, self._settings))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    async def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        if self._writing is not None:
            await self._writing

    async def _write_soon(self) -> None:
        while self._lines and not self._has_failed:
            with suppress(TimeoutError):
                async with asyncio.timeout(_REST):
                    await self._closing.wait()
            lines, self._lines = self._lines, []
            try:
                await asyncio.to_thread(append, self._path, lines, self._settings.max_mb * _MEGABYTE)
            except OSError as error:
                self._has_failed = True
                self._warn(f"trace.file cannot be written, so there is no trace: {error.strerror}")


def line_of(record: Record, outcome: Outcome, settings: TraceSettings) -> str:
    """Return a record as a line of the trace, as private as the settings want it."""
    # What is as usual is left out.
    values = {
        field.name: value
        for field in attrs.fields(Record)
        if (value := getattr(record, field.name)) != field.default
    }
    values["time"] = datetime.fromtimestamp(record.time).astimezone().isoformat(timespec="milliseconds")
    values["file"] = _path_of(record.file) if settings.paths else name_of(record.file)
    if settings.code and outcome.snapshot is not None:
        values["code"] = {
            "before": outcome.snapshot.prefix[-_BEFORE:],
            "after": outcome.snapshot.suffix[:_AFTER],
            "suggestion": outcome.suggestion.text if outcome.suggestion else "",
        }
    return json.dumps(values, ensure_ascii=False)


def append(path: Path, lines: Sequence[str], limit: int) -> None:
    """Append lines to a trace; one that has grown beyond `limit` bytes first takes the place of its former part.

    Several servers may write to one file: each call is one write of whole lines. Raises OSError.
    """
    make_folder(path.parent)
    with suppress(FileNotFoundError):
        if path.stat().st_size > limit:
            path.replace(former(path))
    descriptor = open_to_append(path)
    try:
        os.write(descriptor, "".join(f"{line}\n" for line in lines).encode(errors="replace"))
    finally:
        os.close(descriptor)


def former(path: Path) -> Path:
    """Return where the part of a trace before the present one is kept."""
    return path.with_name(f"{path.name}.1")


def read(path: Path, last: int | None = None) -> tuple[list[Record], int]:
    """Return the records of a trace and of its former part, oldest first, and how many lines are none.

    `last` is how many to return at most, from the end. Raises OSError if there is no such file.
    """
    records: deque[Record] = deque(maxlen=last)
    strange = 0
    with path.open("rb") as file:
        for line in _lines_of(former(path), file):
            if (record := _record_of(line)) is None:
                strange += 1
            else:
                records.append(record)
    return list(records), strange


def _lines_of(before: Path, file: BinaryIO) -> Iterator[bytes]:
    with suppress(FileNotFoundError), before.open("rb") as earlier:
        yield from iter(lambda: earlier.readline(_LONGEST_LINE), b"")
    yield from iter(lambda: file.readline(_LONGEST_LINE), b"")


def _record_of(line: bytes) -> Record | None:
    try:
        values = json.loads(line)
        values["time"] = datetime.fromisoformat(values["time"]).timestamp()
        return _converter.structure(values, Record)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, BaseValidationError):
        return None


def _path_of(uri: str) -> str:
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


_converter = Converter()
