"""Finds where an answer ends, while it arrives: with the line, the block, or where it leaves what was asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from attrs import field, frozen

from tabby_ls.engine.shaping.block import Block
from tabby_ls.engine.shaping.brackets import Nesting
from tabby_ls.engine.shaping.lines import indent_of, indentation, runs_into
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.shaping.overlap import completes
from tabby_ls.engine.shaping.place import Place, place_of
from tabby_ls.engine.shaping.repeats import goes_in_circles, loop_at_end
from tabby_ls.engine.snapshot import Snapshot

#: Lines of the longest suggestion: about a screen, as much as is read before it is accepted.
_MAX_LINES = 40
#: Blank lines that an answer may begin with.
_MAX_BLANK = 4
_FENCE = re.compile(r"\s*```")
#: Rules, as in "until `rule`".
_LINE, _CLOSED = "the line was complete", "the block was complete"
_CIRCLES, _FENCED = "it went in circles", "it left the code"
#: How one line of code ends and another one begins, where the model wrote no line end between the two.
_ENDS = re.compile(r"[\w)\]}\"';]")
_BEGINS = re.compile(r"[\w\"'@]")


@frozen(slots=True)
class Cut:
    """`text` is what can be used so far; once `ended`, nothing that follows can change it.

    `rule` says for people why it ended, as in "until `rule`"; "" if only because the model did.
    """

    text: str
    ended: bool
    rule: str = field(default="", eq=False)


def cut(text: str, snapshot: Snapshot, mode: Mode, *, finished: bool) -> Cut:
    """Cut what a model has written so far at `snapshot`'s cursor; `finished` if it will not go on.

    Only whole lines are judged until the model has finished.
    """
    place = place_of(snapshot)
    if place.is_above:
        first, newline, _ = text.partition("\n")
        if (newline or finished) and completes(first, place.rest):
            return Cut(first, True, "it reached the rest of the line")
    result = _cut(text, place, mode, finished=finished)
    if place.is_above and result.ended and _is_line(result.text, text, place):
        # The line that is pushed down keeps the indentation that stands before the cursor.
        return Cut(f"{result.text.rstrip()}\n{place.before}", True, result.rule)
    if place.rest.strip() and not place.is_above and result.ended and "\n" in result.text:
        return Cut(_before_closers(result.text.rstrip(), place), True, result.rule)
    return result


def _before_closers(text: str, place: Place) -> str:
    """Return lines of `text` as they stand in front of the closers that an editor wrote by itself: `{|}`.

    Where the text begins on the line below, and does not close the block itself, they come to a line of their own.
    """
    if not text.startswith("\n") or Nesting().after(text).closed:
        return text
    return f"{text}\n{indentation(place.before)}"


def _is_line(used: str, text: str, place: Place) -> bool:
    """Return whether `used`, the beginning of `text`, is one or more lines rather than a part of the next one."""
    if not used.strip():
        return False
    if len(used) < len(text) or "\n" in used:
        return True
    # The model wrote no line end: two words side by side are two lines, unless something is open between them.
    return bool(_ENDS.match(used[-1]) and _BEGINS.match(place.rest[0])) and Nesting().after(used) == Nesting()


def _cut(text: str, place: Place, mode: Mode, *, finished: bool) -> Cut:
    lines = text.split("\n")
    partial = "" if finished else lines.pop()
    if goes_in_circles(partial):
        return Cut("\n".join(lines), True, _CIRCLES)
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is not None and _is_fence(lines[first], place):
        return Cut("", True, _FENCED)
    stays_on_line = (mode is Mode.ONE_LINE and place.before.strip()) or (
        place.rest.strip() and not place.is_above
    )
    if first is None or (first > 0 and mode in (Mode.ONE_LINE, Mode.LINE) and stays_on_line):
        ended = finished or first is not None or len(lines) > _MAX_BLANK
        return Cut("" if ended else text, ended, "" if finished or not ended else "the line stayed blank")
    block = _block_of(first, lines, partial, place, mode, finished=finished)
    if not isinstance(block, Block):
        has_more = not finished or len(lines) > first + 1
        return Cut("\n".join(lines[: first + 1]), block, _LINE if block and has_more else "")
    return _cut_block(first, lines, partial, block, finished=finished)


def _block_of(
    first: int, lines: list[str], partial: str, place: Place, mode: Mode, *, finished: bool
) -> Block | bool:
    """Return the block that the answer fills, or, if it is just a line, whether that can be said for sure."""
    if mode is Mode.ONE_LINE:
        return True
    on_line = first == 0 and bool(place.before.strip())
    line = place.before + lines[0] if first == 0 else lines[first]
    if mode is Mode.LINE:
        return _block_of_line(line, [*lines[first + 1 :], partial], place, finished=finished)
    if mode is Mode.DEFINITION:
        return _definition(line, place, below=first > 0)
    opens = place.is_empty_block_of(line)
    if on_line and opens:
        return Block.opened_by(line, place)
    if place.before.strip() and place.is_empty_block_of(place.before):
        # What was opened before the cursor may be closed on its line already.
        return on_line or Block.opened_by(place.before, place)
    opener = place.opener_above
    if opener is not None:
        return Block.opened_by(opener, place)
    return Block.opened_by(line, place) if opens else Block(place, indent_of(line), opened=False)


def _block_of_line(line: str, further: list[str], place: Place, *, finished: bool) -> Block | bool:
    """One line is the answer, unless it opens a block whose content does not stand there yet."""
    language = place.language
    if language.is_comment(line):
        return True
    if place.is_empty_block_of(line):
        return Block.opened_by(line, place)
    if language.is_known:
        return True
    # What opens a block in a language nobody has heard of, the next line tells by its depth.
    depth = indent_of(line)
    if place.following is not None and indent_of(place.following) > depth:
        return True
    following = next((text for text in further if text.strip()), None)
    if following is None:
        return finished or len(further) > _MAX_BLANK
    return Block.opened_by(line, place) if indent_of(following) > depth else True


def _definition(line: str, place: Place, *, below: bool) -> Block:
    """The rest of the definition that the cursor is in."""
    outer, inner = place.definitions(indent_of(line), below=below)
    if place.language.is_item(line) or (outer < 0 and place.is_empty_block_of(line)):
        return Block.opened_by(line, place)
    if outer < 0:
        return Block(place, 0, opened=False)
    return Block(place, outer, opened=True, inner=inner)


def _cut_block(first: int, lines: list[str], partial: str, block: Block, *, finished: bool) -> Cut:
    belonging, rule = _lines_of_block(first, tuple(lines), block, finished=finished)
    kept = list(belonging)
    ended = finished or bool(rule)
    if not ended and len(kept) == len(lines):
        return Cut("\n".join([*kept, partial]), False)
    if ended:
        while len(kept) > first + 1 and not block.leads_to_what_follows(kept[-1]):
            kept.pop()
    return Cut("\n".join(kept), ended, rule)


@lru_cache(maxsize=4)  # a line comes in many pieces, and those above it stay as they are
def _lines_of_block(
    first: int, lines: tuple[str, ...], block: Block, *, finished: bool
) -> tuple[Sequence[str], str]:
    """Return the `lines` that belong to the block, and why no other line can, "" if others may."""
    language, kept, closed = block.place.language, list(lines[: first + 1]), False
    seen = [block.place.before + kept[0], *kept[1:]]
    for number in range(first + 1, len(lines)):
        line = lines[number]
        if not line.strip():
            if language.prose:
                return kept, "the paragraph ended"
        elif _is_fence(line, block.place):
            return kept, _FENCED
        elif goes_in_circles(line):
            return kept, _CIRCLES
        elif block.contains(line):
            if closed and not language.continues_block(line) and line.strip() != "{":
                return kept, _CLOSED
            again = _runs_into_what_follows(lines[number:], block.place, finished=finished)
            if again is not False:
                return kept, "it began to repeat what follows" if again else ""
            closed = False
        elif closed or not block.is_closed_by(line):
            return kept, _CLOSED
        elif not block.ends_alone:
            return [*kept, line], _CLOSED
        else:
            closed = True
        kept.append(line)
        seen.append(line)
        repeated = loop_at_end(seen)
        if repeated:
            return kept[:-repeated], "it began to repeat itself"
        if len(kept) > _MAX_LINES:
            return kept[:-1], f"it had {_MAX_LINES} lines"
    return kept, ""


def _is_fence(line: str, place: Place) -> bool:
    return _FENCE.match(line) is not None and not place.has_fences


def _runs_into_what_follows(lines: Sequence[str], place: Place, *, finished: bool) -> bool | None:
    if place.following is None:
        return False
    return runs_into([line for line in lines if line.strip()], place.below, finished=finished)
