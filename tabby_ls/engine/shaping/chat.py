"""Unwraps a chat model's answer: code in a Markdown fence, with a thought before it and words around it."""

from __future__ import annotations

import re

#: How reasoning models mark what they think before they answer.
_THOUGHT = re.compile(r"\s*<think(?:ing)?>")
_THOUGHT_END = re.compile(r"</think(?:ing)?>[ \t]*\n*")
_FENCE = re.compile(r"^[ \t]*```[\w+#.-]*[ \t]*(?:\n|\Z)", re.MULTILINE)
#: A line of what chat models say before the code: how it begins, and none of the characters that code would have.
_TALK = re.compile(
    r"\s*(?:sure|certainly|of course|absolutely|okay|ok|great|here(?:'|’)?s|here (?:is|are)|below is|"
    r"the (?:completed?|missing|following|code|completion|function)|to complete|this (?:code|is|will|completes)|"
    r"i(?:'|’)?(?:ll|ve|m)?|you can|we (?:can|need)|based on|let(?:'|’)?s|note)\b[^=(\[{;]*",
    re.IGNORECASE,
)
#: A line of more words than this is talk even without a mark at its end.
_FEW_WORDS = 4


def unwrap(text: str, *, finished: bool) -> str:
    """Return the code in what a chat model has said so far, "" as long as it has not come to it.

    A thought is left out. What begins with a fence, or with talk and then a fence, is what stands in it;
    anything else ends where a fence begins.
    """
    if (thought := _THOUGHT.match(text)) is not None:
        end = _THOUGHT_END.search(text, thought.end())
        if end is None:
            return ""
        text = text[end.end() :]
    stripped = text.lstrip()
    if not finished and (not stripped or "<thinking>".startswith(stripped)):
        return ""
    opening = _FENCE.search(text)
    if opening is None:
        return "" if _may_be_wrapped(stripped, finished=finished) else text
    if not _may_be_wrapped(text[: opening.start()].strip() or "```", finished=False):
        return text[: opening.start()]
    code = text[opening.end() :]
    closing = _FENCE.search(code)
    return code if closing is None else code[: closing.start()]


def _may_be_wrapped(text: str, *, finished: bool) -> bool:
    """Return whether `text` is a fence, or talk that leads to one."""
    line, newline, _ = text.partition("\n")
    if line.startswith("`"):
        return not finished or line.startswith("```")
    if _TALK.fullmatch(line) is None:
        return False
    # Until the line is whole, a word of talk may still turn out to be a name.
    is_whole = bool(newline) or finished
    return not is_whole or line.rstrip().endswith((".", ":", "!", "?")) or len(line.split()) > _FEW_WORDS
