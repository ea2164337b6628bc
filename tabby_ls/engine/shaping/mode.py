"""The mode of a suggestion, one line or several: where a block begins and is still empty, a suggestion may go on."""

from __future__ import annotations

from enum import Enum, auto

from tabby_ls.engine.shaping.place import only_closers, place_of
from tabby_ls.engine.snapshot import Snapshot


class Mode(Enum):
    """How far a suggestion may reach."""

    #: To the end of the line, whatever it opens.
    ONE_LINE = auto()
    #: To the end of the line, unless that line turns out to open a block.
    LINE = auto()
    #: To the end of the block.
    BLOCK = auto()
    #: To the end of the definition that the cursor is in.
    DEFINITION = auto()


def choose_mode(snapshot: Snapshot, *, multiline: str, invoked: bool) -> Mode:
    """Return how far a suggestion at this cursor may reach; `multiline` is the user's setting."""
    place = place_of(snapshot)
    if multiline == "never" or not (place.is_above or only_closers(place.rest)):
        return Mode.ONE_LINE
    if invoked:
        return Mode.DEFINITION
    if multiline == "always":
        return Mode.BLOCK
    before = place.before
    if place.language.is_comment(before):
        return Mode.ONE_LINE
    opens = place.is_empty_block_of(before) if before.strip() else place.opener_above is not None
    return Mode.BLOCK if opens else Mode.LINE
