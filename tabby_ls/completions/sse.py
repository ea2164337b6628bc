"""A reader of server-sent events: bytes in, the payloads of `data:` lines out.

Every `data:` line is an event of its own: that is how completion servers write them, and it gives an event
out before the blank line after it has come. Comments, blank lines and other fields are skipped.
"""

from __future__ import annotations

from tabby_ls.completions.lines import LineParser


class SSEParser(LineParser):
    """Takes server-sent events apart."""

    def payload(self, line: bytes) -> bytes | None:
        """Return the value of a `data:` line."""
        return line[5:].removeprefix(b" ") if line.startswith(b"data:") else None
