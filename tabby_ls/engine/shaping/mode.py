"""One line or several: where a block begins and is still empty, a suggestion may go on."""

from __future__ import annotations

from enum import Enum, auto

from tabby_ls.engine.ahead import CLOSERS
from tabby_ls.engine.shaping.lines import first_text_line, indent_of, last_text_line
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.languages import Language


class Mode(Enum):
    """How far a suggestion may reach."""

    LINE = auto()
    BLOCK = auto()


def choose_mode(snapshot: Snapshot, language: Language, *, multiline: str, invoked: bool) -> Mode:
    """Return how far a suggestion at this cursor may reach; `multiline` is the user's setting."""
    if multiline == "never" or not only_closers(snapshot.line_suffix):
        return Mode.LINE
    if multiline == "always" or invoked:
        return Mode.BLOCK
    current = snapshot.line_prefix
    if language.prose or (language.line_comment and current.lstrip().startswith(language.line_comment)):
        return Mode.LINE
    opener = current if current.strip() else last_text_line(snapshot.prefix)
    return Mode.BLOCK if begins_block(opener, snapshot, language) else Mode.LINE


def begins_block(line: str, snapshot: Snapshot, language: Language) -> bool:
    """Return whether `line`, on or above the cursor's line, opens a block that has no content yet."""
    if not language.opens_block(line):
        return False
    below = first_text_line(snapshot.following)
    return below is None or indent_of(below) <= indent_of(line)


def only_closers(text: str) -> bool:
    """Return whether `text` is nothing but what editors close by themselves, and punctuation after it."""
    return all(char in CLOSERS or char in ":;, \t" for char in text)
