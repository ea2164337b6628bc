"""A reader of streamed lines: bytes in, the payloads of complete lines out. As it stands it reads NDJSON.

Lines end at LF alone. JSON may hold U+2028 and U+0085 as they are, at which `str.splitlines` and the line
iterators of HTTP libraries would cut it.
"""

from __future__ import annotations

#: Longest line in bytes. A chunk with log-probabilities has some thousands.
MAX_LINE = 1 << 20


class LineTooLongError(ValueError):
    """A line is longer than the limit."""


class LineParser:
    """Feed it bytes in any segmentation; it holds at most one line of `max_line` bytes."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._partial = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payloads of the lines that `data` completes. Raises :class:`LineTooLongError`."""
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

    def payload(self, line: bytes) -> bytes | None:
        """Return what a line says, None if nothing. Here, all of it."""
        return line or None

    def _hold(self, piece: bytes) -> None:
        if len(self._partial) + len(piece) > self._max_line:
            raise LineTooLongError(f"a line of the stream is longer than {self._max_line} bytes")
        self._partial += piece

    def _take_line(self) -> bytes | None:
        line = bytes(self._partial).removesuffix(b"\r")
        self._partial.clear()
        return self.payload(line)
