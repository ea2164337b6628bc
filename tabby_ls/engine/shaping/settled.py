"""What of a running answer can no longer change, which is what `tabby-ls complete` prints while it runs."""

from __future__ import annotations

from tabby_ls.engine.shaping.lines import squeezed
from tabby_ls.engine.shaping.place import place_of
from tabby_ls.engine.shaping.tidy import drop_half_end
from tabby_ls.engine.snapshot import Snapshot


def settled(text: str, snapshot: Snapshot) -> str:
    """Return the beginning of `text`, cut so far, with which the suggestion will begin if there is one.

    That is the first line, but for a word that may go on, once it cannot become the line below again. Where
    text follows on the cursor's line, everything may still become overlap, and nothing is settled.
    """
    if snapshot.line_suffix.strip():
        return ""
    first, newline, _ = text.partition("\n")
    first = (first if newline else drop_half_end(first)).rstrip()
    following = place_of(snapshot).following or ""
    return "" if squeezed(following).startswith(squeezed(snapshot.line_prefix + first)) else first
