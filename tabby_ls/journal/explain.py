"""Why a request did or did not show something, in sentences that say what to do about it."""

from __future__ import annotations

from datetime import datetime

from tabby_ls.engine.outcome import Origin, Reason
from tabby_ls.journal.record import Record


def explain(record: Record) -> str:
    """Return a few sentences about one request: where and when, what came of it and why, how long it took."""
    result = (
        _shown(record) if record.reason is Reason.SHOWN else f"nothing was suggested. {why_nothing(record)}"
    )
    return " ".join(filter(None, (f"{_where(record)}: {result}", _reading(record), _timing(record))))


def because(reason: Reason) -> str:
    """Return one or two sentences about why nothing is ever suggested in a place."""
    return _BECAUSE[reason].format(who="the model")


def _where(record: Record) -> str:
    when = datetime.fromtimestamp(record.time)
    day = "" if when.date() == datetime.now().date() else f"{when:%Y-%m-%d} "
    how = "by key" if record.trigger == "key" else "while typing"
    place = f"{record.name} line {record.line}" if record.file else "an unnamed file"
    return f"{day}{when:%H:%M:%S}, {place}, asked {how}"


def _shown(record: Record) -> str:
    size = f"{record.lines} lines" if record.lines > 1 else _count(record.shown, "character")
    who = _who(record)
    source = {
        Origin.MEMORY: f"from memory, because it goes on from what {who} had said before",
        Origin.RUNNING: f"by {who}, from an answer that was already on its way",
    }.get(record.origin, f"by {who}")  # type: ignore[arg-type]
    return f"{size} suggested {source}."


def why_nothing(record: Record) -> str:
    """Return why nothing was suggested, and what to do about it."""
    match record.reason:
        case Reason.BACKEND_FAILED | Reason.BACKEND_RESTING:
            return f"{_sentence(record.detail)} {_failing(record)}"
        case Reason.SUPERSEDED if record.asked_ms is None:
            return (
                "You typed on before anybody was asked: automatic requests wait for a short pause in your typing "
                "(`debounce_ms`)."
            )
        case Reason.NOTHING_TO_SAY if record.backend == "local":
            unsure = (
                "The local model is not sure enough of anything here. How sure it must be is the setting "
                "`local.threshold`, and `local.invoked_threshold` for what you ask for by key."
            )
            # Why no server was asked instead.
            return f"{_sentence(record.detail)} {unsure}" if record.detail else unsure
        case Reason.NOTHING_TO_SAY if record.origin is Origin.MEMORY:
            return f"{_capital(_who(record))} had nothing to say here when it was asked before."
        case Reason.NOTHING_TO_SAY if record.generated:
            written = _count(record.generated, "character")
            return f"{_capital(_who(record))} wrote {written}, none of which could be used."
        case reason:
            return _capital(_BECAUSE[reason].format(who=_who(record)))


def _failing(record: Record) -> str:
    """Return for how long the backend has failed, and when it is asked again."""
    since = f"It has failed for {_duration(record.failing_s)}" if record.failing_s else "It has just failed"
    if record.asked_again_s is None:
        return f"{since}. `tabby-ls check` tries every step."
    return (
        f"{since} and is asked again in {_duration(record.asked_again_s)}, or at once if you ask by key. "
        "`tabby-ls check` tries every step."
    )


def _reading(record: Record) -> str:
    """Return where the answer was cut, and whether more of it was to come."""
    if not record.complete and record.shown:
        return "More of it was to come when the time was up; it is there for the next request."
    return f"The answer was read until {record.rule}." if record.rule else ""


def _timing(record: Record) -> str:
    """Return how the time was spent, for requests that were answered or waited for a backend."""
    if record.answered_ms is None or (record.asked_ms is None and record.reason is not Reason.SHOWN):
        return ""
    parts = []
    if record.asked_ms is not None:
        asked = f"{record.asked_ms:.0f} ms after" if record.asked_ms >= 0 else "before"
        parts.append(f"the backend was asked {asked} the request came")
        if record.first_text_ms is not None:
            parts.append(
                f"its first text came {max(0.0, record.first_text_ms - record.asked_ms):.0f} ms later"
            )
    return f"It took {record.answered_ms:.0f} ms" + "".join(f"; {part}" for part in parts) + "."


def _who(record: Record) -> str:
    if record.backend == "local":
        return "the local model"
    return record.who or record.model or "the model"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _duration(seconds: float | None) -> str:
    if seconds is None or seconds < 1:
        return "less than a second"
    if seconds < 120:
        return _count(round(seconds), "second")
    return f"{round(seconds / 60)} minutes"


def _sentence(text: str) -> str:
    text = _capital(text)
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


#: What is to be said of each reason that needs no more than who was asked; `why_nothing` has the others.
_BECAUSE = {
    Reason.DISABLED: "Suggestions are off: the setting `enabled` is false.",
    Reason.SWITCHED_OFF: "Suggestions are switched off for this session; "
    "the command `tabby-ls.toggle` switches them on.",
    Reason.LANGUAGE_DISABLED: "Suggestions are off for this language: it is in the setting `disabled_languages`.",
    Reason.LANGUAGE_SWITCHED_OFF: "Suggestions are switched off for this language in this session; "
    "the command `tabby-ls.toggle` with the scope `language` switches them on.",
    Reason.FILE_SWITCHED_OFF: "Suggestions are switched off for this file in this session; "
    "the command `tabby-ls.toggle` with the scope `file` switches them on.",
    Reason.FILE_EXCLUDED: "The setting `exclude` keeps this file out: it is neither completed nor read.",
    Reason.PRIVATE_FILE: "A file of this name usually holds keys or passwords: "
    "such files are never completed, read or sent.",
    Reason.FILE_IGNORED: "A .tabbyignore or .gitignore keeps this file out: it is not sent to a server.",
    Reason.MANUAL_ONLY: "The setting `trigger` is `manual`: suggestions come only when you ask for one by key.",
    Reason.NOTHING_TO_SAY: "{who} had nothing to say here.",
    Reason.ALREADY_THERE: "What {who} wrote already stands behind the cursor. "
    "If it wrote more than that, the rest is suggested once the cursor is there.",
    Reason.SUPERSEDED: "You typed on, so a newer request took its place.",
    Reason.CANCELLED: "The editor took the request back, as it does when you type on or leave the place.",
    Reason.TOO_LATE: "The time was up before any text had come; what comes later is kept for the next request. "
    "`deadline_ms` says how long to wait, `menu.deadline_ms` for menus.",
    Reason.NO_BACKEND: "None of the servers in `backends` serves such requests: see `requests` and `languages` there.",
}
