"""The shape of ghost text and menu items, rule by rule."""

from __future__ import annotations

import pytest
from lsprotocol.types import (
    CompletionItem,
    CompletionItemKind,
    InsertTextFormat,
    MarkupContent,
    Position,
    Range,
    SelectedCompletionInfo,
    TextEdit,
)

from tabby_ls.engine.snapshot import Snapshot, Suggestion
from tabby_ls.server.clients import Client, Indentation, describe_client
from tabby_ls.server.items import inline_item, menu_item
from tabby_ls.server.places import Place
from tabby_ls.server.text import PositionEncoding

ADDS = Client(indentation=Indentation.ADDS)
MOVES = Client(moves_behind=True)
SNIPPETS = Client(indentation=Indentation.ADDS, needs_snippets=True)


def place(marked: str, *, encoding: PositionEncoding = "utf-32", line_ending: str = "\n") -> Place:
    """Where `|` is, in a document of whatever stands around it."""
    prefix, suffix = marked.split("|")
    snapshot = Snapshot("file:///a.py", 1, "python", prefix.count("\n"), prefix, suffix, line_ending)
    cursor = snapshot.line_prefix
    units = {
        "utf-8": len(cursor.encode()),
        "utf-16": len(cursor.encode("utf-16-le")) // 2,
        "utf-32": len(cursor),
    }
    return Place(snapshot, Position(snapshot.line, units[encoding]), encoding)


def menu(text: str, marked: str, client: Client = Client(), replaces: int = 0) -> CompletionItem:  # noqa: B008
    item = menu_item(Suggestion(text, replaces), place(marked), client, "7")
    assert item is not None
    return item


def edit(item: CompletionItem) -> tuple[int, int, str]:
    assert isinstance(item.text_edit, TextEdit)
    where = item.text_edit.range
    return where.start.character, where.end.character, item.text_edit.new_text


# --- ghost text ---


@pytest.mark.parametrize(("encoding", "start", "end"), [("utf-8", 8, 14), ("utf-16", 5, 9), ("utf-32", 4, 7)])
def test_the_replaced_characters_are_counted_in_the_clients_units(
    encoding: PositionEncoding, start: int, end: int
) -> None:
    item = inline_item(Suggestion("x'😀)", 3), place("'é😀(|'😀)\n", encoding=encoding), MOVES, "7")
    assert item.range == Range(Position(0, start), Position(0, end))


def test_line_ends_are_the_documents() -> None:
    item = inline_item(Suggestion("a\nb\n"), place("|", line_ending="\r\n"), Client(), "7")
    assert item.insert_text == "a\r\nb\r\n"


def test_a_selected_item_comes_first() -> None:
    selected = SelectedCompletionInfo(Range(Position(0, 0), Position(0, 4)), "print")
    at_its_end = place("print|)")
    where = Place(at_its_end.snapshot, Position(0, 4), "utf-32", selected)
    item = inline_item(Suggestion("(x)", 1), where, MOVES, "7")
    assert item.insert_text == "print(x)"
    assert item.range == Range(Position(0, 0), Position(0, 5))


def test_what_is_behind_the_cursor_stays_where_the_client_would_not_move_behind_it() -> None:
    item = inline_item(Suggestion("a, b)", 1), place("f(|)"), Client(), "7")
    assert item.insert_text == "a, b"
    assert item.range == Range(Position(0, 2), Position(0, 2))


def test_behind_several_lines_it_is_said_what_stayed() -> None:
    def told(text: str, client: Client) -> object:
        command = inline_item(Suggestion(text, 1), place("f(|)"), client, "7").command
        assert command is not None
        return command.arguments

    assert told("\n    a,\n)", Client()) == [{"id": "7", "behind": ")"}]
    assert told("\n    a,\n)", MOVES) == [{"id": "7"}]
    assert told("a, b)", Client()) == [{"id": "7"}]


# --- menu items ---


def test_what_an_editor_would_not_replace_is_left_to_it() -> None:
    """Kate inserted `f(a))`: it takes the beginning of an item's range, and not its end."""
    nameless = describe_client("", {})
    assert edit(menu("a)", "f(|)\n", nameless, 1)) == (2, 2, "a")
    assert edit(menu("a) + g(b)", "f(|)\n", nameless, 1)) == (2, 2, "a) + g(b")
    assert edit(menu("a)", "f(|)\n", replaces=1)) == (2, 3, "a)")


@pytest.mark.parametrize(
    ("marked", "text", "label", "filter_text"),
    [
        ("re|", "turn x", "return x", "return x"),
        ("x = |", "1", "1", "1"),
        ("größe_1|", "0 + 2", "größe_10 + 2", "größe_10 + 2"),
        ("a.b|", "c()", "bc()", "bc()"),
        ("    |", "    x", "x", "    x"),
        ("if x:|", "\n    y = 1", "y = 1 …", ""),
        ("if |", "x:\n    y", "x: …", "x:"),
        ("|", "x" * 60, "x" * 60, "x" * 60),
        ("|", "x" * 61, "x" * 59 + "…", "x" * 61),
        ("|", "x" * 61 + "\ny", "x" * 59 + "…", "x" * 61),
    ],
)
def test_the_label_and_what_is_typed_against(marked: str, text: str, label: str, filter_text: str) -> None:
    item = menu(text, marked)
    assert item.label == label
    assert item.filter_text == filter_text
    assert item.kind is CompletionItemKind.Text


@pytest.mark.parametrize(
    ("marked", "text", "replaces", "expected"),
    [
        ("re|", "turn", 0, (0, 2, "return")),
        ("f(it|)", "ems)", 1, (2, 5, "items)")),
        ("x + |", "1", 0, (4, 4, "1")),
    ],
)
def test_the_edit_begins_at_the_word_and_ends_behind_what_it_replaces(
    marked: str, text: str, replaces: int, expected: tuple[int, int, str]
) -> None:
    assert edit(menu(text, marked, replaces=replaces)) == expected


@pytest.mark.parametrize(
    ("marked", "text", "expected"),
    [
        pytest.param("    |", "a\n    b\n        c", "a\nb\n    c", id="each line loses the indentation"),
        pytest.param("\t|", "a\n\tb", "a\nb", id="of tabs too"),
        pytest.param("    |", "a\n\n    b", "a\n\nb", id="blank lines stay blank"),
        pytest.param("    |", "a\n   \n    b", "a\n\nb", id="and white space alone is blank"),
        pytest.param("    |", "a\n  b\n    c", "a", id="a line that lies outside ends it"),
        pytest.param("|", "a\n    b", "a\n    b", id="nothing to lose"),
    ],
)
def test_text_for_a_client_that_adds_indentation(marked: str, text: str, expected: str) -> None:
    assert edit(menu(text, marked, ADDS))[2] == expected


def test_nothing_that_such_a_client_could_insert() -> None:
    assert menu_item(Suggestion("\n  b"), place("        a(|"), ADDS, "7") is None


def test_a_bracket_that_was_to_be_replaced_stays_when_the_text_ends_before_it() -> None:
    start, end, text = edit(menu("a,\n  b)", "    f(|)", ADDS, replaces=1))
    assert (start, end, text) == (6, 6, "a,")


def test_several_lines_as_a_snippet_insert_just_themselves() -> None:
    item = menu("a = '$x ${1} \\n'\n    b", "    |", SNIPPETS)
    assert item.insert_text_format is InsertTextFormat.Snippet
    assert edit(item)[2] == "a = '\\$x \\${1\\} \\\\n'\nb"


def test_one_line_is_never_a_snippet() -> None:
    item = menu("a = ${1}", "|", SNIPPETS)
    assert item.insert_text_format is InsertTextFormat.PlainText
    assert edit(item)[2] == "a = ${1}"


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (Client(), "return x"),
        (Client(takes_markdown=True), "```python\nreturn x\n```"),
        (Client(assumes_markdown=True), "```python\nreturn x\n```"),
    ],
)
def test_the_documentation_shows_the_code(client: Client, expected: str) -> None:
    documentation = menu("turn x", "re|", client).documentation
    assert isinstance(documentation, MarkupContent) == client.takes_markdown
    assert getattr(documentation, "value", documentation) == expected
