"""Functions about lines of text that several shaping rules share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

#: Columns of a tab when lines are compared: only the order of depths matters, never the width itself.
_TAB = 4
#: Characters in which a text line is looked for: what follows a longer gap says nothing about the cursor.
_NEAR = 4096


def indentation(line: str) -> str:
    """Return the spaces and tabs that `line` begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def indent_of(line: str) -> int:
    """Return the columns of white space that `line` begins with."""
    return len(indentation(line).expandtabs(_TAB))


def text_lines(text: str) -> Iterator[str]:
    """Yield the lines that are not blank, from the first on, without their line ends, as far as they are near."""
    start = 0
    while start <= len(text) and start < _NEAR:
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        if line.strip():
            yield line
        if end < 0:
            return
        start = end + 1


def lines_upwards(text: str, end: int) -> Iterator[str]:
    """Yield the lines of `text` that end before `end`, the start of a line, from the last one up."""
    while end > 0:
        start = text.rfind("\n", 0, end - 1) + 1
        yield text[start : end - 1]
        end = start


def squeezed(line: str) -> str:
    """Return `line` without its white space: what it says."""
    return "".join(line.split())


def same_line(one: str, other: str) -> bool:
    """Return whether two lines say the same, whatever their white space."""
    return one.lstrip()[:1] == other.lstrip()[:1] and squeezed(one) == squeezed(other)


def is_repeat(line: str, existing: str) -> bool:
    """Return whether `line` is the `existing` one again: it says the same, at the same depth.

    At another depth it is a line of its own: `return None` in a guard, above the `return None` that follows.
    """
    return indent_of(line) == indent_of(existing) and same_line(line, existing)


def runs_into(lines: Sequence[str], below: Sequence[str], *, finished: bool) -> bool | None:
    """Return whether text `lines` are those `below` again; None as long as a further line may tell.

    One line is enough if it is the last one, or if nothing is known of the text after it. If more follows, the
    next line must agree too, and then their depth does not matter: a branch may well end like the code below it.
    """
    if not below or not same_line(lines[0], below[0]):
        return False
    if len(below) == 1 or (len(lines) == 1 and finished):
        return is_repeat(lines[0], below[0])
    return same_line(lines[1], below[1]) if len(lines) > 1 else None
