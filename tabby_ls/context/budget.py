"""Calculates how much text a prompt may hold, in the model's tokens, and cuts the window around the cursor to fit."""

from __future__ import annotations

#: Longest prompt in tokens unless the user or the server says otherwise. A prefill can hardly be cancelled
#: on TabbyAPI (noticed at chunk boundaries only), so a long prompt delays the next request too.
DEFAULT_PROMPT_TOKENS = 2048
#: Tokens kept free for the template itself and for what the estimate gets wrong: the larger of the two counts.
_TEMPLATE_TOKENS, _ERROR_SHARE = 32, 0.05
#: The window begins at a line whose number is a multiple of the first of these that leaves at least half of the room
#: in use, so that a prompt keeps its head, and the server its KV cache, from one keystroke to the next and while lines
#: are added. With 32 and the usual room that is 99 % of the text before the cursor while typing and 88 % while moving
#: down; more lines keep no more, fewer keep less (`python -m tests.bench.prompt_head`).
_ANCHOR_LINES: tuple[int, ...] = (32, 16, 8)


def prompt_tokens(user_limit: int | None, server_limit: int | None, shrunk: float = 1.0) -> int:
    """Return how many tokens of text a prompt may hold besides its template; 0 if there is no room at all.

    The limits are in tokens, None where nobody gave one. `shrunk`, from 0 to 1, is the share of the budget that a
    server was seen to accept.
    """
    tokens = user_limit or DEFAULT_PROMPT_TOKENS
    if server_limit is not None:
        tokens = min(tokens, server_limit)
    tokens = int(tokens * shrunk)
    return max(0, tokens - max(_TEMPLATE_TOKENS, int(tokens * _ERROR_SHARE)))


def fit_window(
    prefix: str, suffix: str, first_line: int, characters: int, prefix_share: float
) -> tuple[str, str]:
    """Return the ends of `prefix` and `suffix` that lie next to the cursor and fit `characters` together.

    Whole lines are kept, but for a line that is too long by itself. What one side does not need the other
    may have. `prefix_share`, from 0 to 1, is the prefix's share of `characters` where both need more. `first_line`
    is the number of the document's line that `prefix` begins with.
    """
    for_prefix = max(int(characters * prefix_share), characters - len(suffix))
    prefix = _tail(prefix, first_line, for_prefix)
    return prefix, _head(suffix, characters - len(prefix))


def _tail(text: str, first_line: int, limit: int) -> str:
    """Return at most `limit` characters of the end of `text`, from a line on as `_ANCHOR_LINES` says."""
    if len(text) <= limit:
        return text
    start = text.find("\n", len(text) - limit - 1) + 1
    if start == 0:
        return text[len(text) - limit :]
    number = first_line + text.count("\n", 0, start)
    for step in _ANCHOR_LINES:
        anchored = _skip_lines(text, start, -number % step)
        if len(text) - anchored >= limit // 2:
            return text[anchored:]
    return text[start:]


def _skip_lines(text: str, start: int, count: int) -> int:
    """Return where the line begins that is so many lines below the one at `start`; the end if there is none."""
    for _ in range(count):
        start = text.find("\n", start) + 1
        if start == 0:
            return len(text)
    return start


def _head(text: str, limit: int) -> str:
    """Return at most `limit` characters of the beginning of `text`, in whole lines if one fits."""
    if len(text) <= limit:
        return text
    end = text.rfind("\n", 0, limit) + 1
    return text[:end] if end else text[:limit]
