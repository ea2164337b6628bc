"""Which brackets and quotes of a text are closed in it, and which close something outside."""

from __future__ import annotations

_PAIRS = {")": "(", "]": "[", "}": "{"}
_OPENERS = frozenset(_PAIRS.values())


def first_unmatched_closer(text: str) -> int:
    """Return the index of the first bracket that closes nothing inside `text`, -1 if there is none."""
    open_brackets: list[str] = []
    for index, char in enumerate(text):
        if char in _OPENERS:
            open_brackets.append(char)
        elif char in _PAIRS:
            if not open_brackets or open_brackets[-1] != _PAIRS[char]:
                return index
            open_brackets.pop()
    return -1


def is_balanced(text: str) -> bool:
    """Return whether every bracket of `text` is closed in it, and quotes come in pairs."""
    depth: list[str] = []
    for char in text:
        if char in _OPENERS:
            depth.append(char)
        elif char in _PAIRS and (not depth or depth.pop() != _PAIRS[char]):
            return False
    return not depth and all(text.count(quote) % 2 == 0 for quote in "\"'`")
