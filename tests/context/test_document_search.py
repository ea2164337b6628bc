"""Which lines of the open documents are found for a cursor, the likeliest first."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tabby_ls.context.document_search import Search, find
from tabby_ls.context.open_documents import OpenDocuments
from tabby_ls.context.query import query_at
from tabby_ls.context.ranking import Piece

ALL = ("edits", "open", "definitions")
USE = "total = compute(amount)"
ASKED = "from store import compute\n\nx = compute("


def opened(texts: dict[str, str]) -> OpenDocuments:
    """Documents by their paths, taken apart."""
    documents = OpenDocuments()
    for path, text in texts.items():
        lines = text.split("\n")
        language = "python" if path.endswith(".py") else "ruby"
        documents.opened(f"file:///{path}", path, language, lambda lines=lines: lines)
    list(documents.refresh())
    return documents


def steps_of(
    documents: OpenDocuments, *, sources: tuple[str, ...] = ALL, path: str = "main.py", seen: range = range(1)
) -> Generator[None, None, list[Piece]]:
    search = Search(f"file:///{path}", path, "python", query_at(ASKED, ")"), seen, sources)
    return find(documents, search)


def result(steps: Generator[None, None, list[Piece]]) -> list[Piece]:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            pieces: list[Piece] = end.value
            return pieces


@pytest.mark.parametrize(
    ("likely", "other"),
    [
        ("store.py", "other.py"),
        ("store/__init__.py", "other/__init__.py"),
        ("a.py", "a.rb"),
        ("a.py", "lib/a.py"),
    ],
    ids=["imported", "an imported package", "of the same language", "in the same folder"],
)
def test_of_the_same_lines_those_of_the_likelier_document_come_first(likely: str, other: str) -> None:
    for paths in ((likely, other), (other, likely)):
        found = result(steps_of(opened(dict.fromkeys(paths, USE))))
        assert [piece.path for piece in found] == [likely, other]


def test_lines_count_more_as_a_definition_than_as_lines() -> None:
    as_definition, as_lines = result(steps_of(opened({"a.py": "def compute(amount):"})))
    assert as_definition.text == as_lines.text
    assert as_definition.floor > as_lines.floor == 0


def test_what_was_changed_last_comes_first() -> None:
    documents = opened({"a.py": "\n".join(f"line_{number} = 1" for number in range(100))})
    documents.edited("file:///a.py", 90, 90, "x")
    documents.edited("file:///a.py", 0, 0, "x")
    found = result(steps_of(documents, sources=("edits",)))
    assert [piece.start for piece in found] == [0, 80]


def test_a_change_is_found_among_many_documents_that_say_more() -> None:
    documents = opened({"changed.py": "first = 1"} | {f"{number}.py": USE for number in range(100)})
    documents.edited("file:///changed.py", 0, 0, "x")
    assert result(steps_of(documents))[0].path == "changed.py"


def test_a_change_where_the_user_was_already_is_a_change() -> None:
    documents = opened({"a.py": "first = 1", "b.py": USE})
    documents.visited("file:///a.py", 0)
    assert [piece.path for piece in result(steps_of(documents))] == ["b.py", "a.py"]
    documents.edited("file:///a.py", 0, 0, "x")
    assert [piece.path for piece in result(steps_of(documents))] == ["a.py", "b.py"]


def test_what_the_prompt_holds_of_the_document_itself_is_not_found_again() -> None:
    documents = opened({"main.py": "def compute(amount):\n    return amount"})
    assert result(steps_of(documents, seen=range(2))) == []
    assert result(steps_of(documents, seen=range(10, 20))) != []


@pytest.mark.parametrize(("source", "found"), [("open", USE), ("definitions", "def compute(amount):")])
def test_only_the_sources_that_are_wanted_are_searched(source: str, found: str) -> None:
    documents = opened({"a.py": USE, "b.py": "def compute(amount):"})
    texts = {piece.text for piece in result(steps_of(documents, sources=(source,)))}
    assert found in texts
    assert (texts == {found}) == (source == "definitions")


def test_a_document_that_is_closed_during_a_search_is_left_out() -> None:
    documents = opened({"a.py": USE, "b.py": USE})
    steps = steps_of(documents)
    next(steps)
    documents.closed("file:///a.py")
    assert [piece.path for piece in result(steps)] == ["b.py"]
