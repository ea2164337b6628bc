"""Answers for the scripted server that depend on what was typed so far."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, repeat


def going_on_to(*texts: str) -> Callable[[str], str]:
    """A model that wants to write one of `texts`: it goes on with the first whose beginning was typed last."""

    def answer(prompt: str) -> str:
        typed = prompt.partition("<|fim_suffix|>")[0]
        for text in texts:
            for length in range(len(text), 0, -1):
                if typed.endswith(text[:length]):
                    return text[length:]
        return ""

    return answer


def in_turn(typed: str, *texts: str) -> Callable[[str], str]:
    """A model that writes another one of `texts` each time it is asked what comes behind `typed`; the last one stays."""
    answers = chain(texts, repeat(texts[-1]))
    return lambda prompt: next(answers) if prompt.partition("<|fim_suffix|>")[0].endswith(typed) else ""
