"""A suggestion as the protocol's items: ghost text, and the menu in the shape each client inserts right."""

from __future__ import annotations

from lsprotocol import types

from tabby_ls.engine.snapshot import Snapshot, Suggestion
from tabby_ls.languages import language_named
from tabby_ls.server.clients import Client, Indentation
from tabby_ls.server.documents import OpenDocument, range_after

#: Characters of a menu row.
_LABEL = 60


@frozen
class Place:
    """Where the client asked: what `position` and its neighbours are called may have changed since.

    `position` is the cursor's, exact; `encoding` is what the client counts in.
    """

    snapshot: Snapshot
    position: types.Position
    encoding: PositionEncoding

    def before(self, text: str) -> types.Position:
        """Return the position where `text`, which ends at the cursor, begins."""
        return self._moved(-self._units(text))

    def after(self, characters: int) -> types.Position:
        """Return the position so many characters behind the cursor, in its line."""
        return self._moved(self._units(self.snapshot.line_suffix[:characters]))

    def _moved(self, units: int) -> types.Position:
        return types.Position(self.position.line, self.position.character + units)

    def _units(self, text: str) -> int:
        if self.encoding == "utf-32":
            return len(text)
        if self.encoding == "utf-16":
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        return len(text.encode("utf-8", "surrogatepass"))

def inline_item(
    suggestion: Suggestion,
    document: OpenDocument,
    position: types.Position,
    line_ending: str,
    selected: types.SelectedCompletionInfo | None = None,
) -> types.InlineCompletionItem:
    """Return ghost text for the cursor at `position`.

    With an item `selected` in the client's menu, ghost text must extend that item's text in its range
    (LSP 3.18, SelectedCompletionInfo).
    """
    after = range_after(document, position, suggestion.replaces)
    text = suggestion.text.replace("\n", line_ending)
    if selected is None:
        return types.InlineCompletionItem(insert_text=text, range=after)
    return types.InlineCompletionItem(
        insert_text=selected.text + text, range=types.Range(selected.range.start, after.end)
    )


def menu_item(
    suggestion: Suggestion,
    snapshot: Snapshot,
    document: OpenDocument,
    position: types.Position,
    client: Client,
) -> types.CompletionItem | None:
    """Return a menu item for the cursor at `position`; None if the client cannot insert any of it right.

    The edit begins at the word before the cursor, and the filter text with it: clients match against that.
    """
    text = suggestion.text
    if client.indentation is Indentation.ADDS:
        text = _dedented(text, snapshot.line_prefix)
        if not text.strip():
            return None
    replaces = suggestion.replaces if text.endswith(suggestion.text[-suggestion.replaces :]) else 0
    word = _word_before(snapshot.line_prefix)
    first_line, has_more, _ = text.partition("\n")
    inserted = (word + text).replace("\n", snapshot.line_ending)
    after = range_after(document, position, replaces)
    start = types.Position(after.start.line, after.start.character - _units(word, document))
    as_snippet = client.needs_snippets and bool(has_more)
    shown = (word + first_line).strip()
    label = shown if len(shown) <= _LABEL else shown[: _LABEL - 1] + "…"
    return types.CompletionItem(
        label=label + " …" if has_more and not label.endswith("…") else label,
        label_details=types.CompletionItemLabelDetails(description="tabby-ls"),
        kind=types.CompletionItemKind.Text,  # Helix reads any Snippet-kinded item as a snippet
        documentation=types.MarkupContent(
            types.MarkupKind.Markdown,
            f"```{language_named(snapshot.language).id}\n{word}{suggestion.text}\n```",
        ),
        filter_text=word + first_line,
        sort_text="0",
        preselect=True,
        insert_text_format=types.InsertTextFormat.Snippet if as_snippet else types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs if client.takes_insert_mode else None,
        text_edit=types.TextEdit(
            range=types.Range(start, after.end), new_text=_escaped(inserted) if as_snippet else inserted
        ),
    )


def _word_before(line_prefix: str) -> str:
    start = len(line_prefix)
    while start and (line_prefix[start - 1].isalnum() or line_prefix[start - 1] == "_"):
        start -= 1
    return line_prefix[start:]


def _units(text: str, document: OpenDocument) -> int:
    """Return how long `text` is in the units of positions agreed on with the client."""
    encoding = document.workspace.encoding
    if encoding == "utf-32":
        return len(text)
    if encoding == "utf-16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def _dedented(text: str, line_prefix: str) -> str:
    """Return `text` for a client that adds the line's indentation itself to all lines but the first.

    It cannot express a line less indented than the current one: the text ends before the first such line.
    """
    indent = line_prefix[: len(line_prefix) - len(line_prefix.lstrip())]
    first, *rest = text.split("\n")
    lines = [first]
    for line in rest:
        if line.strip() and not line.startswith(indent):
            break
        lines.append(line.removeprefix(indent) if line.strip() else "")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Return `text` as a snippet that inserts just that (LSP, Snippet Syntax)."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace("}", "\\}")
