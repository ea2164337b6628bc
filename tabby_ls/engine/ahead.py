"""What the user typed since a suggestion was made: the comparison that memory and running streams share."""

from __future__ import annotations

from tabby_ls.engine.snapshot import Snapshot

#: What editors insert by themselves behind the cursor.
CLOSERS = frozenset(")]}>\"'`")
#: How many of these, and how many replaced characters, two states may differ by.
_MAX_GROWN = 8
#: Characters compared on either side of the cursor: enough to know the place, whatever the file's size.
_COMPARED_BEFORE = 4096
_COMPARED_AFTER = 2048
#: A suggestion is forgotten after this many lines typed into it.
_MAX_LINES = 64


def typed_since(origin: Snapshot, now: Snapshot) -> str | None:
    """Return what was typed at `origin`'s cursor to come to `now`; None if anything else changed.

    Behind the cursor, brackets and quotes that the editor closed by itself may have appeared, and
    characters that the typed text ends with may be gone (an accepted suggestion replaced them).
    """
    if origin.uri != now.uri or origin.language != now.language:
        return None
    lines_typed = now.line - origin.line
    if not 0 <= lines_typed <= _MAX_LINES:
        return None
    start = len(now.prefix)
    for _ in range(lines_typed + 1):
        start = now.prefix.rfind("\n", 0, start)
        if start < 0:
            break
    start += 1
    before = origin.line_prefix
    typed_from = start + len(before)
    if not now.prefix.startswith(before, start) or typed_from > len(now.prefix):
        return None
    head = len(origin.prefix) - len(before)
    compared = min(head, start, _COMPARED_BEFORE)
    if origin.prefix[head - compared : head] != now.prefix[start - compared : start]:
        return None
    typed = now.prefix[typed_from:]
    return typed if _same_after(origin.suffix, now.suffix, typed) else None


def _same_after(then: str, now: str, typed: str) -> bool:
    if _begin_alike(then, now):
        return True
    for grown in range(1, min(_MAX_GROWN, len(now)) + 1):
        if now[grown - 1] not in CLOSERS:
            break
        if _begin_alike(then, now[grown:]):
            return True
    return any(
        typed.endswith(then[:gone]) and _begin_alike(then[gone:], now)
        for gone in range(1, min(_MAX_GROWN, len(then)) + 1)
    )


def _begin_alike(one: str, other: str) -> bool:
    """Compare two windows that may end at different places in the file."""
    compared = min(len(one), len(other), _COMPARED_AFTER)
    if compared == 0:
        return len(one) == len(other)
    return one[:compared] == other[:compared]


def agrees(typed: str, generated: str, *, finished: bool) -> bool:
    """Return whether `typed` may still become, or already lies within, the `generated` text."""
    return generated.startswith(typed) or (not finished and typed.startswith(generated))


def region_agrees(region: str, generated: str, *, finished: bool) -> bool:
    """Like :func:`agrees`, for a region at whose end the editor may have closed brackets by itself."""
    if agrees(region, generated, finished=finished):
        return True
    typed = region
    while typed and typed[-1] in CLOSERS:
        typed = typed[:-1]
        if agrees(typed, generated, finished=finished):
            return True
    return False
