"""What the user typed since a suggestion was made: the comparison that memory and running streams share."""

from __future__ import annotations

from tabby_ls.engine.snapshot import Snapshot

#: What editors insert by themselves behind the cursor, and after which character.
_OPENER_OF = {")": "(", "]": "[", "}": "{", ">": "<", '"': '"', "'": "'", "`": "`"}
CLOSERS = frozenset(_OPENER_OF)
#: How many of these, and how many replaced characters, two states may differ by.
_MAX_DIFFERENCE = 8
#: Characters compared on either side of the cursor: enough to know the place, whatever the file's size.
_COMPARED_BEFORE = 4096
_COMPARED_AFTER = 2048
#: A suggestion is forgotten after this many lines typed into it.
_MAX_LINES = 64


def typed_since(origin: Snapshot, now: Snapshot) -> str | None:
    """Return what was typed at `origin`'s cursor to come to `now`; None if anything else changed.

    Behind the cursor, brackets and quotes may have appeared that the editor closed by itself, and
    characters may be gone that are part of what was typed: an accepted suggestion replaced them, or the
    user typed over them.
    """
    lines_typed = now.line - origin.line
    if origin.uri != now.uri or origin.language != now.language or not 0 <= lines_typed <= _MAX_LINES:
        return None
    start = _start_of_line(now.prefix, lines_typed)
    before = origin.line_prefix
    if start is None or not now.prefix.startswith(before, start):
        return None
    head = len(origin.prefix) - len(before)
    if _tail(origin.prefix, head) != _tail(now.prefix, start):
        return None
    typed = now.prefix[start + len(before) :]
    return typed if _same_after(origin.suffix, now.suffix, typed) else None


def _start_of_line(text: str, lines_up: int) -> int | None:
    """Return where the line begins that is so many lines above the last one of `text`, None if it has fewer."""
    end = len(text)
    for _ in range(lines_up):
        end = text.rfind("\n", 0, end)
        if end < 0:
            return None
    return text.rfind("\n", 0, end) + 1


def _tail(text: str, end: int) -> str:
    return text[max(0, end - _COMPARED_BEFORE) : end]


def _same_after(then: str, now: str, typed: str) -> bool:
    if _alike(then, now):
        return True
    for grown in range(1, min(_MAX_DIFFERENCE, len(now)) + 1):
        if not _may_close(now[:grown], typed):
            break
        if _alike(then, now[grown:]):
            return True
    return any(
        _alike(then[gone:], now) and _runs_through(then[:gone], typed)
        for gone in range(1, min(_MAX_DIFFERENCE, len(then)) + 1)
    )


def _alike(one: str, other: str) -> bool:
    return one[:_COMPARED_AFTER] == other[:_COMPARED_AFTER]


def _may_close(closers: str, typed: str) -> bool:
    """Return whether an editor may have put `closers` behind `typed` by itself: it holds their openers."""
    return all(
        char in CLOSERS and typed.count(_OPENER_OF[char]) >= closers.count(char) for char in set(closers)
    )


def _runs_through(characters: str, text: str) -> bool:
    """Return whether all `characters` occur in `text`, in this order."""
    remaining = iter(text)
    return all(char in remaining for char in characters)


def agrees(typed: str, generated: str, *, finished: bool) -> bool:
    """Return whether `typed` may still become, or already lies within, the `generated` text."""
    return generated.startswith(typed) or (not finished and typed.startswith(generated))


def region_agrees(region: str, generated: str, *, finished: bool) -> bool:
    """Like :func:`agrees`, for a region at whose end the editor may have closed brackets by itself."""
    for closed in range(min(_MAX_DIFFERENCE, len(region)) + 1):
        typed = region[: len(region) - closed]
        if not _may_close(region[len(typed) :], typed):
            return False
        if agrees(typed, generated, finished=finished):
            return True
    return False


def was_typed(typed: str, region: str) -> bool:
    """Return whether `region`, what edits have put in a place, is `typed` and what editors close by themselves."""
    return region.startswith(typed) and _may_close(region[len(typed) :], typed)
