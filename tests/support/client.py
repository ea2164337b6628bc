"""The client under the played editor: pytest-lsp's, with the server's standard error and requests as objects."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest_lsp
from pygls.lsp.client import LanguageClient

from tests.support.waiting import SECONDS


class Ask:
    """A request under way; awaiting it gives the result, or raises the error."""

    def __init__(self, request_id: str, answer: asyncio.Future[Any]) -> None:
        self.id = request_id
        self.answer = answer

    @property
    def answered(self) -> bool:
        return self.answer.done()

    def __await__(self) -> Any:
        return asyncio.wait_for(asyncio.shield(self.answer), SECONDS).__await__()


class Client(pytest_lsp.LanguageClient):
    """pytest-lsp's client, which keeps the server's standard error instead of passing it on."""

    def __init__(self) -> None:
        super().__init__()
        self.stderr = bytearray()

    async def start_io(self, cmd: str, *args: Any, **options: Any) -> None:
        await LanguageClient.start_io(self, cmd, *args, **options)
        self._stderr_forwarder = asyncio.create_task(self._collect())

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._server is not None
        return self._server

    async def _collect(self) -> None:
        assert self.process.stderr is not None
        while data := await self.process.stderr.read(1 << 16):
            self.stderr += data

    async def ended(self) -> int:
        """Wait for the process and return its exit status."""
        async with asyncio.timeout(SECONDS):
            status = await self.process.wait()
            assert self._stderr_forwarder is not None
            await self._stderr_forwarder
            assert self.process.stdin is not None
            self.process.stdin.close()
            with suppress(ConnectionError):
                await self.process.stdin.wait_closed()
            return status

    def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
