"""What the cursor is about: the words around it, each with how much it says."""

from __future__ import annotations

from attrs import frozen

from tabby_ls.context.definitions import imports
from tabby_ls.context.words import identifiers, parts

#: Lines with text, above and below the cursor's, that are asked about.
_ABOVE, _BELOW = 24, 8
#: A word counts for so much less with every line away from the cursor, and the parts of a word for less than itself.
_FADING_ABOVE, _FADING_BELOW = 0.93, 0.8
_LINE = 2.0
_PART = 0.4
#: What a name that the file imports counts though it is not near, and at most how many are asked about.
_IMPORTED, _MOST_IMPORTED = 0.15, 60
_LONGEST_LINE = 500


@frozen(eq=False)
class Query:
    """Weights of words, whole ones apart from all; and the names in the file's import statements."""

    words: dict[str, float]
    whole: dict[str, float]
    imported: frozenset[str]


def query_at(prefix: str, suffix: str) -> Query:
    """Return what to ask about a cursor between two texts."""
    cut = prefix.rfind("\n") + 1
    whole: dict[str, float] = {}
    above = prefix[:cut].split("\n")
    _take(whole, [line for line in above[-3 * _ABOVE :] if line.strip()][::-1][:_ABOVE], 1.0, _FADING_ABOVE)
    line, _, below = suffix.partition("\n")
    _take(
        whole,
        [text for text in below[: _BELOW * _LONGEST_LINE].split("\n") if text.strip()][:_BELOW],
        0.6,
        _FADING_BELOW,
    )
    _take(whole, [prefix[cut:] + " " + line], _LINE, 1.0)
    names = imports(prefix[:cut]).names
    for name in sorted(names - whole.keys())[:_MOST_IMPORTED]:
        whole[name] = _IMPORTED
    words = dict(whole)
    for word, weight in whole.items():
        for part in parts(word):
            words[part] = max(words.get(part, 0.0), weight * _PART)
    return Query(words, whole, names)


def _take(weights: dict[str, float], lines: list[str], weight: float, fading: float) -> None:
    for line in lines:
        for word in identifiers(line[:_LONGEST_LINE]):
            weights[word] = max(weights.get(word, 0.0), weight)
        weight *= fading
