"""Divides a document into chunks, runs of lines that belong together, and indexes their words and definitions."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from attrs import frozen

from tabby_ls.context.definitions import definitions, outline
from tabby_ls.context.words import bag

#: Lines of a chunk: it ends with the first number, or after the second where something new begins.
_LONGEST, _SHORTEST = 20, 6
#: Columns up to which a line may be indented to begin something new: one level, of a method in its class.
_SHALLOW = 4
#: Characters of a line that are looked at: longer lines are data.
_LONGEST_LINE = 300
#: Between two pauses so many chunks or lines are indexed: at most about a millisecond's work.
_CHUNKS_A_SLICE, _LINES_A_SLICE = 10, 200


@frozen(eq=False, slots=True)
class Chunk:
    """Some lines of a document: `start` to `end`, the latter not included, and what they say."""

    start: int
    end: int
    text: str


@frozen(eq=False, slots=True)
class Chunked:
    """A document taken apart. `where` maps each word (see `words.bag`) to the chunks it is in: bit n for chunk n."""

    chunks: tuple[Chunk, ...]
    where: dict[str, int]
    #: Outlines (see `definitions.outline`) of what the document defines, by name; of a name defined twice the first.
    defined: dict[str, Chunk]


def take_apart(lines: Sequence[str]) -> Generator[None, None, Chunked]:
    """Divide and index a document's lines, without line ends; yield after each millisecond or so of work."""
    lines = [line[:_LONGEST_LINE].rstrip() for line in lines]
    chunks = tuple(_chunks(lines))
    where: dict[str, int] = {}
    for number, chunk in enumerate(chunks):
        bit = 1 << number
        for word in bag(chunk.text):
            where[word] = where.get(word, 0) | bit
        if number % _CHUNKS_A_SLICE == _CHUNKS_A_SLICE - 1:
            yield
    defined: dict[str, Chunk] = {}
    for start in range(0, len(lines), _LINES_A_SLICE):
        for name, number in definitions(lines[start : start + _LINES_A_SLICE]):
            if name not in defined:
                shown = outline(lines, start + number)
                defined[name] = Chunk(start + number, start + number + len(shown), "\n".join(shown))
        yield
    return Chunked(chunks, where, defined)


def _chunks(lines: Sequence[str]) -> list[Chunk]:
    found: list[Chunk] = []
    start = 0
    for number, line in enumerate(lines):
        length = number - start
        if length >= _LONGEST or (length >= _SHORTEST and _begins(line, lines[number - 1])):
            _add(found, lines, start, number)
            start = number
    _add(found, lines, start, len(lines))
    return found


def _begins(line: str, above: str) -> bool:
    """Return whether a chunk may well begin at `line`: below a blank line, not deep inside something."""
    return bool(line) and not above and len(line) - len(line.lstrip()) <= _SHALLOW


def _add(found: list[Chunk], lines: Sequence[str], start: int, end: int) -> None:
    """Add the chunk from `start` to `end` without blank lines around it; none if all are blank."""
    while start < end and not lines[start]:
        start += 1
    while start < end and not lines[end - 1]:
        end -= 1
    if start < end:
        found.append(Chunk(start, end, "\n".join(lines[start:end])))
