"""Why a request did or did not show something, in sentences that say what to do about it."""

from __future__ import annotations

from datetime import datetime

from tabby_ls.engine.outcome import Origin, Reason
from tabby_ls.journal.record import Record

NOTHING_YET = "Nothing has been asked yet: type in a file, or ask for a suggestion by key."


def explain(record: Record) -> str:
    """Return a few sentences about one request: where and when, what came of it and why, how long it took."""
    when = datetime.fromtimestamp(record.time).strftime("%H:%M:%S")
    how = "by key" if record.trigger == "key" else "while typing"
    where = f"{when}, {record.file} line {record.line} ({record.language or 'no language'}), asked {how}"
    if record.reason is Reason.SHOWN:
        return f"{where}: {_shown(record)}"
    return f"{where}: nothing was suggested. {because(record.reason, record.detail)}{_timing(record)}"


def because(reason: Reason, detail: str = "") -> str:
    """Return one or two sentences about why nothing was suggested. `detail` is a backend's own complaint."""
    sentence = _BECAUSE[reason]
    if not detail:
        return sentence
    return f"{_as_sentence(detail)} {sentence}" if sentence else _as_sentence(detail)


def _shown(record: Record) -> str:
    size = f"{record.lines} lines" if record.lines > 1 else f"{record.shown} characters"
    source = {
        Origin.MEMORY: "from memory, because you typed what had been suggested already; nobody was asked",
        Origin.RUNNING: f"by {record.backend}, from the answer that was already on its way",
        Origin.ASKED: f"by {record.backend}",
        None: "",
    }[record.origin]
    more = "" if record.complete else " More was to come when the time was up."
    return f"{size} were suggested {source}.{_timing(record)}{more}"


def _timing(record: Record) -> str:
    """Return how the time was spent, for requests that waited for a backend."""
    if record.answered_ms is None:
        return ""
    if record.asked_ms is None:
        return f" It took {record.answered_ms:.0f} ms." if record.reason is Reason.SHOWN else ""
    parts = [f"the backend was asked after {max(0.0, record.asked_ms):.0f} ms"]
    if record.first_text_ms is not None:
        parts.append(f"its first text came after {max(0.0, record.first_text_ms):.0f} ms")
    return f" Of {record.answered_ms:.0f} ms in all, " + ", ".join(parts) + "."


def _as_sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


_BECAUSE = {
    Reason.SHOWN: "",
    Reason.DISABLED: "Suggestions are off: the setting `enabled` is false.",
    Reason.SWITCHED_OFF: "Suggestions are switched off for this session; the command `tabby-ls.toggle` switches them on.",
    Reason.LANGUAGE_DISABLED: "Suggestions are off for this language: it is in the setting `disabled_languages`.",
    Reason.LANGUAGE_SWITCHED_OFF: "Suggestions are switched off for this language in this session; "
    "the command `tabby-ls.toggle` with the scope `language` switches them on.",
    Reason.FILE_SWITCHED_OFF: "Suggestions are switched off for this file in this session; "
    "the command `tabby-ls.toggle` with the scope `file` switches them on.",
    Reason.FILE_EXCLUDED: "The setting `exclude` keeps this file out: it is neither completed nor read.",
    Reason.PRIVATE_FILE: "A file of this name usually holds keys or passwords: such files are never completed, read or sent.",
    Reason.MANUAL_ONLY: "The setting `trigger` is `manual`: suggestions come only when you ask for one by key.",
    Reason.NOTHING_TO_SAY: "The model had nothing to say here.",
    Reason.ALREADY_THERE: "What the model wrote only repeats what already stands behind the cursor.",
    Reason.SUPERSEDED: "You typed on, so a newer request took its place.",
    Reason.CANCELLED: "The editor took the request back, as it does when you type on or leave the place.",
    Reason.TOO_LATE: "The time was up before the first text came; what came later is kept for the next request. "
    "`deadline_ms` and, for menus, `menu.deadline_ms` say how long to wait.",
    Reason.BACKEND_FAILED: "`tabby-ls check` tries every step.",
    Reason.BACKEND_RESTING: "After such a failure it is left alone for some seconds; ask by key to try at once.",
}
