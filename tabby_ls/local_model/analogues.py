"""Finds lines of the buffer that equal the current one but for names, and continues them with the names exchanged.

Below `self.width = options.width`, the line `self.height = ` goes on with `options.height`, which is nowhere in the
buffer. A line is an analogue if its tokens equal those before the cursor, or its predecessor's equal the line above
the cursor, up to names and numbers that are exchanged one for one; a part of a name may be exchanged as well.

The numbers below were chosen as in `blend.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from heapq import nlargest
from itertools import chain, starmap

from attrs import define, field

from tabby_ls.local_model.buffer import Cursor
from tabby_ls.local_model.tokens import is_open

#: Tokens above and below the cursor in which analogues are looked for, to bound the time.
_ABOVE, _BELOW = 6000, 2500
#: Analogues that are followed from token to token, those of most weight.
_KEPT = 8
#: What a token alike in the line above counts against one alike in the line itself.
_LINE_ABOVE = 0.7
#: Distance from the cursor, in tokens, at which an analogue has half its weight.
_NEAR = 600
#: Parts of a name: a run of capitals, a word in small letters or capitalised, a number, what is between them.
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^A-Za-z\d]+")


@define(eq=False)
class Analogue:
    """The place `at` in the buffer that corresponds to where we are; `names` says what their names are here."""

    at: int
    weight: float
    names: dict[str, str] = field(factory=dict)
    _parts: dict[str, str] | None = None

    def learn(self, theirs: str, ours: str) -> bool:
        """Take in that `theirs` corresponds to `ours`; False if that contradicts what is known."""
        if theirs == ours and (not self.names or theirs.lstrip(" ") not in self.names):
            return True
        if not (is_open(theirs) and is_open(ours)) or (theirs[0] == " ") != (ours[0] == " "):
            return False
        theirs, ours = theirs.lstrip(" "), ours.lstrip(" ")
        self._parts = None
        return self.names.setdefault(theirs, ours) == ours

    def translate(self, token: str) -> str:
        """Return what corresponds to one of their tokens."""
        if not is_open(token):
            return token
        space, name = (" ", token[1:]) if token[0] == " " else ("", token)
        if name in self.names:
            return space + self.names[name]
        if self._parts is None:
            self._parts = dict(chain.from_iterable(starmap(_exchanged_parts, self.names.items())))
        parts = self._parts
        return space + "".join(parts.get(part, part) for part in _PARTS.findall(name)) if parts else token


class Analogues:
    """The best analogues of the line at the cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self._tokens = cursor.tokens
        found = _find(cursor)
        self.kept = nlargest(_KEPT, found, key=lambda analogue: analogue.weight)

    def votes(self, typed: str = "") -> dict[str, float]:
        """Return the weight of each next word that analogues ask for and that starts with `typed`."""
        votes: dict[str, float] = {}
        for analogue in self.kept:
            theirs = self._tokens[analogue.at]
            word = "\n" if theirs[0] == "\n" else analogue.translate(theirs)
            if word.startswith(typed):
                votes[word] = votes.get(word, 0.0) + analogue.weight
        return votes

    def advance(self, word: str) -> None:
        """Go on with `word`; analogues that it contradicts are dropped."""
        kept = []
        for analogue in self.kept:
            theirs = self._tokens[analogue.at]
            agrees = theirs[0] == "\n" if word[0] == "\n" else analogue.translate(theirs) == word
            if (agrees or analogue.learn(theirs, word)) and analogue.at + 1 < len(self._tokens):
                analogue.at += 1
                kept.append(analogue)
        self.kept = kept


def _find(cursor: Cursor) -> Iterator[Analogue]:
    tokens, line = cursor.tokens, cursor.line[1:]
    here = len(tokens) - len(cursor.line)
    above = _line_before(tokens, here)
    middle = cursor.buffer.middle
    for start in cursor.buffer.line_starts:
        if not (start < _BELOW or start >= max(middle, here - _ABOVE)):
            continue
        analogue = Analogue(start + 1 + len(line), 0.0)
        alike = _compare(tokens, start + 1, line, analogue) if analogue.at <= here else None
        if alike is None:
            continue
        alike_above = 0
        if above:
            theirs = _line_before(tokens, start)
            guess = Analogue(analogue.at, 0.0, dict(analogue.names))
            if len(theirs) == len(above):
                same = _compare(theirs, 0, above, guess)
                if same is not None:
                    alike_above, analogue = same, guess
        if not analogue.names or not alike + alike_above:
            continue
        distance = start if start < middle else here - start
        analogue.weight = (alike + _LINE_ABOVE * alike_above) / (1 + distance / _NEAR)
        yield analogue


def _compare(tokens: Sequence[str], start: int, ours: Sequence[str], analogue: Analogue) -> int | None:
    """Return how many tokens are the same; None if `ours` do not correspond to those from `start` on."""
    same = 0
    for at, our in enumerate(ours, start):
        theirs = tokens[at]
        if theirs == our:
            same += 1
        if not analogue.learn(theirs, our):
            return None
    return same


def _line_before(tokens: Sequence[str], start: int) -> Sequence[str]:
    """Return the tokens of the line that ends where the line at `start` starts, without its newline token."""
    first = start - 1
    while first > 0 and tokens[first][0] != "\n":
        first -= 1
    return tokens[first + 1 : start]


def _exchanged_parts(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    """Yield the one part in which two names differ, as written, in small letters, capitalised and in capitals."""
    before, after = _PARTS.findall(theirs), _PARTS.findall(ours)
    if len(before) != len(after):
        return
    different = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    if len(different) == 1:
        a, b = different[0]
        yield from ((a.lower(), b.lower()), (a.capitalize(), b.capitalize()), (a.upper(), b.upper()), (a, b))
