"""What the local model is measured against: word completion as editors have it, and copying after the longest match."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = re.compile(r"[^\W\d]\w*")
_TYPED = re.compile(r"[^\W\d]\w*$")
_SHORTEST_MATCH, _LONGEST_MATCH = 4, 200


def recent_word(prefix: str, fewest: int = 1) -> str:
    """Return the rest of the word at the cursor as the nearest earlier word has it; "" if there is none."""
    typed = _TYPED.search(prefix)
    if typed is None or len(typed[0]) < fewest:
        return ""
    nearest = ""
    for word in _WORDS.finditer(prefix, 0, typed.start()):
        if word[0].startswith(typed[0]) and word[0] != typed[0]:
            nearest = word[0]
    return nearest[len(typed[0]) :]


def longest_match(prefix: str, texts: Sequence[str]) -> tuple[str, int]:
    """Return how the text went on, to the end of its line, after the longest match of what is before the cursor.

    And how many characters matched. `texts` in the order of preference among equals.
    """
    best, matched = "", 0
    for text in texts:
        low, high, found = max(matched + 1, _SHORTEST_MATCH), min(len(prefix), _LONGEST_MATCH), -1
        while low <= high:
            middle = (low + high) // 2
            at = text.rfind(prefix[-middle:])
            if at >= 0:
                found, low, matched = at + middle, middle + 1, middle
            else:
                high = middle - 1
        if found >= 0:
            best = text[found : found + 400].partition("\n")[0]
    return best, matched
