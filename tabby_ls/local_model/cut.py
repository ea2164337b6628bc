"""Chooses how much of the decoded text to show, if any, from the probability that each part of it is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from tabby_ls.local_model.blend import END_OF_LINE
from tabby_ls.local_model.buffer import Cursor
from tabby_ls.local_model.decode import Step
from tabby_ls.local_model.tokens import line_tokens, render

#: Shorter text, in characters, is typed faster than read.
_SHORTEST = 3
#: Text of several lines takes longer to read, and more is wrong if it is wrong: its probability has to be this at least.
CROSSING = 0.7


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

    Accepting costs one keystroke. None if every beginning is too short, too improbable or says what is there.
    """
    best, most = None, 0.0
    for cut in _beginnings(cursor, steps):
        if cut.probability < (max(threshold, CROSSING) if "\n" in cut.text else threshold):
            break
        worth = cut.probability * (len(cut.text) - 1)
        if len(cut.text) >= _SHORTEST and worth > most:
            best, most = cut, worth
    return None if best is None or _is_there_already(cursor, best.text) else best


def _beginnings(cursor: Cursor, steps: Sequence[Step]) -> Iterator[Cut]:
    """Yield the text after each step, as far as it fits between what is before and after the cursor."""
    goal = _goal(cursor)
    below = _line_below(cursor)
    tokens: list[str] = []
    line: list[Cut] = []
    for number, step in enumerate(steps):
        if step.token == END_OF_LINE:
            if goal:
                return
            yield from line
            line = []
            continue
        tokens.append(step.token)
        text = render(tokens, cursor.columns, tabs=cursor.buffer.uses_tabs)[len(cursor.typed) :]
        if below and "\n" in text and text.rpartition("\n")[2].strip() == below:
            return
        following = steps[number + 1].token if number + 1 < len(steps) else ""
        if not goal and not text[-1:].isspace():
            line.append(Cut(text, step.so_far))
        elif goal and following.strip() == goal:
            space = following[0] == " " != cursor.rest[0]
            yield Cut(text + " " * space, step.so_far)
    yield from line


def _goal(cursor: Cursor) -> str:
    """Return the token right of the cursor that inserted text must lead to; "" if it is free to end the line."""
    tokens = line_tokens(cursor.rest)
    return "" if _CLOSERS.issuperset(cursor.rest) or not tokens else tokens[0].strip()


def _line_below(cursor: Cursor) -> str:
    return cursor.buffer.below.lstrip().partition("\n")[0].strip()


def _is_there_already(cursor: Cursor, text: str) -> bool:
    """Return whether the text, or the line it makes, stands right of or below the cursor."""
    rest = cursor.rest.strip()
    if rest and rest.startswith(text.strip()):
        return True
    line = "".join(cursor.line[1:]) + cursor.typed + text.partition("\n")[0]
    below = _line_below(cursor)
    return bool(below) and line.strip() == below
