"""Takes the document being edited apart into tokens, and finds where the context at the cursor occurs in it.

It is not indexed: nothing predicts a line as well as the file it is in, and it changes with every key. A table from
each word to its positions is kept until another line than the cursor's changes, and the matches of a context grow by
one token a step, so that a step costs only the places of one word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from attrs import frozen

from tabby_ls.local_model.suffixes import DEPTH
from tabby_ls.local_model.tokens import (
    MAX_LINE,
    SEPARATOR,
    indentation,
    is_newline,
    is_open,
    line_tokens,
    newline,
    tokenize,
)

#: Words to their positions, in ascending order.
Places = Mapping[str, Sequence[int]]


@frozen(slots=True)
class Buffer:
    """The lines above and below the cursor's line.

    `tokens` are: separator, the lines below, separator, the lines above. A line that is being typed goes on at
    their end, as it does in the document.
    """

    above: str
    below: str
    tokens: list[str]
    places: Places
    #: Where lines start in `tokens`, and where the lines above do.
    line_starts: list[int]
    middle: int
    #: Indentation of the last non-blank line above, and of the first one below, in columns.
    columns_above: int
    columns_below: int
    uses_tabs: bool

    @classmethod
    def of(cls, above: str, below: str) -> Buffer:
        """Take apart the text above and below a line."""
        columns_above = _last_columns(above)
        after = tokenize(below, columns_above)
        tokens = [SEPARATOR, *after, SEPARATOR]
        middle = len(tokens)
        tokens += tokenize(above)
        columns_below = columns_above + int(after[0]) if after else 0
        uses_tabs = "\n\t" in above or "\n\t" in below or above.startswith("\t")
        starts = [at for at, token in enumerate(tokens) if is_newline(token)]
        return cls(
            above, below, tokens, _places(tokens), starts, middle, columns_above, columns_below, uses_tabs
        )


@frozen(slots=True)
class Cursor:
    """A buffer and the line that is being typed.

    `tokens` are the buffer's and those of the line, without the word that is being typed: that is `typed`, with the
    space before it.
    """

    buffer: Buffer
    tokens: list[str]
    line_places: Places
    typed: str
    #: Tokens of the line, from the newline token on.
    line: tuple[str, ...]
    #: Indentation of the line, in columns.
    columns: int
    #: What stands right of the cursor on its line.
    rest: str
    #: The line holds a secret, so that its tokens are not known.
    is_secret: bool

    @classmethod
    def at(cls, prefix: str, suffix: str, former: Buffer | None = None) -> Cursor:
        """Take apart the text before and after a cursor, with LF line ends.

        `former` is used again if only the cursor's line has changed. Of a line longer than MAX_LINE only the end
        before the cursor counts.
        """
        cut = prefix.rfind("\n") + 1
        above, before = prefix[:cut], prefix[cut:][-MAX_LINE:]
        rest, _, below = suffix.partition("\n")
        buffer = (
            former if former and former.above == above and former.below == below else Buffer.of(above, below)
        )
        columns = indentation(before)
        words = list(line_tokens(before))
        is_secret = bool(before.strip()) and not words
        typed = _typed(before, words)
        line = (newline(columns - buffer.columns_above), *words)
        start = len(buffer.tokens)
        return cls(
            buffer, [*buffer.tokens, *line], _places(line, start), typed, line, columns, rest, is_secret
        )

    @cached_property
    def following(self) -> tuple[str, ...]:
        """The first tokens after the cursor's line, its newline token seen from this line."""
        tokens, middle = self.buffer.tokens, self.buffer.middle
        if middle == 2:
            return (SEPARATOR,)
        return (newline(self.buffer.columns_below - self.columns), *tokens[2 : min(4, middle - 1)])

    def positions(self, word: str) -> Sequence[int]:
        """Return where `word` is in `tokens`."""
        here = self.line_places.get(word)
        places = self.buffer.places.get(word, ())
        return [*places, *here] if here else places

    def has_word(self, word: str) -> bool:
        """Return whether an identifier is in the buffer, with or without a space before it."""
        other = word[1:] if word[0] == " " else " " + word
        places = (self.buffer.places, self.line_places)
        return any(form in table for form in (word, other) for table in places)

    def distance(self, position: int) -> int:
        """Return how many tokens a position of `tokens` is from the cursor."""
        return position if position < self.buffer.middle else len(self.tokens) - position


class BufferMatches:
    """Where the context occurs in the buffer: position of the token after it -> tokens that agree, at most DEPTH."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        tokens, end = cursor.tokens, len(cursor.tokens)
        self.lengths = {
            at + 1: _agreement(tokens, at, end - 1) for at in cursor.positions(tokens[-1]) if at + 1 < end
        }

    def advance(self, word: str) -> None:
        """Go on to the context that ends with `word`."""
        former, end = self.lengths, len(self._cursor.tokens)
        self.lengths = {
            at + 1: min(former.get(at, 0) + 1, DEPTH) for at in self._cursor.positions(word) if at + 1 < end
        }


def _agreement(tokens: Sequence[str], at: int, last: int) -> int:
    length = 1
    while length < DEPTH and length <= at and tokens[at - length] == tokens[last - length]:
        length += 1
    return length


def _places(tokens: Sequence[str], start: int = 0) -> Places:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for position, token in enumerate(tokens, start):
        places[token].append(position)
    return dict(places)


def _last_columns(text: str) -> int:
    """Return the indentation of the last line of `text` that has tokens."""
    lines = reversed(text.split("\n"))
    return next((indentation(line) for line in lines if line_tokens(line)), 0)


def _typed(before: str, words: list[str]) -> str:
    """Take what is being typed off the end of the line's `words`: a word or number, and a space before it."""
    if not words:
        return ""
    if spaces := len(before) - len(before.rstrip()):
        if spaces > 1:
            words.append(before[-spaces:-1])
        return before[-1]
    return words.pop() if is_open(words[-1]) else ""
