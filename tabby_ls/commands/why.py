"""`tabby-ls why [TRACE]`: what came of the last request in a trace, and why, in words."""

from __future__ import annotations

import argparse
from pathlib import Path

from tabby_ls.commands.common import CommandError, command_settings, say, show
from tabby_ls.journal import trace
from tabby_ls.journal.explain import explain
from tabby_ls.journal.journal import why as why_of
from tabby_ls.journal.record import Record

#: How far back to look for a request that says something.
_LOOKED_AT = 200


def why(options: argparse.Namespace) -> int:
    """Print the sentences; return the exit status."""
    last = None if options.all else options.last or _LOOKED_AT
    try:
        records = _records(_path(options.trace), last)
    except CommandError as error:
        say(str(error))
        return 1
    if options.all or options.last:
        for record in records:
            show(explain(record))
    else:
        show(why_of(records))
    return 0


def _path(named: str | None) -> Path:
    name = named or command_settings(None).trace.file
    if not name:
        raise CommandError(
            "there is no trace: set trace.file to a file's name and use your editor for a while; "
            "without one, your editor's command tabby-ls.why tells of the last request"
        )
    return Path(name).expanduser()


def _records(path: Path, last: int | None) -> list[Record]:
    try:
        records, strange = trace.read(path, last)
    except OSError as error:
        raise CommandError(f"the trace {path} cannot be read: {error.strerror}") from None
    if strange:
        say(f"warning: left out of {path}, because they are no requests of this version: {strange} line(s)")
    if not records:
        raise CommandError(f"the trace {path} holds no request yet")
    return records
