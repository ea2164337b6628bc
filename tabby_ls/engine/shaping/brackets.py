"""Tracks which brackets and quotes are open at a point of a line, so that a rule sees whether an edit fits there."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

_PAIRS = {")": "(", "]": "[", "}": "{"}
_OPENERS = frozenset(_PAIRS.values())
_QUOTES = frozenset("\"'`")
#: What editors insert by themselves behind the cursor, and after which character.
OPENER_OF = {**_PAIRS, ">": "<", **{quote: quote for quote in _QUOTES}}
CLOSERS = frozenset(OPENER_OF)


@frozen(slots=True)
class Nesting:
    """Brackets `closed` that were never opened, brackets still `opened`, and the `quote` of an open string.

    Knows no language: brackets count inside strings too. Two nestings are good for comparing, not more.
    """

    closed: str = ""
    opened: str = ""
    quote: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether no bracket is closed that was not opened, and no string is open."""
        return not self.closed and not self.quote

    @property
    def defects(self) -> int:
        """How much would have to be written or deleted for it to be balanced."""
        return len(self.closed) + len(self.opened) + len(self.quote)

    def after(self, text: str) -> Nesting:
        """Return the nesting once `text` was written."""
        closed, opened, quote = self.closed, self.opened, self.quote
        for _, char in _unescaped(text):
            if char in _OPENERS:
                opened += char
            elif char in _PAIRS:
                if opened.endswith(_PAIRS[char]):
                    opened = opened[:-1]
                else:
                    closed += char
            elif char in _QUOTES and quote in ("", char):
                quote = "" if quote else char
        return Nesting(closed, opened, quote)


def where_closed(text: str, closer: str, nesting: Nesting) -> int:
    """Return the index at which `text`, written in `nesting`, closes what it did not open by `closer`, else -1."""
    inside = Nesting()
    for index, char in _unescaped(text):
        if closer in _QUOTES:
            if char == closer == nesting.quote:
                return index
        else:
            inside = inside.after(char)
            if inside.closed:
                return index if char == closer else -1
    return -1


def where_mismatched(text: str, nesting: Nesting) -> int:
    """Return the index at which `text` closes a bracket that `nesting` has open by one of another kind, else -1.

    What stands in quotes closes nothing.
    """
    inside = Nesting()
    for index, char in _unescaped(text):
        if inside.quote and char not in _QUOTES:
            continue
        inside = inside.after(char)
        if inside.closed:
            return index if nesting.opened and nesting.opened[-1] != _PAIRS[char] else -1
    return -1


def _unescaped(text: str) -> Iterator[tuple[int, str]]:
    """Yield the characters of `text` that no backslash takes the meaning of, with their indices."""
    characters = enumerate(text)
    for index, char in characters:
        if char == "\\":
            next(characters, None)
        else:
            yield index, char
