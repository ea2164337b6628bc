"""Cleans text for a buffer: line ends, characters that must not enter one, half words and white space at the end."""

from __future__ import annotations

import re

from tabby_ls.engine.snapshot import Snapshot

#: Control characters that no source file wants, the marks that reorder how text is displayed (Unicode TR 36,
#: bidirectional text spoofing), and what is left of characters that a server took apart.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffd]")
_LAST_WORD = re.compile(r"\w+$")


def with_lf(text: str) -> str:
    """Return `text` with LF line ends only."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def first_unwanted(text: str, start: int = 0) -> int:
    """Return the index of the first character that must not enter a buffer, -1 if there is none from `start` on."""
    unwanted = _UNWANTED.search(text, start)
    return unwanted.start() if unwanted else -1


def drop_half_end(text: str) -> str:
    """Remove what a token limit or a deadline cut in the middle: the last line, or the last word of the only one."""
    head, newline, _ = text.rpartition("\n")
    if newline and head.strip():
        return head
    return _LAST_WORD.sub("", text)


def trim_end(text: str, snapshot: Snapshot) -> str:
    """Remove white space at the end where nothing follows on the line; in front of something it may be wanted."""
    return text if snapshot.line_suffix.strip() else text.rstrip()
