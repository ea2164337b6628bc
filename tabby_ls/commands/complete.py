"""`tabby-ls complete FILE:LINE[:COLUMN]`: the suggestion for one place, on standard output."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import time

import attrs
from attrs import frozen

from tabby_ls.commands.common import CommandError, command_settings, say
from tabby_ls.commands.workspace import local_model_of, rules_of
from tabby_ls.context.surroundings import Surroundings
from tabby_ls.engine.engine import Engine
from tabby_ls.engine.outcome import Event, Outcome, Reason
from tabby_ls.engine.requests import Request
from tabby_ls.engine.shaping.settled import settled
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.targets import open_targets
from tabby_ls.foreign_files import read_file
from tabby_ls.journal.explain import why_nothing
from tabby_ls.journal.record import record_of
from tabby_ls.languages import language_of_path
from tabby_ls.server.text import CHARACTERS_AFTER, CHARACTERS_BEFORE, TextLines
from tabby_ls.settings import Settings

#: Bytes of the largest file that is completed in: larger ones are none that somebody types in.
_MOST_BYTES = 64 << 20
#: Seconds between two looks at what has arrived.
_LOOK = 0.02


@frozen
class Place:
    """A cursor: `line` and `column` count from 1; no column is the end of the line."""

    path: Path
    line: int
    column: int | None


def complete(options: argparse.Namespace) -> int:
    """Print the suggestion; return the exit status."""
    try:
        place = parse_place(options.place)
        settings = command_settings(options.backend)
        text = _decoded(sys.stdin.buffer.read(), "standard input") if options.stdin else _read(place.path)
        snapshot = snapshot_at(place, text)
    except CommandError as error:
        say(str(error))
        return 1
    if options.show_prompt:
        from tabby_ls.commands.show_prompt import show_prompt

        return asyncio.run(show_prompt(settings, snapshot, place.path))
    outcome = asyncio.run(_complete(settings, snapshot, place.path, stream=not options.json))
    if options.json:
        print(json.dumps(_as_json(outcome, snapshot), ensure_ascii=False))
    failed = outcome.reason in (Reason.BACKEND_FAILED, Reason.TOO_LATE)
    if failed or (outcome.suggestion is None and not options.json):
        # When a server is asked again, of which the record tells, is of no use to who has come for one answer.
        say(outcome.detail or f"nothing to suggest. {why_nothing(record_of(outcome, time()))}")
    return int(failed)


def parse_place(text: str) -> Place:
    """Return the place that `FILE:LINE[:COLUMN]` names; raises CommandError."""
    match = re.fullmatch(r"(.+?):(\d+)(?::(\d+))?", text)
    if match is None:
        raise CommandError(f"{text!r} is not FILE:LINE or FILE:LINE:COLUMN")
    line, column = int(match[2]), int(match[3]) if match[3] else None
    if line == 0 or column == 0:
        raise CommandError("lines and columns count from 1")
    return Place(Path(match[1]), line, column)


def snapshot_at(place: Place, text: str) -> Snapshot:
    """Return what the engine is asked about; raises CommandError if there is no such place."""
    lines = TextLines(text)
    if place.line > len(lines):
        raise CommandError(f"{place.path} has {len(lines)} lines, so no line {place.line}")
    number = place.line - 1
    length = len(lines.line(number))
    column = length if place.column is None else place.column - 1
    if column > length:
        raise CommandError(
            f"line {place.line} of {place.path} has {length} characters, so no column {place.column}"
        )
    prefix, suffix = lines.window(number, column, CHARACTERS_BEFORE, CHARACTERS_AFTER)
    return Snapshot(
        uri=place.path.absolute().as_uri(),
        version=0,
        language=language_of_path(place.path).id,
        line=number,
        prefix=prefix,
        suffix=suffix,
        line_ending=lines.line_ending,
    )


def _read(path: Path) -> str:
    try:
        data = read_file(path, _MOST_BYTES + 1, follow=True)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise CommandError(f"{path} is larger than {_MOST_BYTES >> 20} MB")
    return _decoded(data, str(path))


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError(f"{where} is not text in UTF-8") from None


async def _complete(settings: Settings, snapshot: Snapshot, path: Path, *, stream: bool) -> Outcome:
    model = await local_model_of(path, settings)
    rules = rules_of(path, settings)
    targets = open_targets(
        attrs.evolve(settings, local=attrs.evolve(settings.local, fallback=False)), lambda: model
    )
    for target in targets:
        target.surroundings = Surroundings(
            indexed=model.indexed, rules=rules, sources=settings.context.sources
        )
    engine = Engine(settings, targets, _ignore, rules)
    request = Request(snapshot, invoked=True, deadline=settings.deadline_ms / 1000, waits_for_all=True)
    asking = asyncio.create_task(engine.suggest(request))
    written = ""
    try:
        if stream:
            async for part in _watch(engine, asking, snapshot):
                print(part, end="", flush=True)
                written += part
        outcome = await asking
        if stream and outcome.suggestion is not None:
            print(outcome.suggestion.text.removeprefix(written))
        return outcome
    finally:
        await engine.close()
        for target in targets:
            await target.backend.close()


async def _watch(engine: Engine, asking: asyncio.Task[Outcome], snapshot: Snapshot) -> AsyncIterator[str]:
    """Yield what of the answer can no longer change, as it arrives."""
    written = 0
    while not asking.done():
        await asyncio.wait([asking], timeout=_LOOK)
        sure = settled(engine.running_text(snapshot.uri), snapshot)
        if len(sure) > written:
            yield sure[written:]
            written = len(sure)


def _as_json(outcome: Outcome, snapshot: Snapshot) -> dict[str, object]:
    suggestion = outcome.suggestion
    return {
        "text": suggestion.text if suggestion else "",
        "replaces": suggestion.replaces if suggestion else 0,
        "reason": outcome.reason.value,
        "detail": outcome.detail,
        "complete": outcome.complete,
        "language": snapshot.language,
        "seconds": outcome.timings.answered,
    }


def _ignore(_: Event) -> None:
    """The outcome is returned as well."""
