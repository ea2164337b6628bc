"""Just enough HTTP/1.1 to send the exact bytes that a real server was recorded to send."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class HTTPError(Exception):
    """Ends a request with this status; a str body goes out as plain text, anything else as JSON."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class WatchedReader(asyncio.StreamReader):
    """Tells at once that the other side has gone, without reading ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.closed.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.closed.set()


def head(status: int, *lines: str) -> bytes:
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    first = (f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}", f"date: {date}", "server: uvicorn")
    return "\r\n".join([*first, *lines, "\r\n"]).encode("latin-1")


async def send_whole(writer: asyncio.StreamWriter, status: int, body: Any, *lines: str) -> None:
    """Send an answer in one piece, with further header lines."""
    if isinstance(body, str):
        kind, raw = "text/plain; charset=utf-8", body.encode()
    else:
        kind = "application/json"
        raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    first = head(status, f"content-length: {len(raw)}", f"content-type: {kind}", "vary: Origin", *lines)
    writer.write(first + raw)
    await writer.drain()


async def send_data(writer: asyncio.StreamWriter, data: str) -> None:
    await send_event(writer, f"data: {data}")


async def send_event(writer: asyncio.StreamWriter, line: str) -> None:
    raw = f"{line}\r\n\r\n".encode()
    writer.write(b"%x\r\n%b\r\n" % (len(raw), raw))
    await writer.drain()


async def read_request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], Any]:
    """Read the next request: method, path, headers (lower case; a repeated one joined by commas), body."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    method, path, _ = first.split(" ")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    try:
        return method, path, headers, json.loads(raw) if raw else None
    except ValueError:
        return method, path, headers, raw
