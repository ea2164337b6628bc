"""Describes one decoded step to the calibrator in numbers: its evidence, its rivals, its kind, how far along it is.

They hold no text. The order of `NAMES` is the order of the columns in training, and `calibrator.json` refers to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from tabby_ls.local_model.blend import Blend
from tabby_ls.local_model.buffer import Cursor
from tabby_ls.local_model.tokens import MEMBER_ACCESS, is_open, is_word

NAMES = (
    "log_odds",
    "runner_up",
    "escape",
    "buffer_length",
    "index_length",
    "word_level",
    "word_weight",
    "word_share",
    "top_level",
    "top_weight",
    "top_words",
    "words",
    "buffer_weight",
    "analogue_weight",
    "analogue_vote",
    "new_name",
    "step",
    "line_number",
    "least",
    "characters",
    "typed",
    "typed_is_word",
    "word_is_typed",
    "token_length",
    "word",
    "number",
    "end_of_line",
    "after_member",
    "after_word",
    "line_tokens",
    "covers_line",
    "index_tokens",
    "buffer_tokens",
    "below",
)


def features(
    word: str,
    blend: Blend,
    mixed: Mapping[str, float],
    votes: Mapping[str, float],
    *,
    previous: str,
    cursor: Cursor,
    typed: str,
    step: int,
    line: int,
    least: float,
    characters: int,
    index_tokens: int,
) -> list[float]:
    """Return the numbers for the choice of `word` among `mixed`, in the order of `NAMES`.

    `blend` is the evidence of counts, `votes` that of analogues, `mixed` the probabilities by both. `previous` is the
    word before, `typed` what `word` has to start with. So far decoded: `step` words, `line` whole lines, `characters`
    besides those typed, and `least`, the lowest probability among them.
    """
    # The odds of 0 and 1 have no logarithm.
    probability = min(max(mixed[word], 1e-6), 1 - 1e-6)
    runner_up = max((other for name, other in mixed.items() if name != word), default=0.0)
    ends = word[0] == "\n"
    is_name = not ends and is_word(word)
    weight = blend.level_weights.get(word, 0.0)
    length = max(blend.buffer_length, blend.index_length)
    line_length = len(cursor.line) + step
    known = (
        math.log(probability / (1 - probability)),
        runner_up,
        blend.escape,
        blend.buffer_length,
        blend.index_length,
        blend.levels.get(word, 0),
        math.log1p(weight),
        weight / blend.top_weight if blend.levels.get(word) == blend.top_level and blend.top_weight else 0.0,
        blend.top_level,
        math.log1p(blend.top_weight),
        math.log1p(blend.top_words),
        math.log1p(len(mixed)),
        math.log1p(blend.buffer_weights.get(word, 0.0)),
        sum(votes.values()),
        votes.get(word, 0.0),
        float(is_name and not cursor.has_word(word)),
        step,
        line,
        least,
        characters,
        len(typed),
        float(is_open(typed) and cursor.has_word(typed)),
        float(word == typed),
        0 if ends else len(word),
        float(is_name),
        float(not ends and not is_name and is_open(word)),
        float(ends),
        float(previous in MEMBER_ACCESS),
        float(previous[0] != "\n" and is_open(previous)),
        line_length,
        float(length >= line_length),
        math.log1p(index_tokens),
        math.log1p(len(cursor.buffer.tokens)),
        float(cursor.buffer.middle > 2),
    )
    # Short numbers make a short table.
    return [round(number, 3) for number in known]
