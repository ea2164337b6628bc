"""Which brackets and quotes are open at a point of a line: how a rule sees that an edit fits where it goes."""

from __future__ import annotations

from attrs import frozen

_PAIRS = {")": "(", "]": "[", "}": "{"}
_OPENERS = frozenset(_PAIRS.values())
_QUOTES = frozenset("\"'`")


@frozen(slots=True)
class Nesting:
    """Brackets `closed` that were never opened, brackets still `opened`, and the `quote` of an open string.

    Knows no language: brackets count inside strings too. Two nestings are good for comparing, not more.
    """

    closed: str = ""
    opened: str = ""
    quote: str = ""

    def after(self, text: str) -> Nesting:
        """Return the nesting once `text` was written. A backslash takes the next character's meaning."""
        closed, opened, quote = self.closed, self.opened, self.quote
        characters = iter(text)
        for char in characters:
            if char == "\\":
                next(characters, None)
            elif char in _OPENERS:
                opened += char
            elif char in _PAIRS:
                if opened.endswith(_PAIRS[char]):
                    opened = opened[:-1]
                else:
                    closed += char
            elif char in _QUOTES and quote in ("", char):
                quote = "" if quote else char
        return Nesting(closed, opened, quote)


def first_closer(text: str, quote: str = "") -> int:
    """Return the index of what closes something that `text` did not open, -1 if nothing does.

    That is a bracket, or the `quote` of the string in which the text begins.
    """
    inside = Nesting(quote=quote)
    for index, char in enumerate(text):
        inside = inside.after(char)
        if inside.closed or (quote and not inside.quote):
            return index
    return -1
