"""Removes from the beginning of an answer what stands in the document already, and a Markdown fence before code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from itertools import islice

from tabby_ls.engine.shaping.lines import (
    indent_of,
    indentation,
    is_repeat,
    lines_upwards,
    same_line,
    squeezed,
)
from tabby_ls.engine.shaping.place import place_of
from tabby_ls.engine.snapshot import Snapshot

#: Characters that a line, or its part before the cursor, has at least if writing it again is an accident: `return`,
#: `else:` and the like come twice in good code.
_ECHO = 8
#: Lines above the cursor in which an answer's beginning is looked for.
_LINES_ABOVE = 20
#: Characters of white space that an answer may begin with. No line is indented so far: nothing else will come.
_BLANK = 200
_FENCE = re.compile(r"\s*```[\w+#.-]*[ \t]*\n")
_MAYBE_FENCE = re.compile(r"\s*`{1,2}|\s*```[\w+#.-]*[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+(?=[ \t]*\S)")


def trim_head(text: str, snapshot: Snapshot, *, finished: bool, is_chat: bool = False) -> str:
    """Return `text`, as far as it has arrived, without what stands in the document already.

    "" as long as that cannot be told. In a chat, models mostly write the whole line.
    """
    if len(text) > _BLANK and text.isspace():
        return text  # there is nothing to wait for
    without_line = partial(_without_line, least=1 if is_chat else _ECHO)
    for rule in (_without_fence, without_line, _without_lines, _without_indentation):
        trimmed = rule(text, snapshot, finished=finished)
        if trimmed is None:
            return ""
        text = trimmed
    return _without_space(text, snapshot)


# Each rule returns the text without what it names, None as long as that cannot be told.


def _without_fence(text: str, snapshot: Snapshot, *, finished: bool) -> str | None:
    """A fence, as in Markdown, before code: only where no text about code is written."""
    if not text.lstrip().startswith("`") or place_of(snapshot).has_fences:
        return text
    if (fence := _FENCE.match(text)) is not None:
        return text[fence.end() :]
    return None if not finished and _MAYBE_FENCE.fullmatch(text) else text


def _without_line(text: str, snapshot: Snapshot, *, finished: bool, least: int) -> str | None:
    """The line up to the cursor once more, if it has at least so many characters, and more than a word."""
    started = snapshot.line_prefix.strip()
    if len(started) < least or (least > 1 and not re.search(r"\s", started)):
        return text
    written = text.lstrip()
    if written.startswith(started):
        return written[len(started) :]
    return None if not finished and started.startswith(written) else text


def _without_lines(text: str, snapshot: Snapshot, *, finished: bool) -> str | None:
    """The lines above the cursor once more, where the cursor's own is blank."""
    before = snapshot.line_prefix
    if before.strip() or not text.strip():
        return text
    lines = text.split("\n")
    whole = len(lines) if finished else len(lines) - 1
    above = list(islice(lines_upwards(snapshot.prefix, len(snapshot.prefix) - len(before)), _LINES_ABOVE))
    above.reverse()
    if lines[0] and indent_of(lines[0]) != indent_of(before):
        lines[0] = before + lines[0]  # what it writes of the indentation comes on top of what stands there
    echoed = _echoed(lines[:whole], above, finished=finished)
    if echoed == 0:
        return text
    rest = "\n".join(lines[echoed:]) if echoed is not None else ""
    if not finished and not rest.strip():
        return None
    return rest[len(before) :] if rest.startswith(before) else ""


def _echoed(lines: Sequence[str], above: Sequence[str], *, finished: bool) -> int | None:
    """Return how many `lines` at the beginning are the last ones `above` again, None if that is open yet."""
    if not lines or len(squeezed(lines[0])) < _ECHO:
        return 0
    for count in range(len(above), 0, -1):
        repeated = above[-count:]
        if is_repeat(lines[0], repeated[0]) and all(map(same_line, lines, repeated)):
            if count > len(lines):
                if finished:
                    continue
                return None
            # Where the lines above repeat each other, one more may be meant.
            is_pattern = count < len(above) and same_line(above[-1], above[-1 - count])
            return 0 if is_pattern else count
    return 0


def _without_indentation(text: str, snapshot: Snapshot, *, finished: bool) -> str | None:
    """The indentation that stands before the cursor already, with blank lines above it or without."""
    before = snapshot.line_prefix
    if not before or before.strip():
        return text
    blank = _BLANK_LINES.match(text)
    if blank is not None and text.startswith(before, blank.end()):
        return text[blank.end() + len(before) :]
    if not text.strip():
        return text if finished else None
    if indentation(text) != before or _is_short(before, snapshot):
        return text
    return text[len(before) :]


def _is_short(before: str, snapshot: Snapshot) -> bool:
    """Return whether a line may well be twice as deep as the cursor stands: its neighbours say so."""
    place, depth = place_of(snapshot), indent_of(before)
    if place.is_above and place.following is not None and indent_of(place.following) == 2 * depth:
        return True
    above = next((line for line in place.lines_above if line.strip()), "")
    return indent_of(above) > depth or (indent_of(above) == depth and place.language.opens_block(above))


def _without_space(text: str, snapshot: Snapshot) -> str:
    """The space that models repeat when the line already ends with one."""
    before = snapshot.line_prefix
    return text.lstrip(" \t") if before.strip() and before[-1] in " \t" else text
