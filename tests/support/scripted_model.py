"""The model behind the scripted server: what it writes, in which tokens, and why it ends."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from attrs import frozen

#: What the model "writes": the text, its pieces (one piece is one token), or either of them from the prompt.
Answer = str | Iterable[str] | Callable[[str], str | Iterable[str]]
#: How a completion goes on after its pieces. All but "finish" are failures seen on the real server.
Ending = Literal["finish", "error", "pings", "cut", "hang", "hang before headers"]

QWEN_SPECIALS = (
    "<|endoftext|>",
    "<|im_end|>",
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)
#: Fields whose JSON null makes the real server fail.
POISONED_BY_NULL = ("temperature", "top_p", "top_k", "min_p", "n", "stop", "logprobs", "response_format")


@frozen
class Plan:
    """How one completion is answered. `after`: end in `ending` once so many pieces were sent."""

    answer: Answer = "def add(a, b):\n    return a + b\n"
    delay_before_first: float = 0
    delay_between: float = 0
    ending: Ending = "finish"
    after: int | None = None
    is_endless: bool = False
    failure: tuple[int, Any] | None = None
    #: Bytes to send instead of an answer, piece by piece; the connection is closed behind them.
    raw: tuple[bytes, ...] | None = None

    def pieces(self, prompt: str) -> Iterator[str]:
        answer = self.answer(prompt) if callable(self.answer) else self.answer
        pieces = re.findall(r" ?\w+|\s+|[^\w\s]", answer) if isinstance(answer, str) else answer
        return iter(pieces) if self.after is None else itertools.islice(pieces, self.after)


class Generation:
    """The model at work: yields what may be shown, and afterwards knows why it ended.

    Like the real one it writes one token less than `max_tokens` (but at least one), holds back text that
    may begin a stop string, and forgets text held back when the model ends by itself.
    """

    def __init__(self, plan: Plan, body: dict[str, Any]) -> None:
        self.plan = plan
        self.body = body
        self.prompt: str = body["prompt"]
        self.finish_reason = "stop"
        self.eos_reason = "stop_token"
        self.written = 0
        stop = body.get("stop") or []
        self._stops = [stop] if isinstance(stop, str) else list(stop)

    @property
    def is_broken(self) -> bool:
        """Whether it ends as the real one does after an error inside the generator."""
        return (
            self.plan.ending == "error"
            or any(name in self.body and self.body[name] is None for name in POISONED_BY_NULL)
            or (bool(self.body.get("stream")) and self.body.get("max_tokens") is None)
            or any("\ud800" <= character <= "\udfff" for character in self.prompt)
        )

    def __iter__(self) -> Iterator[str]:
        if self.is_broken and self.plan.ending != "error":
            return
        limit = None if self.plan.is_endless else self.body.get("max_tokens") or None
        held = ""
        for piece in self.plan.pieces(self.prompt):
            self.written += 1
            held += piece
            found = [place for stop in self._stops if (place := held.find(stop)) >= 0]
            if found:
                self.eos_reason = "stop_string"
                if min(found):
                    yield held[: min(found)]
                return
            safe = len(held) - max((_overlap(held, stop) for stop in self._stops), default=0)
            is_last = limit is not None and self.written >= max(1, limit - 1)
            if is_last:
                self.finish_reason, self.eos_reason, safe = "length", "max_new_tokens", len(held)
            if safe:
                yield held[:safe]
                held = held[safe:]
            if is_last:
                return


class Tokenizer:
    """One token for each special token, one for every four characters of other text; BOS is 1."""

    def __init__(self, specials: tuple[str, ...]) -> None:
        special = "|".join(map(re.escape, specials)) or "(?!)"
        self._split = re.compile(f"{special}|(?:(?!{special}).){{1,4}}", re.DOTALL)
        self._vocabulary: dict[str, int] = {}

    def encode(self, text: str, *, bos: bool) -> list[int]:
        pieces = self._split.findall(text)
        tokens = [self._vocabulary.setdefault(piece, len(self._vocabulary) + 2) for piece in pieces]
        return [1, *tokens] if bos else tokens

    def decode(self, tokens: list[int]) -> str:
        pieces = {number: piece for piece, number in self._vocabulary.items()}
        return "".join(pieces.get(token, "") for token in tokens)


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that `stop` begins with."""
    return next((size for size in range(min(len(stop), len(text)), 0, -1) if text.endswith(stop[:size])), 0)
