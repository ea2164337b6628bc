"""One request's end, as it is kept, written to the trace and explained: plain values, and no code."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

from attrs import frozen

from tabby_ls.engine.outcome import Origin, Outcome, Reason


@frozen
class Record:
    """What became of one request.

    `time` is when it ended, in seconds since 1970; `request` counts the requests of one server; `file` is a URI, or
    a name; `line` counts from 1; `who` is who answered, for people. Times called `_ms` are milliseconds since the request arrived (negative: before
    it), None for steps not reached. `shown`, `replaced` and `generated` count characters.
    """

    time: float
    request: int
    file: str
    language: str
    line: int
    trigger: Literal["typing", "key"]
    reason: Reason
    detail: str = ""
    origin: Origin | None = None
    backend: str = ""
    who: str = ""
    model: str = ""
    asked_ms: float | None = None
    first_text_ms: float | None = None
    answered_ms: float | None = None
    complete: bool = True
    shown: int = 0
    lines: int = 0
    replaced: int = 0
    generated: int | None = None
    tokens: int | None = None
    max_tokens: int | None = None
    rule: str = ""
    failing_s: float | None = None
    asked_again_s: float | None = None

    @property
    def name(self) -> str:
        """The name of the file, without its folders."""
        return name_of(self.file)


def name_of(uri: str) -> str:
    """Return the name of a file without its folders, for people."""
    return PurePosixPath(unquote(urlsplit(uri).path)).name or uri


def record_of(outcome: Outcome, time: float) -> Record:
    """Return what is kept of a request that ended at `time`, in seconds since 1970."""
    now, suggestion, timings = outcome.snapshot, outcome.suggestion, outcome.timings
    generated, failing = outcome.generated, outcome.failing
    text = suggestion.text if suggestion else ""
    return Record(
        time=round(time, 3),
        request=outcome.number,
        file=now.uri if now else "",
        language=now.language if now else "",
        line=now.line + 1 if now else 0,
        trigger="key" if outcome.invoked else "typing",
        reason=outcome.reason,
        detail=outcome.detail,
        origin=outcome.origin,
        backend=outcome.backend,
        who=outcome.who,
        model=generated.model if generated else "",
        asked_ms=_ms(timings.asked),
        first_text_ms=_ms(timings.first_text),
        answered_ms=_ms(timings.answered),
        complete=outcome.complete,
        shown=len(text),
        lines=text.strip("\n").count("\n") + 1 if text else 0,
        replaced=suggestion.replaces if suggestion else 0,
        generated=generated.characters if generated else None,
        tokens=generated.tokens if generated else None,
        max_tokens=generated.max_tokens if generated else None,
        rule=generated.rule if generated else "",
        failing_s=round(failing.since, 1) if failing else None,
        asked_again_s=round(failing.asked_again, 1) if failing else None,
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
