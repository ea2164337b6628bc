"""Estimates how probable each next token is, from the counts of what came next after the same context elsewhere.

This is prediction by partial matching (PPM): the longest context that has occurred comes first, and the probability
that it leaves to tokens never seen after it (the escape probability, after Witten and Bell) goes to the next shorter
one. A place counts more in the document itself, near the cursor, in the same folder, and where the tokens after its
line equal those after the cursor's line.

A *word* is the text of a token, a *place* the position of one in a sequence of tokens. The numbers below were chosen
by trying others on celery, rxjs and redis: none moved the share of right tokens by more than about one in a hundred.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from attrs import define, field

from tabby_ls.local_model.buffer import BufferMatches, Cursor
from tabby_ls.local_model.segment import Segment
from tabby_ls.local_model.tokens import LINE_STARTS, MEMBER_ACCESS, SEPARATOR, is_newline, is_word

#: Lengths of context in tokens that are looked at, the longest first; the longest is DEPTH of `suffixes.py`.
LEVELS = (20, 15, 11, 8, 6, 5, 4, 3, 2, 1)
#: By length of context, 1 for longer ones: the g in its escape probability D·g/(N + D·g), where N is the weight of
#: all its places and D the number of different words there. With g = 1 that is Witten and Bell's method C.
_CAUTION = {1: 2.0, 2: 2.0, 3: 1.5, 4: 1.2}
#: Escape probability below which shorter contexts could change too little to be looked at.
_LEAST_ESCAPE = 0.02
#: Places of a range that are looked at, evenly spread, to bound the time: between 64 and 1 000 none predicted better.
_SAMPLE = 192
#: More if only words with a typed prefix count, which most places do not have.
_SAMPLE_TYPED = 8 * _SAMPLE
#: A level with at most so many places compares what follows them with what follows the cursor, which takes time.
_FEW = 64
#: Tokens in which the end of a place's line is looked for: longer lines are rare, and long to walk through.
_LONGEST_LINE = 40
#: Weight of a place in the document itself, times 1.5 at the cursor and 0.5 far from it: so 12 to 4, against the 3 to
#: 1 of places in other files (`nearness.py`).
_BUFFER_WEIGHT = 8.0
#: Distance from the cursor, in tokens, at which half of what being near it adds is left.
_NEAR = 400
#: What the probability of an identifier that is not in the buffer is multiplied by: it is seldom the right one, except
#: after MEMBER_ACCESS.
_NEW_NAME = 0.35
#: Stands for the end of the line, whatever the next line's indentation.
END_OF_LINE = SEPARATOR

_Token = TypeVar("_Token", int, str)


@define(eq=False)
class Source:
    """A segment and how much each of its files counts; 0 for one that is stale or open."""

    segment: Segment
    weights: Sequence[float]

    def is_live(self, word: str) -> bool:
        """Return whether a word is in a file of weight above 0; of a frequent word only some places are looked at."""
        low, high = self.segment.ranges([word])[0]
        order, file_at = self.segment.order, self.segment.file_at
        return any(self.weights[file_at(order[rank] - 1)] for rank in range(low, min(high, low + _FEW)))


@define(eq=False)
class Blend:
    """Probabilities of the next word, and the evidence they rest on."""

    words: dict[str, float] = field(factory=dict)
    #: Probability that no context has given away.
    escape: float = 1.0
    #: Tokens of context matched at most, in the buffer and in the segments.
    buffer_length: int = 0
    index_length: int = 0
    #: Weight and number of different words at the longest level that had any, and the level.
    top_weight: float = 0.0
    top_words: int = 0
    top_level: int = 0
    #: Per word: the longest level it was found at, and its weight there.
    levels: dict[str, int] = field(factory=dict)
    level_weights: dict[str, float] = field(factory=dict)
    #: Per word: weight at all levels together that came from the buffer.
    buffer_weights: dict[str, float] = field(factory=dict)


class Blender:
    """Blends the next word of one decoded text after another: :meth:`blend`, then :meth:`advance` with the choice."""

    def __init__(self, cursor: Cursor, sources: Sequence[Source]) -> None:
        self._cursor = cursor
        self._sources = sources
        self._context = list(cursor.tokens[-LEVELS[0] :])
        self._matches = BufferMatches(cursor)
        self._buffer_resembling: dict[int, int] = {}
        self._resembling: list[dict[int, int]] = [{} for _ in sources]

    def advance(self, word: str) -> None:
        """Go on to what comes after `word`."""
        self._context.append(word)
        self._matches.advance(word)

    @property
    def previous(self) -> str:
        """The last word of the context."""
        return self._context[-1]

    def blend(self, typed: str = "", *, lines: bool = False) -> Blend:
        """Return what may come next, with probabilities that together are at most 1.

        Only words that start with `typed` count, "" for all. With `lines` only newline tokens, told apart; without, all of them
        are `END_OF_LINE`.
        """
        result = Blend()
        context = self._context[-LEVELS[0] :]
        places = [
            _Places(source, context, self._cursor.following, typed, lines, resembling)
            for source, resembling in zip(self._sources, self._resembling, strict=True)
        ]
        buffer = _BufferPlaces(self._cursor, self._matches.lengths, typed, lines, self._buffer_resembling)
        result.buffer_length = buffer.longest
        result.index_length = max((place.longest for place in places), default=0)
        sizes, counts = -1, dict[str, float]()
        for level in LEVELS:
            size = buffer.size(level) + sum(place.size(level) for place in places)
            if not size:
                continue
            if size != sizes:
                sizes, counts = size, self._count(buffer, places, level, size <= _FEW, result)
            if counts:
                self._mix(result, counts, level)
            if result.escape < _LEAST_ESCAPE:
                break
        self._punish_new_names(result)
        return result

    def _count(
        self, buffer: _BufferPlaces, places: Sequence[_Places], level: int, few: bool, result: Blend
    ) -> dict[str, float]:
        counts: dict[str, float] = {}
        for word, weight in buffer.at(level, few):
            counts[word] = counts.get(word, 0.0) + weight
        for word, weight in counts.items():
            result.buffer_weights[word] = max(result.buffer_weights.get(word, 0.0), weight)
        for place in places:
            for word, weight in place.at(level, few):
                counts[word] = counts.get(word, 0.0) + weight
        return counts

    def _mix(self, result: Blend, counts: dict[str, float], level: int) -> None:
        total, different = sum(counts.values()), len(counts)
        if not result.top_level:
            result.top_level, result.top_weight, result.top_words = level, total, different
        share = total / (total + _CAUTION.get(level, 1.0) * different)
        scale = result.escape * share / total
        for word, weight in counts.items():
            result.words[word] = result.words.get(word, 0.0) + scale * weight
            if word not in result.levels:
                result.levels[word] = level
                result.level_weights[word] = weight
        result.escape *= 1 - share

    def _punish_new_names(self, result: Blend) -> None:
        if self.previous in MEMBER_ACCESS:
            return
        for word in result.words:
            if is_word(word) and not self._cursor.has_word(word):
                result.words[word] *= _NEW_NAME


class _BufferPlaces:
    """The buffer's places of the current context, by level. `resembling` remembers from step to step."""

    def __init__(
        self, cursor: Cursor, lengths: Mapping[int, int], typed: str, lines: bool, resembling: dict[int, int]
    ) -> None:
        self._cursor = cursor
        self._typed = typed
        self._lines = lines
        self._resembling = resembling
        self.longest = max(lengths.values(), default=0)
        self._by_length: list[list[int]] = [[] for _ in range(LEVELS[0] + 1)]
        for at, length in lengths.items():
            self._by_length[length].append(at)

    def size(self, level: int) -> int:
        """Return how many places a level has."""
        return sum(map(len, self._by_length[level:]))

    def at(self, level: int, few: bool) -> Iterator[tuple[str, float]]:
        """Yield the word at each place of a level, and what the place counts."""
        tokens, following = self._cursor.tokens, self._cursor.following
        for at in chain.from_iterable(self._by_length[level:]):
            word = tokens[at]
            if self._lines:
                if not is_newline(word):
                    continue
            elif word[0] == "\n":
                word = END_OF_LINE
            if not word.startswith(self._typed):
                continue
            weight = _BUFFER_WEIGHT * (0.5 + 1 / (1 + self._cursor.distance(at) / _NEAR))
            if few:
                weight *= 1 + 2 * _resemblance(self._resembling, tokens, at, LINE_STARTS, following)
            yield word, weight


class _Places:
    """A segment's places of the current context, by level."""

    def __init__(
        self,
        source: Source,
        context: Sequence[str],
        following: Sequence[str],
        typed: str,
        lines: bool,
        resembling: dict[int, int],
    ) -> None:
        segment = source.segment
        self._source = source
        self._ranges = segment.ranges(context)
        self._following = [segment.number(word) for word in following]
        self._resembling = resembling
        self.longest = len(self._ranges)
        self._wanted: range | None = None
        if lines:
            # The first is the separator.
            self._wanted = segment.newlines[1:]
        elif typed:
            self._wanted = segment.starting_with(typed)
        self._sample = _SAMPLE_TYPED if typed else _SAMPLE

    def size(self, level: int) -> int:
        """Return how many places a level has."""
        if level > self.longest:
            return 0
        low, high = self._ranges[level - 1]
        return high - low

    def at(self, level: int, few: bool) -> Iterator[tuple[str, float]]:
        """Yield the word at each place of a level, or at a sample of them, and what the place counts."""
        if level > self.longest:
            return
        low, high = self._ranges[level - 1]
        stride = math.ceil((high - low) / self._sample)
        segment, weights, wanted = self._source.segment, self._source.weights, self._wanted
        tokens, order, newlines = segment.tokens, segment.order, segment.newlines
        for rank in range(low, high, stride):
            at = order[rank]
            token = tokens[at]
            if wanted is not None and token not in wanted:
                continue
            weight = weights[segment.file_at(at)] * stride
            if not weight:
                continue
            if few:
                weight *= 1 + 2 * _resemblance(self._resembling, tokens, at, newlines, self._following)
            yield END_OF_LINE if wanted is None and token in newlines else segment.word(token), weight


def _resemblance(
    known: dict[int, int],
    tokens: Sequence[_Token],
    at: int,
    newlines: Container[_Token],
    following: Sequence[_Token],
) -> int:
    """Return how many tokens after the line of a place, 0 to 3, equal those after the cursor's line."""
    if at in known:
        return known[at]
    end, last = at, min(len(tokens), at + _LONGEST_LINE)
    while end < last and tokens[end] not in newlines:
        end += 1
    alike = 0
    while alike < len(following) and end + alike < len(tokens) and tokens[end + alike] == following[alike]:
        alike += 1
    # The same for all places of that line.
    known.update(dict.fromkeys(range(at, end + 1), alike))
    return alike
