"""Where the client asks: a place in a document, as the engine sees it and as the protocol's positions."""

from __future__ import annotations

from attrs import evolve, frozen
from lsprotocol import types

from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.server.documents import DocumentNotOpenError, OpenDocument, OpenDocuments, snapshot
from tabby_ls.server.text import PositionEncoding, units_of


@frozen
class Place:
    """Where the client asked, as it was then: the document may have changed since.

    `position` is exact, and `encoding` is what it counts in. With an item `selected` in the client's menu,
    snapshot and position are as if that had been inserted. `typed` are letters that came after the client
    asked: snapshot and position are behind them, and the client puts its edit where they were not there.
    """

    snapshot: Snapshot
    position: types.Position
    encoding: PositionEncoding
    selected: types.SelectedCompletionInfo | None = None
    typed: str = ""

    def before(self, text: str) -> types.Position:
        """Return the position where `text`, which ends at the cursor, begins."""
        return self._moved(-units_of(text, self.encoding))

    def after(self, characters: int) -> types.Position:
        """Return the position so many characters behind the cursor, in its line as it was when the client asked."""
        return self._moved(
            units_of(self.snapshot.line_suffix[:characters], self.encoding)
            - units_of(self.typed, self.encoding)
        )

    def _moved(self, units: int) -> types.Position:
        return types.Position(self.position.line, self.position.character + units)


def place_of(
    documents: OpenDocuments, params: types.InlineCompletionParams | types.CompletionParams
) -> Place:
    """Return where the client asks; raises DocumentNotOpenError."""
    document = documents.get_text_document(params.text_document.uri)
    line, index = document.locate(params.position)
    position = types.Position(line, document.text.units(line, index))
    place = Place(snapshot(document, position), position, documents.encoding)
    if isinstance(params, types.InlineCompletionParams) and params.context.selected_completion_info:
        return _behind(params.context.selected_completion_info, place, document)
    return place


def typed_on(documents: OpenDocuments, params: types.CompletionParams, place: Place) -> Place | None:
    """Return the place behind the letters that were typed at `place` since; None if nothing was, or something else.

    Other lines may have changed as well: with several cursors, each of them types.
    """
    then = place.snapshot
    try:
        document = documents.get_text_document(params.text_document.uri)
    except DocumentNotOpenError:
        return None
    number, index = document.locate(place.position)
    line = document.text.line(number)
    typed = line[index : len(line) - len(then.line_suffix)]
    if line != then.line_prefix + typed + then.line_suffix or not is_word(typed):
        return None
    position = types.Position(number, document.text.units(number, index + len(typed)))
    return evolve(place, snapshot=snapshot(document, position), position=position, typed=place.typed + typed)


def is_word(text: str) -> bool:
    """Return whether all of `text` is part of a word, and there is some of it."""
    return bool(text) and all(character.isalnum() or character == "_" for character in text)


def _behind(selected: types.SelectedCompletionInfo, place: Place, document: OpenDocument) -> Place:
    """Return the place at the end of the client's selected menu item, as if that had been inserted."""
    line, cursor = document.locate(place.position)
    start_line, start = document.locate(selected.range.start)
    end_line, end = document.locate(selected.range.end)
    if start_line != line or end_line != line or not start <= cursor <= end:
        return place
    now = place.snapshot
    prefix = now.prefix[: len(now.prefix) - (cursor - start)] + selected.text
    return Place(
        evolve(now, prefix=prefix, suffix=now.suffix[end - cursor :]),
        selected.range.end,
        place.encoding,
        selected,
    )
