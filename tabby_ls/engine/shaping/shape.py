"""From cut text to the edit that is offered, or to nothing."""

from __future__ import annotations

from tabby_ls.engine.shaping.lines import first_text_line, same_line
from tabby_ls.engine.shaping.overlap import fit_to_rest
from tabby_ls.engine.shaping.tidy import trim_end, trim_start
from tabby_ls.engine.snapshot import Snapshot, Suggestion


def shape(text: str, snapshot: Snapshot) -> Suggestion | None:
    """Return the edit that inserts `text`, already cut, at the cursor; None if it would add nothing."""
    text = trim_end(trim_start(text, snapshot), snapshot)
    if not text.strip() or repeats_what_follows(text, snapshot):
        return None
    suggestion = fit_to_rest(text, snapshot.line_suffix)
    added = suggestion.text[: len(suggestion.text) - suggestion.replaces]
    return suggestion if added.strip() else None


def repeats_what_follows(text: str, snapshot: Snapshot) -> bool:
    """Return whether accepting `text` would write the next line a second time."""
    first = first_text_line(text) or ""
    if snapshot.line_suffix.strip():
        return text.strip() == snapshot.line_suffix.strip()
    following = first_text_line(snapshot.following)
    return following is not None and same_line(snapshot.line_prefix + first, following)
