"""Open documents: the client's edits in, immutable snapshots out.

pygls keeps the documents; this gives it ours, whose edits cost nothing that grows with the document, and which
tell what they changed. A document that is not open has no text: the disk is never read in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, cast
from urllib.parse import unquote

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.server.text import (
    CHARACTERS_AFTER,
    CHARACTERS_BEFORE,
    Edit,
    Point,
    PositionEncoding,
    TextLines,
    first_of,
    last_of,
)


class DocumentNotOpenError(KeyError):
    """The client asked about a document that it has not opened, or has closed again."""


class OpenDocument(TextDocument):
    """A text document or notebook cell the client has open, as pygls' own class but for its text."""

    def __init__(
        self, workspace: OpenDocuments, uri: str, source: str, version: int | None, language_id: str | None
    ) -> None:
        super().__init__(uri, None, version, language_id, position_codec=workspace.position_codec)
        self.workspace = workspace
        self.text = TextLines(source, workspace.encoding)

    @property
    def source(self) -> str:
        """The whole text. Costs as much as the document is long."""
        return self.text.text

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their line ends; not a copy, so not to be kept across edits."""
        return self.text.lines

    def locate(self, position: types.Position) -> Point:
        """Where the client's position is: line and code point index, clamped to the text."""
        return self.text.locate(position.line, position.character)

    def apply_change(self, change: types.TextDocumentContentChangeEvent) -> None:
        """Apply one of the client's changes."""
        self.edit(change)

    def edit(self, change: types.TextDocumentContentChangeEvent) -> Edit:
        """Apply one of the client's changes and return what it changed."""
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = change.range.start, change.range.end
            return self.text.apply((start.line, start.character), (end.line, end.character), change.text)
        return self.text.replace_all(change.text)


EditListener: TypeAlias = Callable[[OpenDocument, Sequence[Edit]], None]


class OpenDocuments(Workspace):
    """pygls' workspace, holding our documents.

    `on_edit` is called after each change notification, with the edits it made in their order; each edit's
    points refer to the text the one before it left.
    """

    def __init__(self, stock: Workspace, on_edit: EditListener) -> None:
        """Take the place of a workspace that pygls made and that holds no documents yet."""
        super().__init__(
            stock.root_uri, stock._sync_kind, list(stock.folders.values()), stock.position_encoding
        )
        self._on_edit = on_edit

    @property
    def encoding(self) -> PositionEncoding:
        """The position encoding agreed on with the client, by its name in the protocol."""
        return types.PositionEncodingKind(self.position_encoding).value

    def get_text_document(self, doc_uri: str) -> OpenDocument:
        """An open document; raises `DocumentNotOpenError` for any other."""
        try:
            return cast(OpenDocument, self._text_documents[unquote(doc_uri)])
        except KeyError:
            raise DocumentNotOpenError(doc_uri) from None

    def update_text_document(
        self, text_doc: types.VersionedTextDocumentIdentifier, change: types.TextDocumentContentChangeEvent
    ) -> None:
        """Apply one change; pygls calls this for a notebook's cells."""
        self.change(text_doc, [change])

    def change(
        self,
        identifier: types.VersionedTextDocumentIdentifier,
        changes: Sequence[types.TextDocumentContentChangeEvent],
    ) -> None:
        """Apply the changes of one notification, in order; raises `DocumentNotOpenError`."""
        document = self.get_text_document(identifier.uri)
        edits = [document.edit(change) for change in changes]
        document.version = identifier.version
        self._on_edit(document, edits)

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> OpenDocument:
        return OpenDocument(self, doc_uri, source or "", version, language_id)

    def neighbours(self, document: OpenDocument) -> tuple[list[TextLines], list[TextLines]]:
        """The code cells of the same language before and after a notebook's cell, the nearest first.

        Both are empty for a document that is no cell.
        """
        notebook = self.get_notebook_document(cell_uri=document.uri)
        before: list[TextLines] = []
        after: list[TextLines] = []
        seen = before
        for cell in notebook.cells if notebook else ():
            other = self._text_documents.get(unquote(cell.document))
            if other is document:
                seen = after
            elif (
                isinstance(other, OpenDocument)
                and cell.kind is types.NotebookCellKind.Code
                and other.language_id == document.language_id
            ):
                seen.append(other.text)
        return before[::-1], after


def snapshot(
    document: OpenDocument,
    position: types.Position,
    before: int = CHARACTERS_BEFORE,
    after: int = CHARACTERS_AFTER,
) -> Snapshot:
    """The text around a client position, at most about `before` and `after` characters of whole lines.

    A notebook's cell sees the code cells around it as if they were one file, but `line` stays the cell's
    own: `Snapshot.first_line` may then be negative. Raises `DocumentNotOpenError` for a document closed since.
    """
    workspace = document.workspace
    if workspace.get_text_document(document.uri) is not document:
        raise DocumentNotOpenError(document.uri)
    line, index = document.locate(position)
    cells_before, cells_after = workspace.neighbours(document)
    return Snapshot(
        uri=document.uri,
        version=document.version or 0,
        language=document.language_id or "",
        line=line,
        prefix=last_of(_upward(document.text, line, index, cells_before, before), before),
        suffix=first_of(_downward(document.text, line, index, cells_after, after), after),
        line_ending=document.text.line_ending,
    )


def _upward(text: TextLines, line: int, index: int, cells: list[TextLines], limit: int) -> Iterator[str]:
    """The text before a point from its own line up, on through the cells before it."""
    yield from text.upward(line, index, limit)
    for cell in cells:
        pieces = cell.upward(*cell.end, limit)
        last = next(pieces)
        if last:
            yield last + "\n"
        yield from pieces


def _downward(text: TextLines, line: int, index: int, cells: list[TextLines], limit: int) -> Iterator[str]:
    """The text after a point from its own line down, on through the cells after it."""
    yield from text.downward(line, index, limit)
    # Where the point's line is the empty one after the last line end, the next cell is below it.
    last, width = text.end
    ended = line < last and not width
    for cell in cells:
        if not ended:
            yield "\n"
        yield from cell.downward(0, 0, limit)
        ended = not cell.end[1]
