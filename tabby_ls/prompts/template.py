"""A text template with named places, filled in one pass so that text put in is never read as template."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

_PLACE = re.compile(r"\{([a-z_]+)\}")


@frozen
class Template:
    """A text with places such as `{prefix}`.

    `parts` alternates literals and names: literal, name, literal, ..., literal.
    """

    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Split `text` at its places."""
        return cls(tuple(_PLACE.split(text)))

    @property
    def literals(self) -> tuple[str, ...]:
        """The text between the places."""
        return self.parts[::2]

    @property
    def places(self) -> tuple[str, ...]:
        """The names of the places, in order."""
        return self.parts[1::2]

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with every place replaced by its value. A missing value raises KeyError."""
        return "".join(values[part] if index % 2 else part for index, part in enumerate(self.parts))
