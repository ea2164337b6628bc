"""Memory and processor time of a session, beside tabby-agent's; and of a stream that is as fast as streams get."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from tests.bench.driver import Usage, inline, menu, opened, running, typed
from tests.bench.rows import Row
from tests.bench.tabby_agent import TabbyServer, fetch_tabby_agent, tabby_agent
from tests.support.rpc import RpcClient, message
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

_TEXT = "def total(prices):\n    return sum(prices)\n\n\n" * 60
_LINE = "result = self.compute_total(items, key=1)"
#: Seconds between keys: as fast as people type. An hour of them is not waited for: so many are pressed.
_PAUSE, _KEYS = 0.08, 120
_STREAM_SECONDS = 3.0

Ask = Callable[[RpcClient, int], Awaitable[None]]


async def measure(keys: int = _KEYS) -> list[Row]:
    """Return the rows about memory and processor time. Linux only: they are read from /proc."""
    if not Path("/proc/self/statm").exists():
        return []
    idle, after, spent = await _ours(keys)
    rows = []
    agent = fetch_tabby_agent()
    if isinstance(agent, Path):
        their_idle, their_after, their_spent = await _agents(agent, keys)
        rows = [
            Row("resident memory, idle", idle, "MB", their_idle, "tabby-agent", 0.8),
            Row("resident memory after typing", after, "MB", their_after, "tabby-agent", 0.8),
            Row("processor time of a keystroke", spent * 1e3, "ms", their_spent * 1e3, "tabby-agent", 1.0),
        ]
    share = await _stream()
    return [*rows, Row("a core's share at 1,000 tokens a second", share * 100, "%", at_most=15)]


async def _ours(keys: int) -> tuple[float, float, float]:
    with ScriptedTabbyAPI() as model:
        model.reply("result = compute(1)\n", delay_before_first=0.05)
        async with running((sys.executable, "-m", "tabby_ls"), TABBY_LS_BACKEND_URL=model.url) as client:
            await client.initialize(processId=os.getpid())
            await client.send(message("initialized", {}))

            async def ask(client: RpcClient, column: int) -> None:
                await client.send(
                    message("textDocument/inlineCompletion", inline(_URI, _ROW, column), column)
                )

            return await _type(client, client.usage, ask, keys)


async def _agents(package: Path, keys: int) -> tuple[float, float, float]:
    server = TabbyServer(lambda prefix, suffix: "result = compute(1)\n", seconds_to_first=0.05)
    async with server, tabby_agent(package, server) as client:

        async def ask(client: RpcClient, column: int) -> None:
            await client.send(message("textDocument/completion", menu(_URI, _ROW, column), column))

        return await _type(client, Usage(client.pid), ask, keys)


_URI, _ROW = "file:///typed.py", _TEXT.count("\n")


async def _type(client: RpcClient, process: Usage, ask: Ask, keys: int) -> tuple[float, float, float]:
    """Megabytes before and after typing, and processor seconds for each key."""
    await client.send(opened(_URI, f"{_TEXT}\n\nx = 1\n"))
    await asyncio.sleep(3)
    idle, before = process.resident_mb, process.processor_seconds
    reading = asyncio.create_task(_read(client))
    for number in range(keys):
        key = _LINE[number % len(_LINE)]
        await client.send(typed(_URI, number + 2, _ROW, number, key))
        await ask(client, number + 1)
        await asyncio.sleep(_PAUSE)
    await asyncio.sleep(1)
    spent = (process.processor_seconds - before) / keys
    reading.cancel()
    await asyncio.wait({reading})
    return idle, process.resident_mb, spent


async def _read(client: RpcClient) -> None:
    while True:
        await client.answer()


async def _stream() -> float:
    """The share of a core that reading a stream of 1,000 tokens a second takes.

    It is as long as streams get: the body of a function, which is read on until it is too long for a suggestion. Then
    another one is asked for, elsewhere. All that the process does meanwhile counts.
    """
    with ScriptedTabbyAPI() as model:
        environment = {"TABBY_LS_BACKEND_URL": model.url, "TABBY_LS_MAX_TOKENS": "8192"}
        async with running((sys.executable, "-m", "tabby_ls"), **environment) as client:
            await client.initialize()
            await client.send(message("initialized", {}))
            await asyncio.sleep(2)
            model.reply(lambda _: _body(), delay_between=0.001)
            before, began, number = client.usage.processor_seconds, time.monotonic(), 0
            while time.monotonic() - began < _STREAM_SECONDS:
                number += 1
                uri = f"file:///{number}.py"
                await client.send(opened(uri, "def f():\n    \n"))
                await client.request("textDocument/inlineCompletion", inline(uri, 1, 4))
                await eventually(lambda: model.completions[-1].ended)
            pieces = sum(one.pieces_sent for one in model.completions)
            spent = client.usage.processor_seconds - before
            return spent / pieces * 1000


def _body() -> Iterator[str]:
    """Tokens of four characters, ten a line."""
    for number in range(10**6):
        line = f"    value_{number:04} = compute(first, secnd)\n"
        yield from (line[start : start + 4] for start in range(0, len(line), 4))


if __name__ == "__main__":
    from tests.bench.rows import print_table

    print_table(asyncio.run(measure()))
