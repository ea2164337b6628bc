"""Splits text into the words by which it is compared: identifiers, and the parts of compound ones."""

from __future__ import annotations

import re
from functools import lru_cache

#: Shorter ones (`i`, `of`, `if`) are everywhere.
_WORD = re.compile(r"[^\W\d]\w{2,}")
#: The parts of `camelCase`, `HTTPServer` and `snake_case`.
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
#: In characters, as for whole words.
_SHORTEST_PART = 3


def identifiers(text: str) -> list[str]:
    """Return the identifiers and keywords of three characters or more, in order."""
    return _WORD.findall(text)


@lru_cache(maxsize=32768)
def parts(word: str) -> tuple[str, ...]:
    """Return the parts of a compound word in lower case, and the whole word so; none for a plain lower-case word."""
    found = [part.lower() for part in _PART.findall(word)]
    long = [part for part in found if len(part) >= _SHORTEST_PART]
    whole = word.lower().replace("_", "")
    return tuple(dict.fromkeys(form for form in (*long, whole) if form != word))


def bag(text: str) -> frozenset[str]:
    """Return the identifiers of a text and the parts of them, without order or number."""
    words = frozenset(_WORD.findall(text))
    return words.union(*map(parts, words))
