"""Where an answer ends, decided while it arrives: the sooner it is known, the sooner the stream closes."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from tabby_ls.engine.shaping.lines import first_text_line, indent_of, is_repeat, last_text_line
from tabby_ls.engine.shaping.mode import Mode, begins_block, only_closers
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.languages import Language

#: A suggestion longer than this is never read to its end.
_MAX_LINES = 40
#: Equal lines in a row that make a loop.
_LOOP = 3


@frozen(slots=True)
class Cut:
    """`text` is what can be used so far; once `ended`, nothing that follows can change it."""

    text: str
    ended: bool


def cut(text: str, snapshot: Snapshot, language: Language, mode: Mode, *, finished: bool) -> Cut:
    """Cut what a model has written so far at `snapshot`'s cursor; `finished` if it will not go on.

    Only whole lines are judged until the model has finished.
    """
    if _inserts_above(snapshot):
        return _cut_above(text, snapshot, finished=finished)
    first, newline, rest = text.partition("\n")
    if not newline:
        return Cut(text, finished)
    if mode is Mode.LINE:
        if first.strip() or snapshot.line_prefix.strip():
            if not _switches_to_block(first, snapshot, language):
                return Cut(first, True)
        elif "\n" not in rest and not finished:
            return Cut("", False)
        else:  # a blank first line on a blank line: the answer is the line after it
            return Cut(f"{first}\n{rest.partition(chr(10))[0]}", True)
    return _cut_block(first, rest, _Block.of(first, snapshot, language), finished=finished)


def _switches_to_block(first: str, snapshot: Snapshot, language: Language) -> bool:
    """A generated line that opens a block asks for its content, where nothing else stands there yet."""
    return only_closers(snapshot.line_suffix) and begins_block(
        snapshot.line_prefix + first, snapshot, language
    )


def _inserts_above(snapshot: Snapshot) -> bool:
    """The cursor stands before the text of its line, so that whole lines may be put above it."""
    return not snapshot.line_prefix.strip(" \t") and not only_closers(snapshot.line_suffix)


def _cut_above(text: str, snapshot: Snapshot, *, finished: bool) -> Cut:
    first, newline, _ = text.partition("\n")
    if not newline:
        return Cut(text, finished)
    # The line that is pushed down keeps the indentation that stands before the cursor.
    return Cut(f"{first}\n{snapshot.line_prefix}" if first.strip() else "", True)


def _cut_block(first: str, rest: str, block: _Block, *, finished: bool) -> Cut:
    lines = rest.split("\n")
    partial = None if finished else lines.pop()
    kept = [first]
    for line in lines:
        if line.strip():
            if block.following is not None and is_repeat(line, block.following):
                return Cut("\n".join(kept), True)
            if not block.contains(line):
                if block.is_closed_by(line):
                    kept.append(line)
                return Cut("\n".join(kept), True)
        kept.append(line)
        if len(kept) > _MAX_LINES:
            return Cut("\n".join(kept[:-1]), True)
        if line.strip() and len(kept) > _LOOP and len(set(kept[-_LOOP:])) == 1:
            return Cut("\n".join(kept[: 1 - _LOOP]), True)
    if partial is not None:
        kept.append(partial)
    return Cut("\n".join(kept), finished)


@frozen(slots=True)
class _Block:
    """The block that an answer fills.

    `depth` is the indentation of the line that `opened` it: the one above a cursor on a blank line, or the
    cursor's own. Where neither did, it is that of the cursor's line. `following` is the line of text below.
    """

    depth: int
    opened: bool
    following: str | None
    language: Language

    @classmethod
    def of(cls, first: str, snapshot: Snapshot, language: Language) -> _Block:
        """Return the block of an answer whose `first` line is known."""
        line = snapshot.line_prefix + first
        following = first_text_line(snapshot.following)
        opens = language.opens_block(line)
        if not (opens and snapshot.line_prefix.strip()):
            above = last_text_line(snapshot.prefix[: len(snapshot.prefix) - len(snapshot.line_prefix)])
            if begins_block(above, snapshot, language):
                return cls(indent_of(above), True, following, language)
        return cls(indent_of(line), opens, following, language)

    def contains(self, line: str) -> bool:
        """Return whether `line` is content of the block, or goes on with it, as `else:` does."""
        depth = indent_of(line)
        if depth != self.depth or not self.opened:
            return depth >= self.depth
        goes_on = self.language.continues_block
        return goes_on(line) and not self._is_below(goes_on)

    def is_closed_by(self, line: str) -> bool:
        """Return whether `line` closes the block, and the line below the cursor does not do so already."""
        closes = self.language.closes_block
        return self.opened and indent_of(line) == self.depth and closes(line) and not self._is_below(closes)

    def _is_below(self, kind: Callable[[str], bool]) -> bool:
        """Return whether the line below the cursor is of that kind, and no line of an enclosing block."""
        return self.following is not None and indent_of(self.following) >= self.depth and kind(self.following)
