"""One request's end, as it is kept, written to the trace and explained: plain values, and no code."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

from attrs import frozen

from tabby_ls.engine.outcome import Origin, Outcome, Reason


@frozen
class Record:
    """What became of one request. Times are in milliseconds since it arrived, None for steps not reached.

    `time` is when it ended, in seconds since 1970; `line` counts from 1. `shown` and `replaced` count
    characters.
    """

    time: float
    number: int
    uri: str
    language: str
    line: int
    trigger: Literal["typing", "key"]
    reason: Reason
    detail: str = ""
    origin: Origin | None = None
    backend: str = ""
    asked_ms: float | None = None
    first_text_ms: float | None = None
    answered_ms: float | None = None
    complete: bool = True
    shown: int = 0
    lines: int = 0
    replaced: int = 0

    @property
    def file(self) -> str:
        """The name of the file, without its folders."""
        return name_of(self.uri)


def name_of(uri: str) -> str:
    """Return the name of a file without its folders, for people."""
    return PurePosixPath(unquote(urlsplit(uri).path)).name or uri


def record_of(outcome: Outcome, time: float) -> Record:
    """Return what is kept of a request that ended at `time`, in seconds since 1970."""
    suggestion, timings, place = outcome.suggestion, outcome.timings, outcome.place
    text = suggestion.text if suggestion else ""
    return Record(
        time=time,
        number=outcome.number,
        uri=place.uri,
        language=place.language,
        line=place.line + 1,
        trigger="key" if place.invoked else "typing",
        reason=outcome.reason,
        detail=outcome.detail,
        origin=outcome.origin,
        backend=outcome.backend,
        asked_ms=_ms(timings.asked),
        first_text_ms=_ms(timings.first_text),
        answered_ms=_ms(timings.answered),
        complete=outcome.complete,
        shown=len(text),
        lines=text.strip("\n").count("\n") + 1 if text else 0,
        replaced=suggestion.replaces if suggestion else 0,
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
