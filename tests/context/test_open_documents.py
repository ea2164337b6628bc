"""Taking documents apart: each change once, given up half way without loss, and of all only those used last."""

from __future__ import annotations

import pytest

from tabby_ls.context import open_documents
from tabby_ls.context.open_documents import OpenDocuments


def _documents(*texts: list[str]) -> OpenDocuments:
    documents = OpenDocuments()
    for number, lines in enumerate(texts):
        documents.opened(f"file:///{number}.py", f"{number}.py", "python", lambda lines=lines: lines)
    return documents


def test_a_change_is_taken_in_once() -> None:
    """A document that was taken apart a second time is not looked at again until it changes again."""
    documents = _documents(["import os"], ["import sys"])
    list(documents.refresh())
    documents.edited("file:///0.py", 0, 0, "x")
    assert documents.has_stale
    list(documents.refresh())
    assert not documents.has_stale
    assert not list(documents.refresh())


def test_what_is_given_up_goes_on_where_it_was() -> None:
    """Callers that have time for one step each come to the end together."""
    lines = [f"value_{number} = compute({number})" for number in range(2000)]
    steps = len(list(_documents(lines).refresh()))
    assert steps > 10, "it must take several steps"
    documents = _documents(lines)
    for _ in range(steps):
        work = documents.refresh()
        next(work, None)
        work.close()
    assert not documents.has_stale
    assert documents.rare("compute") < documents.rare("value_1500") < documents.rare("unknown")


def test_what_is_edited_or_opened_anew_meanwhile_is_taken_in_as_it_is_then() -> None:
    """Neither is an edit lost that came half way, nor does a former text come back."""
    lines = [f"first_{number} = 1" for number in range(2000)]
    documents = _documents(["other = 1"], lines)
    work = documents.refresh()
    next(work)
    lines[0] = "second = 1"
    documents.edited("file:///1.py", 0, 0, "second")
    list(work)
    assert documents.has_stale
    list(documents.refresh())
    assert documents.rare("second") < documents.rare("first_0")
    documents.edited("file:///1.py", 0, 0, "")
    work = documents.refresh()
    next(work)
    documents.opened("file:///1.py", "1.py", "python", list)
    list(work)
    list(documents.refresh())
    assert not documents.has_stale
    assert documents.rare("second") == documents.rare("unknown")


def test_places_move_with_the_lines_they_are_in() -> None:
    lines = [f"line_{number} = 1" for number in range(200)]
    documents = _documents(lines)
    documents.edited("file:///0.py", 100, 100, "x")
    lines[:0] = [""] * 50
    documents.edited("file:///0.py", 0, 0, "\n" * 50)
    documents.closed("file:///0.py")
    list(documents.refresh())
    assert documents.rare("line_100") < documents.rare("line_50") == documents.rare("unknown")


def test_only_the_documents_used_last_are_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_documents, "_MOST_DOCUMENTS", 1)
    documents = _documents(["first = 1"])
    list(documents.refresh())
    documents.opened("file:///1.py", "1.py", "python", lambda: ["second = 1"])
    list(documents.refresh())
    assert documents.rare("second") < documents.rare("first") == documents.rare("unknown")
