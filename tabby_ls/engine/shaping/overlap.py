"""What of the rest of the line a suggestion already contains: it becomes the replaced range."""

from __future__ import annotations

from itertools import islice, takewhile

from tabby_ls.engine.shaping.brackets import Nesting, where_closed
from tabby_ls.engine.snapshot import Suggestion

#: Characters before the cursor in which brackets and quotes are counted: lines can be very long.
_NEAR = 500
#: How many ways to overlap are looked at. There are more than one or two in rulers and the like only.
_TRIED = 16


def fit_to_rest(text: str, before: str, rest: str) -> Suggestion:
    """Return the edit that puts `text` between `before` and `rest`, the two parts of the cursor's line.

    Where `text` ends with the beginning of `rest`, that much is replaced, as long as brackets and quotes
    fit: `(|)` and `a, b)` make `(a, b)`, while `(|)` and `f(a)` make `(f(a))`.
    """
    if not rest.strip():
        return Suggestion(text)
    start = Nesting().after(before[-_NEAR:])
    # What was opened before the cursor and is closed behind it ends the text where the text closes it too.
    # For a quote that is the last resort: the text may open the next one.
    closer = where_closed(text, rest.lstrip()[0], start)
    if closer >= 0 and not start.quote:
        text = text[:closer] + _shared_beginning(text[closer:], rest.lstrip())
    after = start.after(text)
    lengths = (k for k in range(min(len(text), len(rest)), 0, -1) if _overlap(text, rest[:k]))
    overlaps = list(islice(lengths, _TRIED))
    for k in (*overlaps, 0):
        if start.after(rest[:k]) == after:
            return Suggestion(text, k)
    if closer >= 0:
        return Suggestion(text[:closer])
    return Suggestion(text, len(rest) if len(rest) in overlaps else 0)


def _shared_beginning(one: str, other: str) -> str:
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _overlap(text: str, beginning: str) -> bool:
    """Return whether `text` ends with `beginning`, and not in the middle of a word or of an indentation."""
    if not text.endswith(beginning):
        return False
    added = text[: -len(beginning)]
    if not beginning.strip():
        return "\n" not in text
    return not (added and _is_word(added[-1]) and _is_word(beginning[0]))


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
