"""The text around one cursor as the shaping rules see it: its language, its line, and the lines above and below."""

from __future__ import annotations

from functools import cached_property, lru_cache
from itertools import islice

from attrs import frozen

from tabby_ls.engine.shaping.brackets import CLOSERS
from tabby_ls.engine.shaping.lines import indent_of, lines_upwards, text_lines
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.languages import Language, language_named

#: Lines above the cursor in which the line is looked for that opens its block, or its definition: few are longer.
_REACH = 200
#: Lines below it that an answer is compared with: the first may be there by chance.
_BELOW = 2
#: Characters before the cursor in which a fence says that Markdown is written here, as in a doc comment.
_FENCES_NEAR = 4096
#: Words that begin a line whose block is part of a definition rather than one. Common to all languages.
_CONTROL = frozenset(
    [
        "if",
        "elif",
        "elsif",
        "elseif",
        "else",
        "unless",
        "for",
        "foreach",
        "while",
        "until",
        "loop",
        "do",
        "repeat",
        "switch",
        "select",
        "match",
        "case",
        "when",
        "default",
        "try",
        "catch",
        "except",
        "rescue",
        "finally",
        "ensure",
        "with",
        "using",
        "lock",
        "begin",
        "then",
        "synchronized",
        "async",
        "await",
        "return",
        "yield",
        "in",
        "and",
        "or",
        "let",
        "guard",
        "defer",
    ]
)
#: What opens and closes a doc string in Python.
_DOC_STRINGS = ('"""', "'''")


@frozen(eq=False, slots=True)
class Place:
    """The surroundings of one cursor.

    `before` and `rest` are the two parts of the cursor's line. `is_above` is True if the cursor stands
    before the text of its line, so that whole lines may be put above it: that text then counts as the first
    of the lines `below`, the first lines of text that follow.
    """

    language: Language
    before: str
    rest: str
    is_above: bool
    below: tuple[str, ...]
    snapshot: Snapshot

    @property
    def following(self) -> str | None:
        """The first line of text that follows, None if there is none near."""
        return self.below[0] if self.below else None

    @property
    def has_fences(self) -> bool:
        """Whether text in Markdown is written here, so that a fence is no accident."""
        return self.language.prose or "```" in self.snapshot.prefix[-_FENCES_NEAR:]

    def is_empty_block_of(self, line: str) -> bool:
        """Return whether `line`, on or above the cursor's line, opens a block that has no content yet."""
        if not self.language.opens_block(line):
            return False
        following = self.following
        if following is None or indent_of(following) < indent_of(line):
            return True
        # YAML may write the items of a list no deeper than the key that they belong to.
        has_items = self.language.is_item(following) and not self.language.is_item(line)
        return indent_of(following) == indent_of(line) and not has_items

    @cached_property
    def opener_above(self) -> str | None:
        """The line above the cursor's that opens a block which has nothing but comments yet."""
        quotes = ""
        for line in self.lines_above:
            text = line.strip()
            if quotes:
                quotes = "" if text.startswith(quotes) else quotes
            elif text.endswith(_DOC_STRINGS):
                alone = text.startswith(text[-3:]) and len(text) >= 6
                quotes = "" if alone else text[-3:]
            elif text and not self.language.is_comment(line):
                return line if self.is_empty_block_of(line) else None
        return None

    @lru_cache(maxsize=8)  # noqa: B019 - it keeps no more places than `place_of` does, for about as long
    def definitions(self, depth: int, *, below: bool) -> tuple[int, int]:
        """Return the indentation of the outermost and of the innermost definition that a line of `depth` is in.

        It is the cursor's own line, or one `below` it. -1 if it is in none.
        """
        outer = inner = -1
        for line in (self.before, *self.lines_above) if below else self.lines_above:
            if not line.strip() or indent_of(line) >= depth or self.language.is_comment(line):
                continue
            depth = indent_of(line)
            if self.defines(line):
                outer, inner = depth, depth if inner < 0 else inner
            if depth == 0:
                break
        return outer, inner

    def defines(self, line: str) -> bool:
        """Return whether `line` opens a definition: a block that is not just a branch or a loop."""
        words = line.lstrip(" \t)]}").split(None, 1)
        return (
            bool(words) and self.language.opens_block(line) and words[0].rstrip(":({").lower() not in _CONTROL
        )

    @cached_property
    def lines_above(self) -> tuple[str, ...]:
        """Lines above the cursor's, from the last one up, as far as rules look."""
        end = len(self.snapshot.prefix) - len(self.before)
        return tuple(islice(lines_upwards(self.snapshot.prefix, end), _REACH))


def is_above(snapshot: Snapshot) -> bool:
    """Return whether the cursor stands before the text of its line, so that lines may be put above it."""
    return not snapshot.line_prefix.strip(" \t") and not only_closers(snapshot.line_suffix)


def only_closers(text: str) -> bool:
    """Return whether `text` is nothing but what editors close by themselves, and punctuation after it."""
    return all(char in CLOSERS or char in ":;, \t" for char in text)


@lru_cache(maxsize=4)
def place_of(snapshot: Snapshot) -> Place:
    """Return the place of `snapshot`'s cursor; asked for with every piece of an answer."""
    above = is_above(snapshot)
    rest = snapshot.line_suffix
    following = f"{snapshot.line_prefix}{snapshot.suffix}" if above else snapshot.following
    return Place(
        language=language_named(snapshot.language),
        before=snapshot.line_prefix,
        rest=rest,
        is_above=above,
        below=tuple(islice(text_lines(following), _BELOW)),
        snapshot=snapshot,
    )
