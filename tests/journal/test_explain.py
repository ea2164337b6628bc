"""What the user reads when nothing appears: each reason in words, with what to do about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tabby_ls.engine.outcome import Origin, Outcome, Reason
from tabby_ls.journal.explain import because, explain
from tabby_ls.journal.journal import MENU_SILENT, NOTHING_YET, Journal
from tabby_ls.journal.record import Record

NOON = datetime.now().replace(hour=12, minute=0, second=0, microsecond=0).timestamp()


def record(reason: Reason, **more: Any) -> Record:
    fixed: dict[str, Any] = {
        "time": NOON,
        "request": 1,
        "file": "file:///work/my%20code.py",
        "language": "python",
        "line": 3,
        "trigger": "typing",
    }
    return Record(**(fixed | {"reason": reason} | more))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            record(
                Reason.SHOWN,
                shown=12,
                lines=1,
                origin=Origin.ASKED,
                backend="tabbyapi",
                who="TabbyAPI: Qwen",
                model="org/Qwen",
                asked_ms=80.2,
                first_text_ms=230.4,
                answered_ms=300.0,
                rule="the line was complete",
            ),
            "12 characters suggested by TabbyAPI: Qwen. The answer was read until the line was complete. It took 300 ms; the "
            "backend was asked 80 ms after the request came; its first text came 150 ms later.",
        ),
        (
            record(Reason.SHOWN, shown=90, lines=3, origin=Origin.MEMORY, backend="local", answered_ms=1.6),
            "3 lines suggested from memory, because it goes on from what the local model had said before. "
            "It took 2 ms.",
        ),
        (
            record(
                Reason.SHOWN,
                shown=1,
                lines=1,
                origin=Origin.RUNNING,
                backend="tabbyapi",
                complete=False,
                asked_ms=-40,
                answered_ms=60,
            ),
            "1 character suggested by the model, from an answer that was already on its way. More of it was to come "
            "when the time was up; it is there for the next request. It took 60 ms; the backend was asked before the "
            "request came.",
        ),
        (
            record(
                Reason.BACKEND_RESTING,
                detail="the server at http://x cannot be reached; is it running?",
                failing_s=119.0,
                asked_again_s=7.6,
            ),
            "nothing was suggested. The server at http://x cannot be reached; is it running? It has failed for "
            "119 seconds and is asked again in 8 seconds, or at once if you ask by key. `tabby-ls check` tries every "
            "step.",
        ),
        (
            record(Reason.BACKEND_FAILED, detail="it failed", failing_s=600.0),
            "nothing was suggested. It failed. It has failed for 10 minutes. `tabby-ls check` tries every step.",
        ),
        (
            record(Reason.TOO_LATE, complete=False, asked_ms=80, answered_ms=300),
            "nothing was suggested. The time was up before any text had come; what comes later is kept for the next "
            "request. `deadline_ms` says how long to wait, `menu.deadline_ms` for menus. It took 300 ms; the backend "
            "was asked 80 ms after the request came.",
        ),
        (
            record(Reason.NOTHING_TO_SAY, backend="tabbyapi", model="Qwen", generated=7),
            "nothing was suggested. Qwen wrote 7 characters, none of which could be used.",
        ),
        (
            record(Reason.NOTHING_TO_SAY, backend="tabbyapi", model="Qwen"),
            "nothing was suggested. Qwen had nothing to say here.",
        ),
        (
            record(Reason.NOTHING_TO_SAY, backend="tabbyapi", model="Qwen", origin=Origin.MEMORY),
            "nothing was suggested. Qwen had nothing to say here when it was asked before.",
        ),
        (
            record(Reason.ALREADY_THERE, backend="local"),
            "nothing was suggested. What the local model wrote already stands behind the cursor. If it wrote more than "
            "that, the rest is suggested once the cursor is there.",
        ),
    ],
)
def test_a_request_is_told_in_sentences(told: Record, expected: str) -> None:
    assert explain(told) == f"12:00:00, my code.py line 3, asked while typing: {expected}"


@pytest.mark.parametrize(
    ("reason", "more", "to_do"),
    [
        (Reason.DISABLED, {}, "`enabled`"),
        (Reason.SWITCHED_OFF, {}, "`tabby-ls.toggle`"),
        (Reason.LANGUAGE_DISABLED, {}, "`disabled_languages`"),
        (Reason.LANGUAGE_SWITCHED_OFF, {}, "`tabby-ls.toggle`"),
        (Reason.FILE_SWITCHED_OFF, {}, "`tabby-ls.toggle`"),
        (Reason.FILE_EXCLUDED, {}, "`exclude`"),
        (Reason.PRIVATE_FILE, {}, "never completed, read or sent"),
        (Reason.MANUAL_ONLY, {}, "`trigger`"),
        (Reason.NOTHING_TO_SAY, {"backend": "local"}, "`local.threshold`"),
        (
            Reason.NOTHING_TO_SAY,
            {"backend": "local", "detail": "a .gitignore keeps it"},
            "A .gitignore keeps it. The",
        ),
        (Reason.SUPERSEDED, {}, "`debounce_ms`"),
        (Reason.TOO_LATE, {"asked_ms": 1.0}, "`deadline_ms`"),
        (Reason.BACKEND_FAILED, {"detail": "x"}, "`tabby-ls check`"),
        (Reason.NO_BACKEND, {}, "`languages`"),
        (Reason.BACKEND_RESTING, {"detail": "x", "asked_again_s": 3.0}, "by key"),
    ],
)
def test_what_to_do_is_named(reason: Reason, more: dict[str, Any], to_do: str) -> None:
    assert to_do in explain(record(reason, **more))


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words_without_gaps(reason: Reason) -> None:
    for more in ({}, {"backend": "local"}, {"asked_ms": 5.0, "answered_ms": 9.0}):
        text = explain(record(reason, **more))
        assert "{" not in text
        assert "  " not in text
        assert text.endswith((".", "?"))


@pytest.mark.parametrize("reason", [reason for reason in Reason if Outcome(reason).is_refusal])
def test_the_status_has_words_for_each_reason_why_nothing_is_ever_suggested(reason: Reason) -> None:
    assert because(reason).endswith(".")


def test_another_day_is_named() -> None:
    assert explain(record(Reason.DISABLED, time=0.0)).startswith("19")


# --- which request is the last one ---


def test_it_is_said_that_nothing_was_asked_yet() -> None:
    journal = Journal()
    assert journal.why() == NOTHING_YET
    journal.menu_was_silent = True
    assert journal.why() == MENU_SILENT
    journal.take(record(Reason.DISABLED))
    assert "`enabled`" in journal.why()
    assert journal.why("file:///other.py") == MENU_SILENT


def test_requests_that_were_taken_back_do_not_hide_one_that_says_more() -> None:
    journal = Journal()
    journal.take(record(Reason.SUPERSEDED))
    assert "typed on" in journal.why(), "there is nothing that says more"
    journal.take(record(Reason.PRIVATE_FILE))
    assert "After it" not in journal.why()
    journal.take(record(Reason.CANCELLED))
    assert journal.why().endswith("After it, one more was replaced or taken back before an answer.")
    journal.take(record(Reason.SUPERSEDED))
    assert "keys or passwords" in journal.why()
    assert journal.why().endswith("After it, 2 more were replaced or taken back before an answer.")


def test_only_the_last_are_kept() -> None:
    journal = Journal()
    journal.take(record(Reason.DISABLED, file="file:///a.py"))
    for _ in range(200):
        journal.take(record(Reason.DISABLED, file="file:///b.py"))
    assert journal.why("file:///a.py") == NOTHING_YET
