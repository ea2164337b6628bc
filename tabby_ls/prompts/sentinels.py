"""Makes special tokens in the text that a model reads harmless, and finds them in what it writes.

A server that takes raw prompts reads `<|fim_middle|>` in the user's own code as the control token, and a
model that goes on too long writes control tokens out as text. Both happen.

Not every token can be told from code, though. `<|fim_middle|>`, `<fim_suffix>`, `<｜fim▁hole｜>` are nothing
else. But `</s>` is also HTML, `[PREFIX]` a placeholder, `<filename>` an argument in a help text. Such
*ambiguous* tokens count only for the family they belong to; the others count for every family, and are
all that counts when the family is unknown (None). So what is read and what is inserted holds no
unmistakable token of any family and no token at all of the family in use, while HTML written by a Qwen
model keeps its `</s>`.
"""

from __future__ import annotations

import re
from functools import cache

from tabby_ls.prompts.families import Family, common_tokens, families

_UNMISTAKABLE = re.compile(r"<([|｜\[]).+[|｜\]]>|<fim[-_]\w+>|<AIX-SPAN-\w+>")


@cache
def all_sentinels() -> frozenset[str]:
    """Return the special tokens of all families, ambiguous ones included."""
    return common_tokens().union(*(family.tokens for family in families()))


@cache
def sentinels_of(family: Family | None) -> frozenset[str]:
    """Return the tokens that count while `family` is in use: its own, and every unmistakable one."""
    unmistakable = frozenset(filter(_UNMISTAKABLE.fullmatch, all_sentinels()))
    return unmistakable if family is None else unmistakable | family.tokens


def defuse(text: str, family: Family | None = None) -> str:
    """Return `text` with a space after the first character of every special token: `< |fim_middle|>`.

    No tokenizer takes that for a control token, and no new one can come of it: none contains a space or
    another token. Text without special tokens is returned as it is, so defusing twice changes nothing.

    The model reads the broken spelling, and may write it: a suggestion that repeats such a token, as in
    the source of a program about language models, has the space in it too. The user's text is not touched.
    """
    return _pattern(family).sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)


def first_sentinel(text: str, family: Family | None = None, start: int = 0) -> int:
    """Return the index of the first special token in a model's output, -1 if there is none from `start` on."""
    found = _pattern(family).search(text, start)
    return found.start() if found else -1


def longest_sentinel(family: Family | None = None) -> int:
    """Return the length in characters of the longest special token."""
    return _beginnings(family)[1] + 1


def partial_sentinel_at_end(text: str, family: Family | None = None) -> int:
    """Return how many characters at the end of streamed text may be the beginning of a special token.

    That many have to wait for more text. 0 if none; a whole token at the end is not a beginning.
    """
    beginnings, longest = _beginnings(family)
    for length in range(min(longest, len(text)), 0, -1):
        if text[-length:] in beginnings:
            return length
    return 0


@cache
def _pattern(family: Family | None) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(token) for token in sorted(sentinels_of(family))))


@cache
def _beginnings(family: Family | None) -> tuple[frozenset[str], int]:
    tokens = sentinels_of(family)
    beginnings = frozenset(token[:length] for token in tokens for length in range(1, len(token)))
    return beginnings, max(map(len, beginnings))
