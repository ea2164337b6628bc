"""Builds and reads segments: the tokens of some files and the order of their positions, in one block of bytes.

A block is written once and never changed; it is read in place, usually memory-mapped. Its layout, all numbers in the
machine's own byte order:

    header      magic, version, byte-order mark, sizes of the next four parts, CRC-32 of all that follows
    tokens      u32 each: numbers of words; DEPTH separators, then every file ended by a separator
    order       u32 each: positions sorted by context, see `suffixes.py`
    offsets     u32 each: where each word of the vocabulary starts in the next part, and its end
    vocabulary  the words in UTF-8, sorted, so that a word's number is its rank and a prefix a range of numbers
    files       JSON: [[name, size, mtime_ns, first position], ...]

Whatever is not exactly that (short, altered, of another version or machine) is refused as :class:`CorruptError`.
"""

from __future__ import annotations

import json
import struct
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from attrs import frozen

from tabby_ls.local_model.suffixes import DEPTH, narrow, order_by_context
from tabby_ls.local_model.tokens import MAX_LINE, SEPARATOR, indentation, newline, split_line

#: How every block begins.
_MAGIC = b"tabby-ls"
#: Of the layout and of what tokens are: a block of another version is refused, and so built again.
_VERSION = 1
#: Reads as another number on a machine of another byte order.
_BYTE_ORDER = 0x01020304
#: As above; `x` are spare bytes.
_HEADER = struct.Struct("=8sIIIIII4xI4x")
#: Words and numbers of words remembered per segment; then both are forgotten.
_MEMO = 20_000


class CorruptError(ValueError):
    """The bytes are no segment of this version, or not a whole one."""


@frozen(slots=True)
class File:
    """A file in a segment. `name` is relative to the root, with forward slashes."""

    name: str
    size: int
    mtime_ns: int


class _Numbers(dict[str, int]):
    """Words to numbers, in the order of their first use."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


def build_segment(files: Iterable[tuple[File, str]]) -> bytes:
    """Return the block of bytes for some files and their texts (line ends LF).

    It is tokenised as by `tokens.tokenize`, from 0 columns, each line of all files only once.
    """
    numbers = _Numbers()
    separator = numbers[SEPARATOR]
    tokens = array("I", [separator]) * DEPTH
    table: list[tuple[str, int, int, int]] = []
    known: dict[str, tuple[int, array[int]]] = {}
    for file, text in files:
        table.append((file.name, file.size, file.mtime_ns, len(tokens)))
        columns = 0
        for line in text.split("\n"):
            entry = known.get(line)
            if entry is None:
                numbered = array("I", map(numbers.__getitem__, split_line(line.strip()[:MAX_LINE])))
                entry = known[line] = (indentation(line), numbered)
            if entry[1]:
                tokens.append(numbers[newline(entry[0] - columns)])
                tokens.extend(entry[1])
                columns = entry[0]
        tokens.append(separator)
    known.clear()
    return _encode(numbers, tokens, table)


def _encode(numbers: dict[str, int], tokens: array[int], table: list[tuple[str, int, int, int]]) -> bytes:
    encoded = sorted((word.encode("utf-8", "surrogatepass"), number) for word, number in numbers.items())
    ranks = array("I", bytes(4 * len(encoded)))
    offsets = array("I", [0])
    for rank, (word, number) in enumerate(encoded):
        ranks[number] = rank
        offsets.append(offsets[-1] + len(word))
    tokens = array("I", map(ranks.__getitem__, tokens))
    order = order_by_context(tokens, len(encoded))
    vocabulary = b"".join(word for word, _ in encoded)
    names = json.dumps(table, separators=(",", ":")).encode()
    body = b"".join((tokens.tobytes(), order.tobytes(), offsets.tobytes(), vocabulary, names))
    sizes = (len(tokens), len(order), len(offsets), len(vocabulary))
    return _HEADER.pack(_MAGIC, _VERSION, _BYTE_ORDER, *sizes, zlib.crc32(body)) + body


class Segment:
    """A block of bytes made by :func:`build_segment`, read in place. Safe to use from several threads."""

    def __init__(self, block: bytes | memoryview[int]) -> None:
        """Raise :class:`CorruptError` unless `block` is a whole segment."""
        view = memoryview(block)
        if len(view) < _HEADER.size:
            raise CorruptError("too short")
        magic, version, mark, *sizes, checksum = _HEADER.unpack_from(view)
        if (magic, version, mark) != (_MAGIC, _VERSION, _BYTE_ORDER):
            raise CorruptError("another format")
        body = view[_HEADER.size :]
        if zlib.crc32(body) != checksum:
            raise CorruptError("checksum")
        ends = [4 * sizes[0], 4 * sizes[1], 4 * sizes[2], sizes[3]]
        for number in range(1, 4):
            ends[number] += ends[number - 1]
        if ends[3] > len(body):
            raise CorruptError("sizes")
        self.tokens = body[: ends[0]].cast("I")
        self.order = body[ends[0] : ends[1]].cast("I")
        self._offsets = body[ends[1] : ends[2]].cast("I")
        self._vocabulary = body[ends[2] : ends[3]]
        try:
            table = json.loads(bytes(body[ends[3] :]))
        except ValueError as error:
            raise CorruptError("file table") from error
        self.files = [File(name, size, mtime_ns) for name, size, mtime_ns, _ in table]
        self.starts = array("I", [start for *_, start in table])
        self._word_of: dict[int, str] = {}
        self._number_of: dict[str, int] = {}
        #: Numbers of newline tokens and the separator.
        self.newlines = range(self._rank(b"\n"), self._rank(b"\x0b"))

    def word(self, number: int) -> str:
        """Return the word with a number, which must be one of this segment's."""
        word = self._word_of.get(number)
        if word is None:
            if len(self._word_of) > _MEMO:
                self._word_of = {}
            word = self._word_of[number] = self._bytes(number).decode("utf-8", "surrogatepass")
        return word

    def number(self, word: str) -> int:
        """Return the number of a word, or -1."""
        number = self._number_of.get(word)
        if number is None:
            if len(self._number_of) > _MEMO:
                self._number_of = {}
            encoded = word.encode("utf-8", "surrogatepass")
            number = self._rank(encoded)
            if number == len(self._offsets) - 1 or self._bytes(number) != encoded:
                number = -1
            self._number_of[word] = number
        return number

    def starting_with(self, prefix: str) -> range:
        """Return the numbers of all words that start with `prefix`."""
        encoded = prefix.encode("utf-8", "surrogatepass")
        # No byte of UTF-8 is 0xff, so this sorts after every word with the prefix.
        return range(self._rank(encoded), self._rank(encoded + b"\xff"))

    def ranges(self, context: Sequence[str]) -> list[tuple[int, int]]:
        """Return for 1, 2, ... tokens of context (its last ones) the range of `order` where it occurs."""
        found: list[tuple[int, int]] = []
        low, high = 0, len(self.order)
        for depth, word in enumerate(reversed(context), 1):
            number = self.number(word)
            if number < 0:
                break
            low, high = narrow(self.order, self.tokens, low, high, depth, number)
            if low == high:
                break
            found.append((low, high))
        return found

    def file_at(self, position: int) -> int:
        """Return the number of the file that a position is in."""
        return bisect_right(self.starts, position) - 1

    def _bytes(self, number: int) -> bytes:
        return bytes(self._vocabulary[self._offsets[number] : self._offsets[number + 1]])

    def _rank(self, encoded: bytes) -> int:
        return bisect_left(range(len(self._offsets) - 1), encoded, key=self._bytes)
