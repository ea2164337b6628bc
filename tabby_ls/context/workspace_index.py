"""Finds lines of files that are not open, in the local model's saved index of the workspace.

Its order of positions is also an index of words: all places of an identifier are one range. The lines come from the
index too, so no file is read, and what the index left out (private and ignored files, lines with keys) is not found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import dedent

from attrs import define, field

from tabby_ls.context.definitions import KEYWORDS, outline
from tabby_ls.context.query import Query
from tabby_ls.context.ranking import DEFINED, Piece
from tabby_ls.context.words import bag
from tabby_ls.local_model.blend import Source
from tabby_ls.local_model.segment import Segment
from tabby_ls.local_model.tokens import is_newline, render

#: Identifiers that are looked up, those worth most first, and places of each that are looked at, evenly spread.
_MOST_WORDS, _MOST_PLACES = 24, 96
#: Tokens of a stretch in which words are counted together, and stretches that are made pieces of.
_STRETCH, _MOST_STRETCHES = 120, 16
#: Definitions that are made pieces of, and tokens in which the head of one is looked for.
_MOST_DEFINITIONS, _DEFINITION_TOKENS = 12, 500
#: Left margin, in columns, to render from, so that lines further left than the first have room.
_MARGIN = 200
#: The index counts places, `ranking.rarity` counts pieces: so many tokens of the index are taken for a piece.
_PIECE_TOKENS = 100.0
#: How much the weight that the local model gives a file for being near the document counts: for a file's factor
#: (`Piece.boost`), and, as an exponent, for which stretches are made pieces of.
_NEAR, _NEAR_EXPONENT = 0.15, 0.2


@define(eq=False)
class _Search:
    """One search, as `search` is asked for it, and what it has found so far."""

    query: Query
    rare: Callable[[str], float]
    stop: Callable[[], bool]
    wants_definitions: bool
    pieces: list[Piece] = field(factory=list)

    def through(self, root: Path, source: Source) -> None:
        """Search the index of one folder."""
        segment = source.segment
        definers = self.wants_definitions and {
            number
            for word in KEYWORDS
            for form in (word, " " + word)
            if (number := segment.number(form)) >= 0
        }
        totals: dict[tuple[int, int], float] = {}
        defined: list[tuple[float, str, int]] = []
        ranked = sorted(self.query.whole.items(), key=lambda entry: -entry[1] * self.rare(entry[0]))
        for word, weight in ranked[:_MOST_WORDS]:
            if self.stop():
                return
            for form in (" " + word, word):
                found = segment.ranges([form])
                if not found:
                    continue
                low, high = found[0]
                rare = min(
                    self.rare(word), math.log(1.0 + len(segment.tokens) / (_PIECE_TOKENS * (high - low)))
                )
                step = max(1, (high - low) // _MOST_PLACES)
                for rank in range(low, high, step):
                    position = segment.order[rank] - 1
                    if not source.weights[segment.file_at(position)]:
                        continue
                    stretch = (segment.file_at(position), position // _STRETCH)
                    totals[stretch] = totals.get(stretch, 0.0) + weight * rare
                    if definers and segment.tokens[position - 1] in definers:
                        defined.append((weight * rare, word, position))
        best = sorted(totals, key=lambda key: (-totals[key] * source.weights[key[0]] ** _NEAR_EXPONENT, key))
        for file, number in best[:_MOST_STRETCHES]:
            if self.stop():
                return
            self._add(root, source, file, number * _STRETCH, (number + 1) * _STRETCH)
        for worth, _, position in sorted(defined, reverse=True)[:_MOST_DEFINITIONS]:
            if self.stop():
                return
            self._add(
                root,
                source,
                segment.file_at(position),
                position,
                position + _DEFINITION_TOKENS,
                worth * DEFINED,
            )

    def _add(self, root: Path, source: Source, file: int, start: int, end: int, defines: float = 0.0) -> None:
        lines = _lines(source.segment, file, start, end)
        if defines and lines:
            lines = outline(lines, 0)
        text = dedent("\n".join(lines))
        if text.strip():
            path = source.segment.files[file].name
            boost = 1.0 + _NEAR * (source.weights[file] - 1.0)
            self.pieces.append(
                Piece(path, (root / path).as_uri(), start, end, text, bag(text), boost, defines)
            )


def search(
    sources: Sequence[tuple[Path, Source]],
    query: Query,
    rare: Callable[[str], float],
    stop: Callable[[], bool],
    *,
    definitions: bool = True,
) -> list[Piece]:
    """Return pieces of the files in `sources`, each an index with its folder; `rare` is as in `OpenDocuments.rare`.

    It takes milliseconds: call it in a thread. It ends with what it has once `stop` returns True. A damaged index
    may raise IndexError or ValueError.
    """
    search = _Search(query, rare, stop, definitions)
    for root, source in sources:
        search.through(root, source)
    return search.pieces


def _lines(segment: Segment, file: int, start: int, end: int) -> list[str]:
    """Return whole lines of a file: from the one that `start` is in to the one before `end`."""
    first = segment.starts[file]
    last = segment.starts[file + 1] - 1 if file + 1 < len(segment.starts) else len(segment.tokens) - 1
    start, end = max(first, start), min(last, end)
    newlines = segment.newlines
    while start > first and segment.tokens[start] not in newlines:
        start -= 1
    words = [segment.word(number) for number in segment.tokens[start:end]]
    if end < last:
        while words and not is_newline(words[-1]):
            words.pop()
        words = words[:-1]
    if words and is_newline(words[0]):
        words[0] = "\n0"
    lines = render(words, _MARGIN).split("\n")[1:]
    margin = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    return [line[margin:] for line in lines]
