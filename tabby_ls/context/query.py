"""Makes a search query from the text around a cursor: its words, each with a weight, and the names that it imports."""

from __future__ import annotations

from attrs import frozen

from tabby_ls.context.definitions import imports
from tabby_ls.context.words import identifiers, parts

#: Lines with text, above and below the cursor's, whose words are in the query.
_ABOVE, _BELOW = 24, 8
#: The weight of a word in the cursor's line, in the next line above, and in the next one below. What this choice of
#: weights is worth, `tests/bench/context_quality.py` measures.
_LINE, _FIRST_ABOVE, _FIRST_BELOW = 2.0, 1.0, 0.6
#: With every further line away from the cursor the weight is multiplied by this.
_FADING_ABOVE, _FADING_BELOW = 0.93, 0.8
#: The weight of a part of a word (`Invoice` in `InvoiceStore`), as a share of the word's.
_PART = 0.4
#: The weight of a name that the file imports though it is not near, and how many of those are in the query at most.
_IMPORTED, _MOST_IMPORTED = 0.15, 60
#: Characters of a line that are looked at: longer lines are data, and a query costs the same with them.
_LONGEST_LINE = 500


@frozen(eq=False)
class Query:
    """What is looked for: weights of words and of their parts (`words`), of the words alone (`whole`), and the names
    in the file's import statements (`imported`)."""

    words: dict[str, float]
    whole: dict[str, float]
    imported: frozenset[str]


def query_at(prefix: str, suffix: str) -> Query:
    """Return the query for a cursor between two texts of one document; `prefix` need not begin with its first line."""
    cut = prefix.rfind("\n") + 1
    whole: dict[str, float] = {}
    above = prefix[:cut].split("\n")
    _take(
        whole,
        [line for line in above[-3 * _ABOVE :] if line.strip()][::-1][:_ABOVE],
        _FIRST_ABOVE,
        _FADING_ABOVE,
    )
    line, _, below = suffix.partition("\n")
    _take(
        whole,
        [text for text in below[: _BELOW * _LONGEST_LINE].split("\n") if text.strip()][:_BELOW],
        _FIRST_BELOW,
        _FADING_BELOW,
    )
    _take(whole, [prefix[cut:] + " " + line], _LINE, 1.0)
    names = imports(prefix[:cut])
    for name in sorted(names - whole.keys())[:_MOST_IMPORTED]:
        whole[name] = _IMPORTED
    words = dict(whole)
    for word, weight in whole.items():
        for part in parts(word):
            words[part] = max(words.get(part, 0.0), weight * _PART)
    return Query(words, whole, names)


def _take(weights: dict[str, float], lines: list[str], weight: float, fading: float) -> None:
    """Add the words of `lines`, the nearest line first, each with the greatest weight that one of its places has."""
    for line in lines:
        for word in identifiers(line[:_LONGEST_LINE]):
            weights[word] = max(weights.get(word, 0.0), weight)
        weight *= fading
