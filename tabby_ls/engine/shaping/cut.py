"""Where an answer ends, decided while it arrives: the sooner it is known, the sooner the stream closes."""

from __future__ import annotations

from attrs import frozen

from tabby_ls.engine.shaping.lines import first_text_line, indent_of, same_line
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
    return _cut_block(first, rest, snapshot, language, finished=finished)


def _switches_to_block(first: str, snapshot: Snapshot, language: Language) -> bool:
    """A generated line that opens a block asks for its content, where nothing else stands there yet."""
    return only_closers(snapshot.line_suffix) and begins_block(
        snapshot.line_prefix + first, snapshot, language
    )


def _inserts_above(snapshot: Snapshot) -> bool:
    """The cursor stands before the text of its line, so that whole lines may be put above it."""
    return not snapshot.line_prefix.strip() and not only_closers(snapshot.line_suffix)


def _cut_above(text: str, snapshot: Snapshot, *, finished: bool) -> Cut:
    first, newline, _ = text.partition("\n")
    if not newline:
        return Cut(text, finished)
    if same_line(first, snapshot.line_suffix):
        return Cut("", True)
    # The line that is pushed down keeps the indentation that stands before the cursor.
    return Cut(f"{first}\n{snapshot.line_prefix}" if first.strip() else "", True)


def _cut_block(first: str, rest: str, snapshot: Snapshot, language: Language, *, finished: bool) -> Cut:
    lines = rest.split("\n")
    partial = None if finished else lines.pop()
    opened = language.opens_block(snapshot.line_prefix + first)
    base = indent_of(snapshot.line_prefix + first)
    following = first_text_line(snapshot.following)
    kept = [first]
    for line in lines:
        if line.strip():
            if following is not None and _repeats(line, following):
                return Cut("\n".join(kept), True)
            if _is_outside(line, base, language, opened=opened):
                if opened and _closes(line, base, following, language):
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


def _is_outside(line: str, base: int, language: Language, *, opened: bool) -> bool:
    """Return whether `line` is no part of a block: one `opened` at depth `base`, or one whose lines are there."""
    depth = indent_of(line)
    if opened:
        return depth < base or (depth == base and not language.continues_block(line))
    return depth < base


def _closes(line: str, base: int, following: str | None, language: Language) -> bool:
    """Return whether `line` closes the block, and no line below the cursor does so already."""
    if indent_of(line) != base or not language.closes_block(line):
        return False
    return following is None or indent_of(following) < base or not language.closes_block(following)


def _repeats(line: str, following: str) -> bool:
    """Return whether `line` is the one below the cursor again. Lone closers must stand at the same depth."""
    if not same_line(line, following):
        return False
    return not only_closers(line.strip("{( ")) or indent_of(line) == indent_of(following)
