"""Estimates how many characters one of a model's tokens stands for, and learns it from what its server counts."""

from __future__ import annotations

from importlib.resources import files

#: Bytes of code per token before anything is known, on the careful side: 3.0 to 3.5 is usual.
_FIRST_GUESS = 3.0
#: Bytes per token that any tokenizer gives on code or prose; beyond them the count is of something else.
_LEAST, _MOST = 1.0, 8.0
#: Of the difference to a new count such a share is taken over; less of one that makes prompts longer.
_FALLING, _RISING = 0.5, 0.2
#: Shorter texts, in bytes, say little.
_WORTH_COUNTING = 200


def sample() -> str:
    """Return some code to ask a tokenizer about before anything of the user's is at hand: this package's own."""
    return files("tabby_ls.context").joinpath("budget.py").read_text("utf-8")


class TokenRate:
    """UTF-8 bytes per token of one model, for texts such as it has been asked about.

    Bytes, not characters, because most tokenizers begin with them: in ASCII the two are the same, and of Chinese or of
    emoji one character is about one token.
    """

    def __init__(self) -> None:
        self.bytes_per_token = _FIRST_GUESS
        self.is_known = False

    def learn(self, text: str, tokens: int) -> None:
        """Take note that the model's server counted `text` as so many tokens."""
        size = len(text.encode("utf-8", "replace"))
        if tokens <= 0 or size < _WORTH_COUNTING or not _LEAST <= size / tokens <= _MOST:
            return
        seen = size / tokens
        if not self.is_known:
            self.bytes_per_token, self.is_known = seen, True
            return
        share = _RISING if seen > self.bytes_per_token else _FALLING
        self.bytes_per_token += share * (seen - self.bytes_per_token)

    def characters(self, tokens: int, near: str) -> int:
        """Return how many characters of text like `near` are `tokens` tokens; never negative."""
        bytes_per_character = len(near.encode("utf-8", "replace")) / len(near) if near else 1.0
        return max(0, int(tokens * self.bytes_per_token / bytes_per_character))
