"""The block of code that an answer fills: tells which lines belong to it, and which one closes it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from tabby_ls.engine.shaping.lines import indent_of
from tabby_ls.engine.shaping.place import Place


@frozen(slots=True)
class Block:
    """`depth` is the indentation of the line that `opened` it, or that nothing of it is less than.

    `ends_alone` is True where a brace on a line of its own closes it, as one opened it: then what goes on
    with it, such as `else`, stands below that brace. `item` is True for an item of a list. In the block of a whole
    definition, `inner` is the depth of the innermost one, beside which another one would begin.
    """

    place: Place
    depth: int
    opened: bool
    ends_alone: bool = False
    item: bool = False
    inner: int = -1

    @classmethod
    def opened_by(cls, line: str, place: Place) -> Block:
        """Return the block of a line that opens one."""
        return cls(
            place,
            indent_of(line),
            opened=True,
            ends_alone=line.strip() == "{",
            item=place.language.is_item(line),
        )

    def contains(self, line: str) -> bool:
        """Return whether `line` is content of the block, or goes on with it, as `else:` does."""
        depth = indent_of(line)
        if depth <= self.inner and self._begins_another(line):
            return False
        if depth != self.depth or not self.opened:
            return depth >= self.depth
        language = self.place.language
        if language.is_item(line):
            return not self.item
        if self.ends_alone and line.strip() == "{":
            return True
        return language.continues_block(line) and not self._is_below(language.continues_block)

    def _begins_another(self, line: str) -> bool:
        """Return whether `line`, beside a definition, belongs to the next one."""
        return (
            line.lstrip().startswith("@") or self.place.language.is_comment(line) or self.place.defines(line)
        )

    def leads_to_what_follows(self, line: str) -> bool:
        """Return whether the text that follows can stand below `line`: it is as deep, or `line` opens its block."""
        following = self.place.following
        if not line.strip():
            return False
        if self.inner < 0 or following is None or indent_of(following) <= indent_of(line):
            return True
        return self.place.language.opens_block(line)

    def is_closed_by(self, line: str) -> bool:
        """Return whether `line` closes the block, and the line below the cursor does not do so already."""
        closes = self.place.language.closes_block
        return self.opened and indent_of(line) == self.depth and closes(line) and not self._is_below(closes)

    def _is_below(self, kind: Callable[[str], bool]) -> bool:
        """Return whether the line below the cursor is of that kind, and no line of an enclosing block."""
        following = self.place.following
        return following is not None and indent_of(following) >= self.depth and kind(following)
