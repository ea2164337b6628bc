"""Another completion engine to measure ourselves against: tabby-agent (npm), and the server it wants to talk to.

    async with TabbyServer(lambda prefix, suffix: "return a + b\\n") as server:
        async with tabby_agent(fetch_tabby_agent(), server) as client:
            list_ = await client.request("textDocument/completion", ...)
        server.completions  # what it asked for, and what became of it

tabby-agent speaks `textDocument/completion` only, and needs Tabby's own HTTP API, which is imitated here: it gets
one JSON answer, cut by the server at stop words and after 64 tokens.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from attrs import define
from platformdirs import user_cache_path

from tabby_ls.server.framing import frame
from tests.support.raw_http import WatchedReader, read_request, send_whole
from tests.support.rpc import RpcClient, message

VERSION = "1.5.0"
#: What the server answers about itself.
_HEALTH = {
    "model": "scripted",
    "chat_model": None,
    "device": "cpu",
    "arch": "x86_64",
    "cpu_info": "",
    "cpu_count": 1,
    "cuda_devices": [],
    "version": {
        "build_date": "2024-01-01",
        "build_timestamp": "2024-01-01T00:00:00Z",
        "git_sha": "0" * 40,
        "git_describe": "v0.13.0",
    },
}
#: Where Tabby's server stops, by default: a blank line, indented or not, and in Python a comment or a new
#: definition at the left margin. It has a token limit as well (`max_decoding_tokens`).
STOP_WORDS = re.compile(r"\n[ \t]*\n|\n(?:#|def\b|from\b|class\b|import\b)")
MAX_TOKENS = 64
#: Configuration in which the agent asks at once.
DEBOUNCE_OFF = '[completion.debounce]\nmode = "fixed"\ninterval = 0\n'
_CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"workspaceFolders": True},
    "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}},
}
_TOKEN = re.compile(r" ?\w+|\s+|[^\w\s]")


@define(eq=False)
class TabbyCompletion:
    """A completion as it was asked for, and what became of it. Times are monotonic."""

    prefix: str
    suffix: str
    asked_at: float
    answered_at: float = 0.0
    tokens: int = 0
    ended: Literal["complete", "closed by client"] | None = None


class TabbyServer:
    """The imitated server: `answer` gets the text before and after the cursor and returns what the model writes.

    Tokens come at the given speed, and one at a time, so that `TabbyCompletion.tokens` is what a real server
    would have generated until its client went away. `answer` and the times may be changed between requests.
    """

    def __init__(
        self,
        answer: Callable[[str, str], str],
        *,
        seconds_to_first: float = 0,
        seconds_per_token: float = 0,
        stop_words: re.Pattern[str] | None = STOP_WORDS,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        self.answer = answer
        self.seconds_to_first = seconds_to_first
        self.seconds_per_token = seconds_per_token
        self.stop_words = stop_words
        self.max_tokens = max_tokens
        self.completions: list[TabbyCompletion] = []
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> TabbyServer:
        loop = asyncio.get_running_loop()

        def listen() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(WatchedReader(), self._serve)

        self._listener = await loop.create_server(listen, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, WatchedReader)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    _, path, _, body = await read_request(reader)
                    await self._reply(path, body, reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _reply(self, path: str, body: Any, reader: WatchedReader, writer: asyncio.StreamWriter) -> None:
        if path == "/v1/completions":
            segments = body["segments"]
            asked = TabbyCompletion(segments["prefix"], segments.get("suffix") or "", time.monotonic())
            self.completions.append(asked)
            text = await self._generate(asked, reader)
            if text is not None:
                number = len(self.completions)
                choices = [{"index": 0, "text": text}]
                await send_whole(writer, 200, {"id": f"cmpl-{number}", "choices": choices})
                asked.answered_at = time.monotonic()
        elif path == "/v1/health":
            await send_whole(writer, 200, _HEALTH)
        elif path == "/v1beta/server_setting":
            await send_whole(writer, 200, {"disable_client_side_telemetry": True})
        else:
            await send_whole(writer, 200, {})

    async def _generate(self, asked: TabbyCompletion, reader: WatchedReader) -> str | None:
        """Return the whole answer, None if the client closed the connection meanwhile."""
        text = ""
        for token in _TOKEN.findall(self.answer(asked.prefix, asked.suffix))[: self.max_tokens]:
            pause = self.seconds_per_token if asked.tokens else self.seconds_to_first
            if pause:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.closed.wait(), pause)
            if reader.closed.is_set():
                asked.ended = "closed by client"
                return None
            asked.tokens += 1
            text += token
            if self.stop_words is not None and (stop := self.stop_words.search(text)):
                text = text[: stop.start()]
                break
        asked.ended = "complete"
        return text


def fetch_tabby_agent() -> Path | str:
    """Return the folder of the package, fetched with npm on first use; or the reason why it cannot be had."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "there is no Node.js on this machine"
    folder = user_cache_path("tabby-ls") / "bench" / f"tabby-agent-{VERSION}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
            command = [npm, "install", "--prefix", fresh, "--ignore-scripts", "--no-audit", "--no-fund"]
            fetched = subprocess.run(
                [*command, f"tabby-agent@{VERSION}"], capture_output=True, text=True, timeout=300, check=False
            )
            if fetched.returncode:
                return f"npm could not fetch it: {fetched.stderr.strip()[-200:]}"
            with contextlib.suppress(OSError):  # another run was faster
                (Path(fresh) / "node_modules").rename(folder)
    return folder


class AgentClient(RpcClient):
    """Answers what the agent asks (with null) and drops what it notifies of."""

    pid = 0

    async def request(self, method: str, params: Any = None) -> Any:
        self._last_id += 1
        sent = self._last_id
        await self.send(message(method, params, sent))
        while True:
            answer = await self.answer()
            if "method" not in answer and answer.get("id") == sent:
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer.get("result")

    async def answer(self) -> dict[str, Any]:
        """The next answer or notification from the agent."""
        while True:
            received = await super().answer()
            if "method" not in received or "id" not in received:
                return received
            null = {"jsonrpc": "2.0", "id": received["id"], "result": None}
            await self.send(frame(json.dumps(null).encode()))


@contextlib.asynccontextmanager
async def tabby_agent(
    package: Path, server: TabbyServer, configuration: str = ""
) -> AsyncIterator[AgentClient]:
    """Run the agent against `server` in a home folder of its own; further `configuration` is TOML.

    It yields once the agent answers completions. By default it waits between keys (adaptively, 100 ms to 1 s);
    `DEBOUNCE_OFF` ends that.
    """
    with tempfile.TemporaryDirectory(prefix="tabby-agent-") as home:
        settings = Path(home) / ".tabby-client" / "agent" / "config.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(
            f'[server]\nendpoint = "{server.url}"\n[logs]\nlevel = "silent"\n'
            f"[anonymousUsageTracking]\ndisable = true\n{configuration}",
            "utf-8",
        )
        process = await asyncio.create_subprocess_exec(
            "node",
            str(package / "tabby-agent" / "dist" / "cli.js"),
            "--lsp",
            "--stdio",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "HOME": home, "USERPROFILE": home, "NO_PROXY": "127.0.0.1"},
        )
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            client = AgentClient(process.stdout, process.stdin)
            client.pid = process.pid
            await client.initialize(
                processId=None, rootUri=None, workspaceFolders=None, capabilities=_CAPABILITIES
            )
            await client.send(message("initialized", {}))
            await _until_ready(client, server)
            yield client
        finally:
            process.kill()
            await process.wait()


async def _until_ready(client: AgentClient, server: TabbyServer) -> None:
    """Ask until the agent has found its server; what it asked the server meanwhile is forgotten."""
    answer, server.answer = server.answer, lambda prefix, suffix: "ready"
    uri = "file:///ready.py"
    document = {"uri": uri, "languageId": "python", "version": 1, "text": "x = "}
    await client.send(message("textDocument/didOpen", {"textDocument": document}))
    try:
        for _ in range(100):
            with contextlib.suppress(RuntimeError):
                where = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 4}}
                if items_of(await client.request("textDocument/completion", where)):
                    return
            await asyncio.sleep(0.1)
    finally:
        server.answer = answer
        server.completions.clear()
        await client.send(message("textDocument/didClose", {"textDocument": {"uri": uri}}))
    raise RuntimeError("tabby-agent does not answer")


def items_of(result: Any) -> list[Any]:
    """The items of an answer to `textDocument/completion`."""
    return (result.get("items") if isinstance(result, dict) else result) or []
