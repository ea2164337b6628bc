"""What the benches share: a server's process, the messages an editor sends it, and order statistics."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from attrs import frozen

from tabby_ls.server.framing import frame
from tests.support.rpc import RpcClient, message


@frozen
class Usage:
    """What a process uses (Linux)."""

    pid: int

    @property
    def resident_mb(self) -> float:
        """Megabytes of memory in use."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def processor_seconds(self) -> float:
        """Seconds of processor time used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def descriptors(self) -> int:
        """How many files and connections are open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


class Process(RpcClient):
    """A server's process, and a client of it that answers what the server asks with null."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        super().__init__(process.stdout, process.stdin)
        self.usage = Usage(process.pid)

    async def answer(self) -> dict[str, object]:
        """The next response."""
        while True:
            received = await super().answer()
            if "method" not in received:
                return received
            if "id" in received:
                params = received.get("params") or {}
                items = [None] * len(params.get("items", ())) if isinstance(params, dict) else None
                await self.send(
                    response(received["id"], items if "configuration" in received["method"] else None)
                )

    async def responses(self, count: int) -> None:
        """Wait for so many responses."""
        for _ in range(count):
            await self.answer()


def response(number: object, result: object) -> bytes:
    """A framed response."""
    return frame(json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode())


@contextlib.asynccontextmanager
async def running(command: Sequence[str], **environment: str) -> AsyncIterator[Process]:
    """A server process and a client of it. Modules are compiled once, as they are where a package is installed."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**inherited, "TABBY_LS_CONFIG": os.devnull, "TABBY_LS_STATS": "false", **environment},
    )
    try:
        yield Process(process)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it may have ended just now
            process.kill()
        await process.wait()


def opened(uri: str, text: str) -> bytes:
    """A didOpen notification."""
    document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    return message("textDocument/didOpen", {"textDocument": document})


def closed(uri: str) -> bytes:
    """A didClose notification."""
    return message("textDocument/didClose", {"textDocument": {"uri": uri}})


def typed(uri: str, version: int, line: int, character: int, text: str) -> bytes:
    """A didChange notification that inserts `text`."""
    point = {"line": line, "character": character}
    change = {"range": {"start": point, "end": point}, "text": text}
    return message(
        "textDocument/didChange",
        {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]},
    )


def inline(uri: str, line: int, character: int, *, invoked: bool = False) -> dict[str, object]:
    """The parameters of an inline completion request."""
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 1 if invoked else 2},
    }


def menu(uri: str, line: int, character: int) -> dict[str, object]:
    """The parameters of a menu request, as sent while typing."""
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 1},
    }


def at(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
