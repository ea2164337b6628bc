"""Detects degenerate repetition in an answer: lines, blocks and parts of a line that come again and again."""

from __future__ import annotations

from collections.abc import Sequence

#: Equal lines in a row that make a loop. Two or three are often meant: `x += 1` twice, the rows of a matrix.
_LINES = 4
#: Lines of a block that comes again at once; blocks of two lines are often meant to, so they may come twice.
_LONGEST = 20
#: Characters from which on a line is searched for circles: a shorter one may well be a row of equal values.
_LONG_LINE = 240
#: Characters at its end that must repeat a unit, and that unit's length at most: it comes four times then.
_CIRCLING = 160
_UNIT = 40
#: Characters: a line longer than this is no suggestion, whatever it says.
_TOO_LONG = 1000


def loop_at_end(lines: Sequence[str]) -> int:
    """Return how many `lines` at the end only repeat what is above them, 0 if they make no loop."""
    last = len(lines) - 1
    for size in range(1, min(_LONGEST, len(lines) // 2) + 1):
        if lines[last] != lines[last - size]:
            continue
        times = _LINES if size == 1 else 3 if size == 2 else 2
        start = len(lines) - size * times
        unit = lines[len(lines) - size :]
        if start < 0 or (size > 1 and not any(line.strip() for line in unit)):
            continue
        if all(list(lines[at : at + size]) == list(unit) for at in range(start, last, size)):
            return size * (times - 1)
    return 0


def goes_in_circles(line: str) -> bool:
    """Return whether a very long `line` repeats a short unit, or has no end, however much of it has arrived."""
    return len(line) > _TOO_LONG or any(
        _circles(line[end - _CIRCLING : end]) for end in range(_LONG_LINE, len(line) + 1, _UNIT)
    )


def _circles(text: str) -> bool:
    period = text.find(text[:_UNIT], 1)
    return 0 < period <= _UNIT and text[period:] == text[:-period]
