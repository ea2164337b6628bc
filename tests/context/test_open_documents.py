"""Taking documents apart: each change once, and given up half way without loss; and searching them meanwhile."""

from __future__ import annotations

from collections.abc import Generator

from tabby_ls.context.document_search import Search, find
from tabby_ls.context.open_documents import OpenDocuments
from tabby_ls.context.query import query_at
from tabby_ls.context.ranking import Piece


def _result(steps: Generator[None, None, list[Piece]]) -> list[Piece]:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            pieces: list[Piece] = end.value
            return pieces


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


def test_what_is_edited_or_closed_meanwhile_is_taken_in_as_it_is_then() -> None:
    """Neither is an edit lost that came half way, nor does a closed document come back."""
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
    documents.forget("file:///1.py")
    list(work)
    assert not documents.has_stale
    assert documents.rare("second") == documents.rare("unknown")


def test_a_document_that_is_closed_during_a_search_is_left_out() -> None:
    documents = _documents(["first = compute(1)"], ["second = compute(2)"])
    list(documents.refresh())
    query = query_at("x = compute(", ")")
    steps = find(documents, Search("file:///2.py", "2.py", "python", query, range(1), ("open",)))
    next(steps)
    documents.forget("file:///0.py")
    assert [piece.path for piece in _result(steps)] == ["1.py"]
