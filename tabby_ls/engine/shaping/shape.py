"""From cut text to the edit that is offered, or to nothing."""

from __future__ import annotations

from tabby_ls.engine.shaping.lines import first_text_line, is_repeat
from tabby_ls.engine.shaping.overlap import fit_to_rest
from tabby_ls.engine.shaping.tidy import trim_end
from tabby_ls.engine.snapshot import Snapshot, Suggestion


def shape(text: str, snapshot: Snapshot) -> Suggestion | None:
    """Return the edit that inserts `text`, already cut, at the cursor; None if it would add nothing."""
    text = trim_end(text, snapshot)
    if not text.strip() or repeats_what_follows(text, snapshot):
        return None
    suggestion = fit_to_rest(text, snapshot.line_prefix, snapshot.line_suffix)
    added = suggestion.text[: len(suggestion.text) - suggestion.replaces]
    return suggestion if added.strip() else None


def repeats_what_follows(text: str, snapshot: Snapshot) -> bool:
    """Return whether accepting `text` would write the rest of the line, or the next line, a second time."""
    if snapshot.line_suffix.strip():
        return text.strip() == snapshot.line_suffix.strip()
    first = first_text_line(text) or ""
    following = first_text_line(snapshot.following)
    return following is not None and is_repeat(snapshot.line_prefix + first, following)
