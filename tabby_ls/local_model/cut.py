"""How much of the decoded text to show, if any: as many characters as the probability is worth."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from tabby_ls.local_model.blend import END_OF_LINE
from tabby_ls.local_model.buffer import Cursor
from tabby_ls.local_model.decode import Step
from tabby_ls.local_model.tokens import line_tokens, render

#: Shorter text is typed faster than read.
SHORTEST = 3


@frozen(slots=True)
class Cut:
    """A beginning of the decoded text, and how probable it is that all of it is right."""

    text: str
    probability: float


#: Text right of the cursor that editors put there themselves, or that ends a statement.
_CLOSERS = frozenset(")]}>\"'`;:, \t")


def fits(cursor: Cursor) -> bool:
    """Return whether text can be inserted here: not within a word, nor in a line that holds a secret."""
    inside = cursor.rest[:1].isalnum() or cursor.rest[:1] == "_"
    return not (inside and cursor.typed.strip()) and not cursor.is_secret


def best_cut(cursor: Cursor, steps: Sequence[Step], threshold: float) -> Cut | None:
    """Return the beginning that saves the most keystrokes on average, of those at least `threshold` probable.

    Accepting costs one keystroke. None if every beginning is too short, too improbable or vetoed.
    """
    best, most = None, 0.0
    tokens: list[str] = []
    goal = _goal(cursor)
    for number, step in enumerate(steps):
        if step.so_far < threshold or (goal and step.token == END_OF_LINE):
            break
        if step.token == END_OF_LINE:
            continue
        tokens.append(step.token)
        if goal and (number + 1 == len(steps) or steps[number + 1].token.strip() != goal):
            continue
        text = render(tokens, cursor.columns, tabs=cursor.buffer.uses_tabs)[len(cursor.typed) :]
        worth = step.so_far * (len(text) - 1)
        if len(text) >= SHORTEST and worth > most and not text.isspace():
            best, most = Cut(text, step.so_far), worth
    if best is None or _says_what_follows(cursor, best.text):
        return None
    return best


def _goal(cursor: Cursor) -> str:
    """Return the token right of the cursor that inserted text must lead to; "" if it is free to end the line."""
    rest = cursor.rest.strip()
    return "" if _CLOSERS.issuperset(rest) else line_tokens(rest)[0].strip() if line_tokens(rest) else ""


def _says_what_follows(cursor: Cursor, text: str) -> bool:
    """Return whether the text, or the line it makes, already stands right of or below the cursor."""
    rest = cursor.rest.strip()
    if rest and rest.startswith(text.strip()):
        return True
    below = cursor.buffer.below.lstrip("\n").partition("\n")[0].strip()
    line = "".join(cursor.line[1:]) + cursor.typed + text.partition("\n")[0]
    return bool(below) and line.strip() == below
