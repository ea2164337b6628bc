"""A client over a byte stream, and the plain server's process to talk to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from tabby_ls.server.framing import Unframer, frame
from tests.support.waiting import SECONDS


def message(method: str, params: Any = None, msg_id: int | None = None) -> bytes:
    """A framed request, or a notification if it has no id."""
    content = {"jsonrpc": "2.0", "method": method, "params": params}
    return frame(json.dumps(content if msg_id is None else {**content, "id": msg_id}).encode())


class RpcClient:
    """Sends requests and waits for their answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._unframer = Unframer()
        self._answers: list[dict[str, Any]] = []
        self._last_id = 0

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> dict[str, Any]:
        """The next message from the server."""
        while not self._answers:
            data = await asyncio.wait_for(self._reader.read(1 << 18), SECONDS)
            if not data:
                raise EOFError
            self._answers += [json.loads(body) for body in self._unframer.feed(data)]
        return self._answers.pop(0)

    async def request(self, method: str, params: Any = None) -> Any:
        """The result of a request; nothing else may be sent by the server meanwhile."""
        self._last_id += 1
        await self.send(message(method, params, self._last_id))
        answer = await self.answer()
        assert answer["id"] == self._last_id
        return answer["result"]

    async def initialize(self, **params: Any) -> Any:
        return await self.request("initialize", {"capabilities": {}, **params})

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class PlainServer(RpcClient):
    """The plain server as a process, over its stdio; over its stderr for the other transports."""

    def __init__(self, process: Any) -> None:
        super().__init__(process.stdout, process.stdin)
        self.process = process

    async def exit_status(self) -> int:
        return await asyncio.wait_for(self.process.wait(), SECONDS)

    async def stderr(self) -> str:
        return (await self.process.stderr.read()).decode()

    async def port(self) -> int:
        """The port it says it listens on."""
        line = await asyncio.wait_for(self.process.stderr.readline(), SECONDS)
        return int(line.decode().rsplit(":", 1)[1])


@contextlib.asynccontextmanager
async def plain_server(mode: str, **streams: Any) -> AsyncIterator[PlainServer]:
    """Run the plain server, and end it."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.plain_server", mode, **{**pipes, **streams}
    )
    try:
        yield PlainServer(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
