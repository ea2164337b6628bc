"""A reader of server-sent events: bytes in, the payloads of `data:` lines out.

Lines end at LF alone. JSON may hold U+2028 and U+0085 as they are, at which `str.splitlines` and the line
iterators of HTTP libraries would cut it. Every `data:` line is an event of its own: that is how completion
servers write them, and it gives an event out before the blank line after it has come.
"""

from __future__ import annotations

#: Longest line in bytes. A chunk with log-probabilities has some thousands.
MAX_LINE = 1 << 20


class LineTooLongError(ValueError):
    """A line is longer than the limit."""


class SSEParser:
    """Feed it bytes in any segmentation; it holds at most one line of `max_line` bytes."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._partial = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payloads of the `data:` lines that `data` completes.

        Comments, blank lines and other fields are skipped. Raises :class:`LineTooLongError`.
        """
        payloads = []
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._hold(data[start:end])
            payload = self._take_line()
            if payload is not None:
                payloads.append(payload)
            start = end + 1
        self._hold(data[start:])
        return payloads

    def close(self) -> list[bytes]:
        """Return what the last line, which no LF ends, holds. To be called at the end of the body."""
        payload = self._take_line()
        return [] if payload is None else [payload]

    def _hold(self, piece: bytes) -> None:
        if len(self._partial) + len(piece) > self._max_line:
            raise LineTooLongError(f"a line of the stream is longer than {self._max_line} bytes")
        self._partial += piece

    def _take_line(self) -> bytes | None:
        line = bytes(self._partial).removesuffix(b"\r")
        self._partial.clear()
        if not line.startswith(b"data:"):
            return None
        return line[5:].removeprefix(b" ")
