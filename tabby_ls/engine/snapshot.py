"""What the engine is asked about: the text around one cursor at one version of one document.

Text in here has LF line ends only, whatever the document uses; `line_ending` says what to give back.
"""

from __future__ import annotations

from functools import cached_property

from attrs import evolve, frozen


@frozen(slots=True)
class Snapshot:
    """An immutable view of a document from its cursor.

    `prefix` and `suffix` are windows: up to some tens of thousands of characters before and after the
    cursor, cut at line starts. `line` counts from 0 and is the cursor's line in the whole document.
    """

    uri: str
    version: int
    language: str
    line: int
    prefix: str
    suffix: str
    line_ending: str = "\n"

    @cached_property
    def line_prefix(self) -> str:
        """The cursor's line up to the cursor."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @cached_property
    def line_suffix(self) -> str:
        """The cursor's line from the cursor on, without its line end."""
        end = self.suffix.find("\n")
        return self.suffix if end < 0 else self.suffix[:end]

    @cached_property
    def following(self) -> str:
        """The text below the cursor's line; empty on the last line."""
        end = self.suffix.find("\n")
        return "" if end < 0 else self.suffix[end + 1 :]

    @property
    def first_line(self) -> int:
        """The number, counted from 0, of the line the window's prefix begins with."""
        return self.line - self.prefix.count("\n")


@frozen(slots=True)
class Suggestion:
    """An edit at a snapshot's cursor: insert `text`, replacing the next `replaces` characters.

    The replaced characters are on the cursor's line, and `text` ends with them: applying a suggestion
    never loses a character of the user's. `text` has LF line ends.
    """

    text: str
    replaces: int = 0


def accepted(snapshot: Snapshot, suggestion: Suggestion) -> Snapshot:
    """Return the state of the document once `suggestion` was accepted."""
    return evolve(
        snapshot,
        version=snapshot.version + 1,
        line=snapshot.line + suggestion.text.count("\n"),
        prefix=snapshot.prefix + suggestion.text,
        suffix=snapshot.suffix[suggestion.replaces :],
    )
