"""What of the rest of the line a suggestion already contains: it becomes the replaced range."""

from __future__ import annotations

from tabby_ls.engine.shaping.brackets import first_unmatched_closer, is_balanced
from tabby_ls.engine.snapshot import Suggestion


def fit_to_rest(text: str, rest: str) -> Suggestion:
    """Return the edit that puts `text` before `rest`, the remainder of the cursor's line.

    Where `text` ends with the beginning of `rest`, that much is replaced, if the text added besides is
    complete in itself: `(|)` and `a, b)` make `(a, b)`, while `(|)` and `f(a)` make `(f(a))`.
    """
    if not rest.strip():
        return Suggestion(text)
    overlaps = [
        k
        for k in range(min(len(text), len(rest)), 0, -1)
        if text.endswith(rest[:k]) and _at_boundary(text, k)
    ]
    for k in overlaps:
        if is_balanced(text[:-k]):
            return Suggestion(text, k)
    if is_balanced(text):
        return Suggestion(text)
    # A bracket that closes what was opened before the cursor, while the line closes it too, ends the text.
    closer = first_unmatched_closer(text)
    if closer >= 0 and rest.lstrip().startswith(text[closer]):
        return Suggestion(text[:closer])
    if overlaps and overlaps[0] == len(rest):
        return Suggestion(text, overlaps[0])
    return Suggestion(text)


def _at_boundary(text: str, overlap: int) -> bool:
    """Return whether the last `overlap` characters do not begin in the middle of a word."""
    at = len(text) - overlap
    return at == 0 or not (_is_word(text[at - 1]) and _is_word(text[at]))


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
