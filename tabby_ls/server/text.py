"""The text of an open document as a list of lines: an edit costs what it changes, not what the document holds.

Two kinds of coordinates meet here. A client speaks of a line and a *character*: an offset in units of the
position encoding it agreed on (UTF-8 bytes, UTF-16 code units or code points). Inside, text is indexed by
*code point*, as Python does. Only LF, CR and CRLF end a line (LSP 3.17, "Text Documents"); form feeds, U+2028 and
the other characters at which `str.splitlines` breaks do not.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from attrs import frozen

PositionEncoding: TypeAlias = Literal["utf-8", "utf-16", "utf-32"]
Point: TypeAlias = tuple[int, int]
"""A line and an offset in it, both from 0."""

#: How much of a document the engine is handed: more than fits into any prompt it writes, and enough for what it looks at.
CHARACTERS_BEFORE = 65536
CHARACTERS_AFTER = 32768

_LINE_ENDINGS = ("\n", "\r\n", "\r")
_LINE_ENDING_SAMPLE = 64
# Where `str.splitlines` breaks a line and LSP does not.
_NO_LINE_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"

# In UTF-8, 0x80-0xBF continue a code point and 0xF0-0xF4 begin one that UTF-16 writes as a pair.
_CONTINUATIONS = bytes(range(0x80, 0xC0))
_CONTINUED = b"\x80"
_TO_CONTINUED = bytes.maketrans(_CONTINUATIONS, _CONTINUED * len(_CONTINUATIONS))
_ASTRAL = b"\xf0"
_TO_ASTRAL = bytes.maketrans(b"\xf1\xf2\xf3\xf4", _ASTRAL * 4)


@frozen(slots=True)
class Edit:
    """One applied change: `text` took the place of what was between `start` and `end`.

    Both points are code point indices into the document as it was before the edit, `start` not after `end`.
    """

    start: Point
    end: Point
    text: str


class TextLines:
    """A mutable text that knows its lines and its client's position encoding.

    There is always a last line without a line end, possibly empty: the empty text is one empty line.
    """

    __slots__ = ("_encoding", "_lines")

    def __init__(self, text: str = "", encoding: PositionEncoding = "utf-16") -> None:
        self._encoding = encoding
        self._lines = _split(text)

    def __len__(self) -> int:
        """The number of lines, at least 1."""
        return len(self._lines)

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their line ends; not a copy, so not to be kept across edits."""
        return self._lines

    @property
    def text(self) -> str:
        """The whole text. Costs as much as the document is long."""
        return "".join(self._lines)

    @property
    def end(self) -> Point:
        """The point after the last character, as a code point index."""
        return len(self._lines) - 1, len(self._lines[-1])

    @property
    def line_ending(self) -> str:
        """The line ending most of the first 64 lines have; LF if none has one or there is a tie."""
        endings = [line[_body_length(line) :] for line in self._lines[:_LINE_ENDING_SAMPLE]]
        return max(_LINE_ENDINGS, key=endings.count)

    def line(self, number: int) -> str:
        """A line without its line end."""
        line = self._lines[number]
        return line[: _body_length(line)]

    def locate(self, line: int, character: int) -> Point:
        """Where the client's position is, as a code point index.

        A position past the end of its line means the line's end, one past the last line the text's end, and one
        inside a code point that code point's start.
        """
        return self._locate(line, character)[0]

    def units(self, line: int, index: int) -> int:
        """The client's `character` for a code point index of a line."""
        return units_of(self._lines[line][:index], self._encoding)

    def apply(self, start: Point, end: Point, text: str) -> Edit:
        """Put `text` between two client positions and return what that changed.

        Positions are clamped like in `locate` and may come in either order. An edit that takes a surrogate pair
        apart is followed to the code unit, since clients that think in UTF-16 can send one.
        """
        start, end = sorted((start, end))
        (first, first_index), begins_inside = self._locate(*start)
        (last, last_index), ends_inside = self._locate(*end)
        if self._encoding == "utf-16" and (begins_inside or ends_inside):
            if begins_inside:
                text = _halves(self._lines[first][first_index])[0] + text
            if ends_inside:
                text += _halves(self._lines[last][last_index])[1]
                last_index += 1
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        edit = Edit((first, first_index), (last, last_index), text)
        self._replace(edit)
        return edit

    def replace_all(self, text: str) -> Edit:
        """Put `text` in the place of everything and return that as an edit."""
        edit = Edit((0, 0), self.end, text)
        self._lines = _split(text)
        return edit

    def window(self, line: int, index: int, before: int, after: int) -> tuple[str, str]:
        """The text before and after a point: whole lines, at most `before` and `after` characters of them.

        Only a line longer than its whole window, and the point's own line, are cut inside. Line ends come
        back as LF and halves of surrogate pairs as U+FFFD. Costs as much as the window is large.
        """
        return last_of(self.upward(line, index, before), before), first_of(
            self.downward(line, index, after), after
        )

    def after(self, point: Point, limit: int) -> str:
        """The text after a point, at most so many characters, with LF line ends; "" beyond the end of the text."""
        line, index = point
        if line >= len(self._lines):
            return ""
        taken = 0
        pieces: list[str] = []
        for piece in self.downward(line, index, 2 * limit):
            pieces.append(piece)
            taken += len(piece)
            if taken > 2 * limit:  # a line end may be two characters here
                break
        return _portable("".join(pieces))[:limit]

    def upward(self, line: int, index: int, limit: int) -> Iterator[str]:
        """The text before a point, from its own line up; of that line no more than `limit` characters."""
        yield self._lines[line][max(0, index - limit) : index]
        for number in range(line - 1, -1, -1):
            yield self._lines[number]

    def downward(self, line: int, index: int, limit: int) -> Iterator[str]:
        """The text after a point, from its own line down; of that line no more than `limit` characters."""
        yield self._lines[line][index : index + limit]
        for number in range(line + 1, len(self._lines)):
            yield self._lines[number]

    def _locate(self, line: int, character: int) -> tuple[Point, bool]:
        """A client position as a code point index, and whether it is inside the code point found there."""
        if line >= len(self._lines):
            return self.end, False
        text = self._lines[line]
        index, inside = _index_of_unit(text, max(character, 0), self._encoding)
        length = _body_length(text)
        return ((line, index), inside) if index < length else ((line, length), False)

    def _replace(self, edit: Edit) -> None:
        lines = self._lines
        (first, first_index), (last, last_index) = edit.start, edit.end
        changed = lines[first][:first_index] + edit.text + lines[last][last_index:]
        if first and changed.startswith("\n") and lines[first - 1].endswith("\r"):
            first -= 1
            changed = lines[first] + changed
        parts = _split(changed)
        if last + 1 < len(lines):
            # What was changed ends with the end of line `last`, so `_split` added an empty line that is not there.
            parts.pop()
        lines[first : last + 1] = parts


def units_of(text: str, encoding: PositionEncoding) -> int:
    """The length of a text in units of a position encoding."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def last_of(pieces: Iterable[str], limit: int) -> str:
    """Join the pieces that fit in `limit` characters, given from the last one back, each a line or part of one."""
    taken: list[str] = []
    room = limit
    for piece in pieces:
        if len(piece) > room:
            if len(piece) > limit:
                taken.append(piece[len(piece) - room :])
            break
        taken.append(piece)
        room -= len(piece)
    return _portable("".join(reversed(taken)))


def first_of(pieces: Iterable[str], limit: int) -> str:
    """Join the pieces that fit in `limit` characters, given from the first one on, each a line or part of one."""
    taken: list[str] = []
    room = limit
    for piece in pieces:
        if len(piece) > room:
            if len(piece) > limit:
                taken.append(piece[:room])
            break
        taken.append(piece)
        room -= len(piece)
    return _portable("".join(taken))


def _split(text: str) -> list[str]:
    """The lines of a text with their line ends, and a last one without."""
    if any(character in text for character in _NO_LINE_ENDS):
        lines = list(io.StringIO(text, newline=""))
    else:
        lines = text.splitlines(keepends=True)  # eight times faster
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


def _body_length(line: str) -> int:
    """The length of a line without its line end."""
    if line.endswith("\r\n"):
        return len(line) - 2
    return len(line) - line.endswith(("\n", "\r"))


def _index_of_unit(line: str, unit: int, encoding: PositionEncoding) -> tuple[int, bool]:
    """The code point that the client's unit belongs to, and whether the unit is inside it.

    Counts on bytes, one a unit, in which 0x80 marks a unit that does not begin a code point: no Python
    loop over characters, and surrogates without their other half count as what they are.
    """
    if encoding == "utf-32" or line.isascii():
        return min(unit, len(line)), False
    units = line[:unit].encode("utf-8", "surrogatepass")
    if encoding == "utf-8":
        units = units.translate(_TO_CONTINUED)
    else:
        units = units.translate(_TO_ASTRAL, _CONTINUATIONS).replace(_ASTRAL, _ASTRAL + _CONTINUED)
    index = min(unit, len(units)) - units.count(_CONTINUED, 0, unit)
    inside = units.startswith(_CONTINUED, unit)
    return index - inside, inside


def _halves(character: str) -> tuple[str, str]:
    """The two surrogates UTF-16 writes for a character beyond U+FFFF."""
    high, low = divmod(ord(character) - 0x10000, 0x400)
    return chr(0xD800 + high), chr(0xDC00 + low)


def _portable(text: str) -> str:
    """The text with LF line ends, and fit to be encoded: surrogates are paired or become U+FFFD."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
