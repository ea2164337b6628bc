"""Anchors: compares a later state of a document with the place where text was generated, and with that text.

This is how the memory and a running generation know that the user types what they have. The text around a cursor is
compared where it stands: it is neither copied nor hashed.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from tabby_ls.engine.shaping.brackets import CLOSERS, OPENER_OF
from tabby_ls.engine.shaping.lines import indent_of, indentation
from tabby_ls.engine.snapshot import Snapshot

#: How many of these, and how many replaced characters, two states may differ by; and by how many characters of white
#: space an editor may indent a closing bracket that it puts on a line of its own.
_MAX_DIFFERENCE, _MAX_INDENT = 8, 80
#: Characters compared above the cursor's line, and behind the cursor: enough to know the place again, whatever the
#: file's size. Fewer behind, where each way is tried in which an editor may have closed brackets by itself.
_COMPARED_BEFORE = 4096
_COMPARED_AFTER = 2048
#: A place is given up after this many lines typed since: more than any suggestion has (`shaping/cut.py`).
_MAX_LINES = 64


@frozen(slots=True)
class Anchor:
    """A cursor, and as much of the text around it as states are compared by.

    `fixed` is the cursor's line up to where text may grow: up to the cursor, but on a blank line only its start,
    because there the indentation may change. `head` is what stands between the two.
    """

    uri: str
    language: str
    line: int
    above: str
    is_whole_above: bool
    fixed: str
    head: str
    after: str
    is_whole_after: bool

    @classmethod
    def of(cls, snapshot: Snapshot) -> Anchor:
        """Return the place of a snapshot's cursor."""
        line = snapshot.line_prefix
        end = len(snapshot.prefix) - len(line)
        start = max(0, end - _COMPARED_BEFORE)
        fixed, head = (line, "") if line.strip(" \t") else ("", line)
        return cls(
            snapshot.uri,
            snapshot.language,
            snapshot.line,
            above=snapshot.prefix[start:end],
            is_whole_above=start == 0,
            fixed=fixed,
            head=head,
            after=snapshot.suffix[:_COMPARED_AFTER],
            is_whole_after=len(snapshot.suffix) <= _COMPARED_AFTER,
        )

    @property
    def indent(self) -> str:
        """The white space that the cursor's line begins with."""
        return indentation(self.fixed or self.head)


def typed_since(place: Anchor, now: Snapshot) -> str | None:
    """Return what stands between the end of `place.fixed` and the cursor `now`; None if anything else changed.

    Just after the place was taken that is `place.head`. Behind the cursor, brackets and quotes may have appeared
    that the editor closed by itself, and characters may be gone that are part of what was typed: an accepted
    suggestion replaced them, or the user typed over them.
    """
    lines_typed = now.line - place.line
    if place.uri != now.uri or place.language != now.language or not 0 <= lines_typed <= _MAX_LINES:
        return None
    start = _start_of_line(now.prefix, lines_typed)
    if start is None or not now.prefix.startswith(place.fixed, start):
        return None
    if not now.prefix.endswith(place.above, 0, start) or (place.is_whole_above and start != len(place.above)):
        return None
    typed = now.prefix[start + len(place.fixed) :]
    return typed if _same_after(place, now.suffix, typed) else None


def _start_of_line(text: str, lines_up: int) -> int | None:
    """Return where the line begins that is so many lines above the last one of `text`, None if it has fewer."""
    end = len(text)
    for _ in range(lines_up):
        end = text.rfind("\n", 0, end)
        if end < 0:
            return None
    return text.rfind("\n", 0, end) + 1


def _same_after(place: Anchor, now: str, typed: str) -> bool:
    if _stands_at(place, 0, now, 0):
        return True
    for grown in _lengths_closed(now):
        if _stands_at(place, 0, now, grown) and _may_close(now[:grown], typed):
            return True
    return any(
        _stands_at(place, gone, now, 0) and _runs_through(place.after[:gone], typed)
        for gone in range(1, min(_MAX_DIFFERENCE, len(place.after)) + 1)
    )


def _stands_at(place: Anchor, gone: int, now: str, index: int) -> bool:
    """Return whether what was after the place, without its first characters, is in `now` from an index on."""
    if place.is_whole_after and len(now) - index != len(place.after) - gone:
        return False
    return now.startswith(place.after[gone:] if gone else place.after, index)


def _lengths_closed(text: str) -> Iterator[int]:
    """Yield how much of the beginning of `text` may be what an editor closed by itself.

    Those are closing brackets and quotes; the last of them may have gone to a line of their own, when Enter was
    pressed between brackets.
    """
    index = 0
    while index < min(_MAX_DIFFERENCE, len(text)) and text[index] in CLOSERS:
        index += 1
        yield index
    if index < len(text) and text[index] == "\n":
        index += 1
        end = min(index + _MAX_INDENT, len(text))
        while index < end and text[index] in " \t":
            index += 1
        end = min(index + _MAX_DIFFERENCE, len(text))
        while index < end and text[index] in CLOSERS:
            index += 1
            yield index


def _may_close(closers: str, typed: str) -> bool:
    """Return whether an editor may have put `closers` behind `typed` by itself: it holds their openers."""
    return all(
        char.isspace() or (char in CLOSERS and typed.count(OPENER_OF[char]) >= closers.count(char))
        for char in set(closers)
    )


def _runs_through(characters: str, text: str) -> bool:
    """Return whether all `characters` occur in `text`, in this order."""
    remaining = iter(text)
    return all(char in remaining for char in characters)


# What is typed, held against what is generated


def rest_of(text: str, typed: str, place: Anchor, *, finished: bool) -> str | None:
    """Return what remains of `text`, generated at `place`, once `typed` stands there; None if that contradicts it.

    White space at the beginning of a line is the user's and the editor's: where theirs differs from what was
    generated it counts, and what remains is indented with it. "" also stands for "typed beyond what has arrived"
    of a text that is not `finished`.
    """
    whole = place.head + text
    if len(typed) >= len(place.head) or typed.strip(" \t"):
        if whole.startswith(typed):
            return whole[len(typed) :]
        if not finished and typed.startswith(whole):
            return ""
    if place.fixed and "\n" not in typed:
        return None
    return _reindented(whole.split("\n"), typed.split("\n"), place, finished=finished)


def _reindented(lines: list[str], typed: list[str], place: Anchor, *, finished: bool) -> str | None:
    """Compare line by line, each by what follows its indentation."""
    first_depths = (
        (indent_of(place.indent),) * 2 if place.fixed else (indent_of(lines[0]), indent_of(typed[0]))
    )
    indents = "", ""  # of the last line whose indentation was compared: as generated, and as it is
    for number, (line, now) in enumerate(zip(lines, typed, strict=False)):
        is_first, is_last = number == 0, number == len(typed) - 1
        may_grow = number == len(lines) - 1 and not finished
        then_indent, now_indent = (
            ("", "") if is_first and place.fixed else (indentation(line), indentation(now))
        )
        body, typed_body = line[len(then_indent) :], now[len(now_indent) :]
        if body.startswith(typed_body) and (is_last or body == typed_body):
            rest = body[len(typed_body) :]
        elif may_grow and typed_body.startswith(body):
            return ""
        else:
            return None
        if not is_first and then_indent != now_indent and (body or typed_body):
            expected = indents[1] if then_indent == indents[0] else then_indent
            depths = indent_of(then_indent) - first_depths[0], indent_of(now_indent) - first_depths[1]
            if is_last and not typed_body and expected.startswith(now_indent) and depths[1] <= 0:
                now_indent, rest = expected, expected[len(now_indent) :] + rest  # it is being typed
            elif not _same_direction(*depths):
                return None
        if body or typed_body:
            indents = then_indent, now_indent
    if len(typed) > len(lines):
        return None if finished else ""
    following = _shifted(lines[len(typed) :], *indents, place.indent if place.fixed else None)
    return "\n".join([rest, *following])


def _same_direction(one: int, other: int) -> bool:
    """Return whether both are deeper than the line of the cursor, or both the same, or both as much shallower."""
    return one == other or (one > 0 and other > 0)


def _shifted(lines: list[str], then: str, now: str, outer: str | None) -> Iterator[str]:
    """Yield lines indented by `now` where they were by `then`, up to the first of which that cannot be said.

    Lines no deeper than `outer`, the indentation of the cursor's line if that has text, stay as they are.
    """
    is_other_kind = not (then.startswith(now) or now.startswith(then))
    for line in lines:
        if then == now:
            yield line
        elif not line.strip(" \t"):
            yield ""
        elif line.startswith(then):
            inner = line[len(then) :]
            if is_other_kind and inner[0] in " \t":
                return
            yield now + inner
        elif outer is not None and outer.startswith(indentation(line)):
            yield line
        else:
            return


def region_agrees(region: str, text: str, place: Anchor, *, finished: bool) -> bool:
    """Return whether `region`, what edits have put at `place`, may still become, or lies within, the `text`.

    At its end may stand what the editor closed by itself.
    """
    return any(
        rest_of(text, region[: len(region) - closed], place, finished=finished) is not None
        for closed in (0, *_lengths_closing(region))
    )


def _lengths_closing(region: str) -> Iterator[int]:
    """Yield how much of the end of `region` may be what an editor closed by itself."""
    start = max(0, len(region) - 2 * _MAX_DIFFERENCE - _MAX_INDENT)
    for index in range(len(region) - 1, start - 1, -1):
        if region[index] not in CLOSERS and not region[index].isspace():
            return
        tail = region[index:]
        if len(tail) in _lengths_closed(tail) and _may_close(tail, region[:index]):
            yield len(tail)


def was_typed(typed: str, region: str) -> bool:
    """Return whether `region`, what edits have put in a place, is `typed` and what editors close by themselves."""
    if not region.startswith(typed):
        return False
    behind = region[len(typed) :]
    return not behind or (len(behind) in _lengths_closed(behind) and _may_close(behind, typed))
