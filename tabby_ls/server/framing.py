"""Cuts a byte stream into messages: the base protocol's `Content-Length` header and body (LSP 3.17, "Base Protocol").

Pure: bytes in, bodies out. Lenient, because one broken frame must not end a session: header fields come in any
case, order and number, with CRLF or bare LF, and after a frame that cannot be understood the next header is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_HEADER = 16 * 1024
MAX_BODY = 1 << 30

_HEADER_END = re.compile(rb"\r?\n\r?\n")
# Not tied to the line's start: what is left of a body that was announced too short has no line end of its own.
_CONTENT_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*(\d+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def frame(body: bytes) -> bytes:
    """A body with the header that announces it."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Unframer:
    """Collects bytes until they make whole bodies."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes as they arrive and yield the bodies they complete.

        A header without a usable length yields an empty body: no message, so that its reader can say so.
        """
        self._buffer += data
        while True:
            if self._length is None:
                header = self._take_header()
                if header is None:
                    return
                if not header.strip():
                    continue
                self._length = _content_length(header)
            if len(self._buffer) < self._length:
                return
            body = bytes(memoryview(self._buffer)[: self._length])
            del self._buffer[: self._length]
            self._length = None
            yield body

    def _take_header(self) -> bytes | None:
        """The next header block; none while its end has not arrived."""
        found = _HEADER_END.search(self._buffer)
        if found:
            start, end = found.span()
        elif len(self._buffer) > MAX_HEADER:
            start = end = len(self._buffer) // 2  # not a header: drop some, keep what may begin one
        else:
            return None
        del found  # it locks the buffer
        header = bytes(self._buffer[:start])
        del self._buffer[:end]
        return header


def _content_length(header: bytes) -> int:
    """The length a header block gives, the last one if there are several; 0 if none is usable."""
    lengths = _CONTENT_LENGTH.findall(header)
    length = int(lengths[-1][:20]) if lengths else 0
    return length if length <= MAX_BODY else 0
