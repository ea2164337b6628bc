"""Text that others wrote (servers, projects, editors), made fit for a terminal or a message."""

from __future__ import annotations

import re

#: Control characters, of which terminals take some for commands, and marks that reorder what is shown (Unicode TR 36).
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return `text` with what is not to be printed written out, as in `\x1b`; line ends and tabs stay."""
    return _UNFIT.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
