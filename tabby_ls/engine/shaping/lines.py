"""Small questions about lines of text, asked by several rules."""

from __future__ import annotations

import re

#: Columns of a tab when lines are compared: only the order of depths matters, never the width itself.
_TAB = 4
#: Characters in which a text line is looked for: what follows a longer gap says nothing about the cursor.
_NEAR = 4096
_TEXT = re.compile(r"\S")


def indent_of(line: str) -> int:
    """Return the columns of white space that `line` begins with."""
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(_TAB))


def first_text_line(text: str) -> str | None:
    """Return the first line that is not blank, None if there is none near."""
    found = _TEXT.search(text, 0, _NEAR)
    if found is None:
        return None
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.start())
    return text[start:] if end < 0 else text[start:end]


def last_text_line(text: str) -> str:
    """Return the last line that is not blank, "" if there is none."""
    return text.rstrip().rpartition("\n")[2]


def same_line(one: str, other: str) -> bool:
    """Return whether two lines say the same, whatever their white space."""
    return "".join(one.split()) == "".join(other.split())


def is_repeat(line: str, existing: str) -> bool:
    """Return whether `line` is the `existing` one again: it says the same, at the same depth.

    At another depth it is a line of its own: `return None` in a guard, above the `return None` that follows.
    """
    return (
        line.lstrip()[:1] == existing.lstrip()[:1]  # mostly they differ here; lines can be very long
        and indent_of(line) == indent_of(existing)
        and same_line(line, existing)
    )
