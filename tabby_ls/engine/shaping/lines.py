"""Small questions about lines of text, asked by several rules."""

from __future__ import annotations

#: Columns of a tab when lines are compared: only the order of depths matters, never the width itself.
_TAB = 4


def indent_of(line: str) -> int:
    """Return the columns of white space that `line` begins with."""
    columns = 0
    for char in line:
        if char == " ":
            columns += 1
        elif char == "\t":
            columns += _TAB - columns % _TAB
        else:
            break
    return columns


def first_text_line(text: str) -> str | None:
    """Return the first line that is not blank, None if there is none."""
    return next((line for line in text.split("\n", 64) if line.strip()), None)


def last_text_line(text: str) -> str:
    """Return the last line that is not blank, "" if there is none."""
    return text.rstrip().rpartition("\n")[2]


def same_line(one: str, other: str) -> bool:
    """Return whether two lines say the same, whatever their white space."""
    return "".join(one.split()) == "".join(other.split())
