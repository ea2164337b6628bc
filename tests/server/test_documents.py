"""Open documents: what pygls keeps, the snapshots the engine gets, the ranges that go back, and notebooks."""

from __future__ import annotations

import pytest
from lsprotocol.types import Position

from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.server.documents import DocumentNotOpenError, OpenDocument, snapshot
from tabby_ls.server.text import Edit
from tests.support.conversation import Conversation, insertion

URI = "file:///w/a.py"


@pytest.fixture
def client() -> Conversation:
    conversation = Conversation()
    conversation.initialize()
    return conversation


def in_encoding(encoding: str) -> Conversation:
    conversation = Conversation()
    conversation.initialize(capabilities={"general": {"positionEncodings": [encoding]}})
    return conversation


# --- the client's edits ---


def test_an_opened_document_is_ours_and_follows_the_edits(client):
    document = client.open(URI, "a\fb\u2028c\nd")
    client.change(URI, insertion(1, 1, "e"), insertion(0, 5, "!"), version=7)
    assert isinstance(document, OpenDocument)
    assert document.source == "a\fb\u2028c!\nde"
    assert document.lines == ["a\fb\u2028c!\n", "de"]
    assert document.version == 7


def test_a_change_without_a_range_is_the_whole_text(client):
    document = client.open(URI, "old\ntext")
    client.change(URI, {"text": "new"})
    assert document.source == "new"


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_positions_are_in_the_encoding_agreed_on(encoding, character):
    client = in_encoding(encoding)
    document = client.open(URI, "😀b")
    client.change(URI, insertion(0, character, "|"))
    assert document.source == "😀|b"


def test_the_clients_positions_are_left_as_they_are(client):
    document = client.open(URI, "abc\n")
    position = Position(0, 99)
    snapshot(document, position)
    assert position == Position(0, 99)


def test_edits_are_told_once_a_notification_after_they_were_made(client):
    told = []
    document = client.open(URI, "😀\nb")
    client.protocol.on_edit = lambda document, edits: told.append((document.uri, document.source, edits))
    client.change(URI, insertion(0, 2, "x"), insertion(1, 1, "y"))
    client.change(URI, {"text": "z"})
    assert told == [
        (URI, "😀x\nby", [Edit((0, 1), (0, 1), "x"), Edit((1, 1), (1, 1), "y")]),
        (URI, "z", [Edit((0, 0), (1, 2), "z")]),
    ]
    assert document.source == "z"


def test_a_change_to_a_document_that_is_not_open_is_dropped(client):
    assert client.change("file:///w/other.py", insertion(0, 0, "x")) == []


# --- snapshots ---


def test_a_snapshot_is_the_text_around_the_cursor(client):
    document = client.open(URI, "import os\r\n\r\nprint(😀)\r\nend")
    client.change(URI, insertion(3, 3, "!"), version=4)
    assert snapshot(document, Position(2, 8)) == Snapshot(
        uri=URI,
        version=4,
        language="python",
        line=2,
        prefix="import os\n\nprint(😀",
        suffix=")\nend!",
        line_ending="\r\n",
    )


def test_a_snapshot_holds_whole_lines_up_to_a_size(client):
    document = client.open(URI, "0123456789\n" * 1000)
    seen = snapshot(document, Position(500, 4), before=40, after=30)
    assert seen.prefix == "0123456789\n" * 3 + "0123"
    assert seen.suffix == "456789\n" + "0123456789\n" * 2
    assert seen.first_line == 497
    assert len(snapshot(document, Position(999, 0), before=65536).prefix) == 999 * 11


@pytest.mark.parametrize(
    "uri", ["untitled:Untitled-1", "vscode-notebook-cell:/w/n.ipynb#W0s", "inmemory://model/1"]
)
def test_documents_that_are_no_files(client, uri):
    assert snapshot(client.open(uri, "x = 1"), Position(0, 1)).prefix == "x"


def test_a_document_that_is_not_open_is_never_read_from_disk(client, tmp_path):
    path = tmp_path / "closed.py"
    path.write_text("secret = 1")
    with pytest.raises(DocumentNotOpenError):
        client.server.workspace.get_text_document(path.as_uri())


def test_a_document_closed_meanwhile_has_no_snapshot(client):
    document = client.open(URI, "x")
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    with pytest.raises(DocumentNotOpenError):
        snapshot(document, Position(0, 0))
    client.open(URI, "reopened")
    with pytest.raises(DocumentNotOpenError):
        snapshot(document, Position(0, 0))


def test_an_escaped_uri_is_the_same_document(client):
    document = client.open("file:///c%3A/a%20b.py", "x")
    assert client.server.workspace.get_text_document("file:///c:/a b.py") is document


# --- notebooks ---

CELL = "vscode-notebook-cell:/w/n.ipynb#"


def open_notebook(client, *cells: tuple[str, str, str]) -> None:
    """Cells are (name, language, text)."""
    client.notify(
        "notebookDocument/didOpen",
        {
            "notebookDocument": {
                "uri": "file:///w/n.ipynb",
                "notebookType": "jupyter-notebook",
                "version": 1,
                "cells": [
                    {"kind": 1 if language == "markdown" else 2, "document": CELL + name}
                    for name, language, _ in cells
                ],
            },
            "cellTextDocuments": [
                {"uri": CELL + name, "languageId": language, "version": 1, "text": text}
                for name, language, text in cells
            ],
        },
    )


def at(client, name: str, line: int, character: int, **sizes: int) -> Snapshot:
    return snapshot(
        client.server.workspace.get_text_document(CELL + name), Position(line, character), **sizes
    )


def test_a_cell_sees_the_code_cells_of_its_language_around_it(client):
    open_notebook(
        client,
        ("a", "python", "import os"),
        ("b", "markdown", "# prose"),
        ("c", "python", "x = 1\n"),
        ("d", "python", "first\nos.\nlast"),
        ("e", "javascript", "let y"),
        ("f", "python", ""),
        ("g", "python", "y = 2"),
        ("h", "python", "z = 3"),
    )
    seen = at(client, "d", 1, 3)
    assert seen.prefix == "import os\nx = 1\nfirst\nos."
    assert seen.suffix == "\nlast\ny = 2\nz = 3"
    assert (seen.line, seen.first_line) == (1, -2)


@pytest.mark.parametrize(("text", "line"), [("", 0), ("x\n", 1)])
def test_the_next_cell_is_never_on_the_cursors_line(client, text, line):
    open_notebook(client, ("a", "python", text), ("b", "python", "after"))
    assert at(client, "a", line, 0).suffix == "\nafter"


def test_a_cell_that_ends_with_a_line_end_needs_no_other(client):
    open_notebook(client, ("a", "python", "here\n"), ("b", "python", "after"))
    assert at(client, "a", 0, 4).suffix == "\nafter"


def test_the_cells_around_count_towards_the_size(client):
    open_notebook(client, ("a", "python", "1\n2\n3"), ("b", "python", "here"), ("c", "python", "4\n5\n6"))
    assert at(client, "b", 0, 2, before=6, after=6).prefix == "2\n3\nhe"
    assert at(client, "b", 0, 2, before=6, after=6).suffix == "re\n4\n"


def test_a_cut_cell_hides_the_cells_beyond_it(client):
    open_notebook(
        client, ("a", "python", "1"), ("b", "python", "1234567\nhere\n1234567"), ("c", "python", "2")
    )
    seen = at(client, "b", 1, 2, before=8, after=8)
    assert (seen.prefix, seen.suffix) == ("he", "re\n")


def test_a_cells_edits_are_followed_and_told(client):
    open_notebook(client, ("a", "python", "x"))
    told = []
    client.protocol.on_edit = lambda document, edits: told.append((document.uri, edits))
    change = {"document": {"uri": CELL + "a", "version": 2}, "changes": [insertion(0, 1, "y")]}
    client.notify(
        "notebookDocument/didChange",
        {
            "notebookDocument": {"uri": "file:///w/n.ipynb", "version": 2},
            "change": {"cells": {"textContent": [change]}},
        },
    )
    assert at(client, "a", 0, 2).prefix == "xy"
    assert told == [(CELL + "a", [Edit((0, 1), (0, 1), "y")])]
