"""Makes the edit that is offered of text already cut, or nothing where that would write what stands there."""

from __future__ import annotations

from tabby_ls.engine.shaping.lines import runs_into
from tabby_ls.engine.shaping.overlap import fit_to_rest
from tabby_ls.engine.shaping.place import place_of
from tabby_ls.engine.shaping.tidy import trim_end
from tabby_ls.engine.snapshot import Snapshot, Suggestion


def shape(text: str, snapshot: Snapshot) -> Suggestion | None:
    """Return the edit that inserts `text`, already cut, at the cursor; None if it would add nothing."""
    text = trim_end(text, snapshot)
    if not text.strip() or repeats_what_follows(text, snapshot):
        return None
    suggestion = fit_to_rest(text, snapshot)
    added = suggestion.text[: len(suggestion.text) - suggestion.replaces]
    return suggestion if added.strip() else None


def repeats_what_follows(text: str, snapshot: Snapshot) -> bool:
    """Return whether accepting `text` would write the lines below a second time."""
    place = place_of(snapshot)
    if place.rest.strip() and not place.is_above:
        return False
    lines = [line for line in (place.before + text).split("\n") if line.strip()]
    return runs_into(lines, place.below, finished=True) is True
