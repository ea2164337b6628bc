"""Recorded exchanges, and a server that sends chosen bytes at chosen cuts."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tests.support.raw_http import read_request

FOLDER = Path(__file__).parent.parent / "wire" / "tabbyapi"


@frozen
class Recording:
    """One exchange. `end`: "complete", "eof" if the server broke off, or else the recorder did."""

    name: str
    status: int
    end: str
    response: bytes = field(repr=False)
    segments: tuple[bytes, ...] = field(repr=False)

    @property
    def is_stream(self) -> bool:
        return b"text/event-stream" in self.response

    @property
    def body(self) -> bytes:
        """The response's body without its framing."""
        head, _, rest = self.response.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" not in head:
            return rest
        body = b""
        while (size_line := rest.partition(b"\r\n"))[1]:
            size = int(size_line[0], 16)
            body += size_line[2][:size]
            rest = size_line[2][size + 2 :]
        return body


def load() -> dict[str, Recording]:
    recordings = {}
    for line in (FOLDER / "index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        response = (FOLDER / f"{entry['name']}.resp").read_bytes()
        segments, rest = [], response
        for _, size in entry["recv_segments"]:
            segments.append(rest[:size])
            rest = rest[size:]
        assert not rest
        recordings[entry["name"]] = Recording(
            entry["name"], entry["status"], entry["end"], response, tuple(segments)
        )
    return recordings


RECORDINGS = load()


@define
class Replay:
    """What came in at a replaying server."""

    url: str = ""
    connections: int = 0
    requests: list[tuple[str, str, dict[str, str], Any]] = field(factory=list)


@asynccontextmanager
async def replaying(
    *answers: Sequence[bytes],
    then: str = "keep",
    pause: float = 0,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Replay]:
    """Serve `answers` in turn, the last one again and again; each is sent piece by piece.

    `then`: "keep" the connection for a further request, "close" it, or "hang" until the client goes. An
    empty answer closes the connection without a byte.
    """
    replay = Replay()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        replay.connections += 1
        try:
            with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
                while True:
                    replay.requests.append(await read_request(reader))
                    pieces = answers[min(len(replay.requests), len(answers)) - 1]
                    for piece in pieces:
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(pause)
                    if then == "hang":
                        await reader.read()
                    if then != "keep" or not pieces:
                        break
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    name = f"[{host}]" if ":" in host else host
    replay.url = f"http{'s' * bool(tls)}://{name}:{server.sockets[0].getsockname()[1]}"
    try:
        yield replay
    finally:
        server.close()
        running = [t for t in asyncio.all_tasks() if getattr(t.get_coro(), "__name__", "") == "serve"]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
