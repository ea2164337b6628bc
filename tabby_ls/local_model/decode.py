"""Decodes greedily: takes the most probable next token, then the one after it, until the text is too improbable.

Every step carries the calibrated probability that the text is right up to and including it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attrs import frozen

from tabby_ls.local_model.analogues import Analogues
from tabby_ls.local_model.blend import END_OF_LINE, Blend, Blender, Source
from tabby_ls.local_model.buffer import Cursor
from tabby_ls.local_model.features import features
from tabby_ls.local_model.tokens import is_open

#: Tokens decoded at most besides newline tokens: bounds the time of a prediction.
_MOST_STEPS = 40
#: Weight of all analogues at which they and the blend have equal say.
_ANALOGUES_EVEN = 12.0
#: Escape probability above which a word that continues what is typed is looked for whatever the context.
_FALLBACK_ESCAPE = 0.1

#: Features of a step to the probability that it is right, given that those before it are.
Calibration = Callable[[Sequence[float]], float]


@frozen(slots=True)
class Step:
    """One decoded token. The first one still has the typed characters it starts with."""

    token: str
    #: Probability that this step is right if those before it are.
    probability: float
    #: Probability that this step and all before it are right: the product.
    so_far: float
    #: As `calibration` got them, for training.
    features: list[float]


def decode(
    cursor: Cursor,
    sources: Sequence[Source],
    calibration: Calibration,
    *,
    least: float,
    crossing: float,
    lines: int,
) -> Iterator[Step]:
    """Yield steps while the text so far is right with a probability of `least` or more.

    A line end is a step of its own, `END_OF_LINE`; if the text is right with a probability of `crossing` by then
    and fewer than `lines` lines are complete, the newline token follows it, and then the next line. The caller may
    stop at any step.
    """
    decoder = _Decoder(cursor, sources, calibration)
    complete = 0
    for number in range(_MOST_STEPS):
        step = decoder.step(cursor.typed if number == 0 else "", complete)
        if step is None:
            return
        yield step
        if step.so_far < least:
            return
        if step.token == END_OF_LINE:
            complete += 1
            if complete >= lines or step.so_far < crossing:
                return
            start = decoder.step("", complete, line_start=True)
            if start is None:
                return
            yield start


class _Decoder:
    def __init__(self, cursor: Cursor, sources: Sequence[Source], calibration: Calibration) -> None:
        self._cursor = cursor
        self._sources = sources
        self._calibration = calibration
        self._blender = Blender(cursor, sources)
        self._analogues = Analogues(cursor)
        self._index_tokens = sum(len(source.segment.order) for source in sources)
        self._so_far = self._least = 1.0
        self._steps = self._characters = 0

    def step(self, typed: str, line: int, *, line_start: bool = False) -> Step | None:
        blend = self._blender.blend(typed, lines=line_start)
        votes = {} if line_start else self._analogues.votes(typed)
        mixed = _mix(blend, votes)
        if is_open(typed):
            self._add_typed(typed, mixed, blend.escape)
        if not mixed:
            return None
        word = max(mixed, key=lambda word: (mixed[word], word))
        known = features(
            word,
            blend,
            mixed,
            votes,
            previous=self._blender.previous,
            cursor=self._cursor,
            typed=typed,
            step=self._steps,
            line=line,
            least=self._least,
            characters=self._characters,
            index_tokens=self._index_tokens,
        )
        probability = self._calibration(known)
        self._so_far *= probability
        self._least = min(self._least, mixed[word])
        self._steps += 1
        self._characters += len(word) - len(typed)
        if word != END_OF_LINE:
            self._blender.advance(word)
            self._analogues.advance(word)
        return Step(word, probability, self._so_far, known)

    def _add_typed(self, typed: str, mixed: dict[str, float], escape: float) -> None:
        """Share what the contexts left between the typed word as it stands and the nearest longer one."""
        mixed[typed] = mixed.get(typed, 0.0) + escape / 2
        word = self._nearest(typed) if escape > _FALLBACK_ESCAPE else None
        if word is not None:
            mixed[word] = mixed.get(word, 0.0) + escape / 2

    def _nearest(self, typed: str) -> str | None:
        """Return the nearest word of the buffer that `typed` begins, else any of the segments."""
        places = self._cursor.buffer.places
        words = [word for word in places if len(word) > len(typed) and word.startswith(typed)]
        if words:
            distance = self._cursor.distance
            return min(words, key=lambda word: min(map(distance, places[word])))
        for source in self._sources:
            for number in source.segment.starting_with(typed)[:2]:
                word = source.segment.word(number)
                if word != typed and source.is_live(word):
                    return word
        return None


def _mix(blend: Blend, votes: dict[str, float]) -> dict[str, float]:
    total = sum(votes.values())
    if not total:
        return dict(blend.words)
    share = total / (total + _ANALOGUES_EVEN)
    mixed = {word: (1 - share) * probability for word, probability in blend.words.items()}
    for word, weight in votes.items():
        mixed[word] = mixed.get(word, 0.0) + share * weight / total
    return mixed
