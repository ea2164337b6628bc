"""A suggestion as the protocol's items: ghost text, and the menu in the shape each client inserts right."""

from __future__ import annotations

from lsprotocol import types

from tabby_ls.engine.snapshot import Suggestion
from tabby_ls.languages import language_named
from tabby_ls.server.capabilities import ACCEPTED
from tabby_ls.server.clients import Client, Indentation
from tabby_ls.server.places import Place, is_word

#: Characters of a menu row.
_LABEL = 60


def inline_item(
    suggestion: Suggestion, place: Place, client: Client, offer: str, *, more: bool = False
) -> types.InlineCompletionItem:
    """Return ghost text for the cursor at `place`; `offer` is the id by which its acceptance is reported.

    `more` tells clients that look for it that the rest is being written, and there for who asks again.

    It must begin with the text of an item that is selected, in that item's range (LSP 3.18, SelectedCompletionInfo).
    What it would replace stays as it is, unless the client is one that moves behind it. Of several lines its `behind` then
    says what stayed, because VS Code 1.139 does not know behind a line break that it closed a bracket itself.
    """
    replaces = suggestion.replaces if client.moves_behind else 0
    end = len(suggestion.text) - suggestion.replaces + replaces
    text, behind = suggestion.text[:end], suggestion.text[end:]
    details = ({"more": True} if more else {}) | ({"behind": behind} if behind and "\n" in text else {})
    text = text.replace("\n", place.snapshot.line_ending)
    start = place.position
    if place.selected is not None:
        text, start = place.selected.text + text, place.selected.range.start
    where = types.Range(start, place.after(replaces))
    return types.InlineCompletionItem(text, range=where, command=_accepted(offer, **details))


def menu_item(
    suggestion: Suggestion, place: Place, client: Client, offer: str
) -> types.CompletionItem | None:
    """Return a menu item for the cursor at `place`; None if the client cannot insert any of it right.

    The edit begins at the word before the cursor, and the filter text with it: clients match against that.
    """
    snapshot = place.snapshot
    text = suggestion.text
    if client.indentation is Indentation.ADDS:
        text = _dedented(text, snapshot.line_prefix)
        if not text.strip():
            return None
    replaces = suggestion.replaces if text.endswith(suggestion.text[-suggestion.replaces :]) else 0
    if not client.replaces_behind:
        text, replaces = text[: len(text) - replaces], 0
    word = _word_before(snapshot.line_prefix)
    first_line, has_more, _ = text.partition("\n")
    inserted = (word + text).replace("\n", snapshot.line_ending)
    as_snippet = client.needs_snippets and bool(has_more)
    shown = (word + text).strip().partition("\n")[0]
    label = shown if len(shown) <= _LABEL else shown[: _LABEL - 1] + "…"
    return types.CompletionItem(
        label=label + " …" if has_more and not label.endswith("…") else label,
        label_details=types.CompletionItemLabelDetails(description="tabby-ls"),
        kind=types.CompletionItemKind.Text,  # Helix reads any Snippet-kinded item as a snippet
        documentation=_documentation(word + suggestion.text, snapshot.language, client),
        filter_text=word + first_line,
        sort_text="0",
        preselect=True,
        insert_text_format=types.InsertTextFormat.Snippet if as_snippet else types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs if client.takes_insert_mode else None,
        text_edit=types.TextEdit(
            range=types.Range(place.before(word), place.after(replaces)),
            new_text=_escaped(inserted) if as_snippet else inserted,
        ),
        command=_accepted(offer),
    )


def is_worth_a_row(suggestion: Suggestion) -> bool:
    """Return whether a menu may open for it unasked: not for a bracket, which is typed sooner than it is chosen."""
    added = suggestion.text[: len(suggestion.text) - suggestion.replaces].strip()
    return len(added) > 1 or is_word(added)


def _accepted(offer: str, **details: object) -> types.Command:
    return types.Command("Suggestion accepted", ACCEPTED, arguments=[{"id": offer, **details}])


def _documentation(code: str, language: str, client: Client) -> types.MarkupContent | str:
    if not (client.takes_markdown or client.assumes_markdown):
        return code
    fenced = f"```{language_named(language).id}\n{code}\n```"
    return types.MarkupContent(types.MarkupKind.Markdown, fenced) if client.takes_markdown else fenced


def _word_before(line_prefix: str) -> str:
    start = len(line_prefix)
    while start and is_word(line_prefix[start - 1]):
        start -= 1
    return line_prefix[start:]


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
