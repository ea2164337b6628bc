"""What a request takes that is ours: a trivial round trip, and an answer beyond the backend's first usable line."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.driver import Process, at, closed, inline, menu, opened, running, typed
from tests.bench.rows import Row
from tests.bench.tabby_agent import DEBOUNCE_OFF, TabbyServer, fetch_tabby_agent, tabby_agent
from tests.support.rpc import RpcClient, message
from tests.support.tabbyapi import ScriptedTabbyAPI

#: Seconds until the backend begins to write. What it really takes is measured, not this: each contender has a server
#: of its own, and both are in this process.
_BACKEND_SECONDS = 0.05
_LINE = "    value = compute(argument, other)\n"
#: 5 KB, and a large file.
_SMALL, _LARGE = 150, 20_000
_ROUND_TRIPS = 1000
#: Seconds between opening a file and the key that is measured: what is done once for a file is not asked about here.
#: There is one file at a time.
_AFTER_OPENING = 0.6


async def measure(runs: int) -> list[Row]:
    """Return the rows about requests."""
    stock, own = await _round_trip("stock"), await _round_trip("stdio")
    rows = [Row("trivial round trip over stdio, p50", own * 1e3, "ms", stock * 1e3, "stock pygls", 0.4)]
    small, remembered = await _ours(_SMALL, runs)
    large, _ = await _ours(_LARGE, runs)
    agent = fetch_tabby_agent()
    if isinstance(agent, Path):
        theirs = await _agents(agent, _SMALL, runs)
        rows.append(
            Row("answer beyond the backend's, 5 KB, p50", small * 1e3, "ms", theirs * 1e3, "tabby-agent", 0.6)
        )
    rows.append(
        Row("answer beyond the backend's, 20,000 lines, p50", large * 1e3, "ms", small * 1e3, "5 KB", 1.2)
    )
    rows.append(Row("answer from memory, p50", at(remembered, 0.5) * 1e3))
    rows.append(Row("answer from memory, p99", at(remembered, 0.99) * 1e3, at_most=10))
    return rows


async def _round_trip(mode: str) -> float:
    """The median of a request that does nothing, in seconds."""
    async with running((sys.executable, "-m", "tests.support.plain_server", mode)) as client:
        await client.initialize()
        spent = []
        for _ in range(_ROUND_TRIPS):
            began = time.perf_counter()
            await client.request("test/echo", None)
            spent.append(time.perf_counter() - began)
    return at(spent, 0.5)


async def _ours(lines: int, runs: int) -> tuple[float, Sequence[float]]:
    """Seconds beyond the backend's own (median), and of answers from memory."""
    asked, remembered = [], []
    written_at = 0.0

    def line(_: str) -> Iterator[str]:
        nonlocal written_at
        yield from ("esult", " = ", "compute", "(", "1", ")", "\n")
        written_at = time.monotonic()

    with ScriptedTabbyAPI() as model:
        model.reply(line, delay_before_first=_BACKEND_SECONDS)
        environment = {"TABBY_LS_BACKEND_URL": model.url, "TABBY_LS_DEBOUNCE_MS": "0"}
        async with running((sys.executable, "-m", "tabby_ls"), **environment) as client:
            await _ready(client)
            for run in range(runs):
                uri = f"file:///{run}.py"
                await client.send(opened(uri, _text(lines)))
                await asyncio.sleep(_AFTER_OPENING)
                began = time.monotonic()
                await client.send(typed(uri, 2, lines // 2, 4, "r"))
                answer = await client.request("textDocument/inlineCompletion", inline(uri, lines // 2, 5))
                spent = time.monotonic() - began
                asked.append(spent - (written_at - model.completions[-1].time))
                assert answer["items"], "there must be something to show"
                for column, key in enumerate("esu"):
                    began = time.perf_counter()
                    await client.send(typed(uri, 3 + column, lines // 2, 5 + column, key))
                    ask = inline(uri, lines // 2, 6 + column)
                    answer = await client.request("textDocument/inlineCompletion", ask)
                    remembered.append(time.perf_counter() - began)
                    assert answer["items"], "what was typed follows the suggestion"
                await client.send(closed(uri))
    return at(asked, 0.5), remembered


async def _ready(client: Process) -> None:
    """Say `initialized`, and ask once, so that nothing is done for the first time."""
    await client.initialize()
    await client.send(message("initialized", {}) + opened("file:///first.py", "x = \n"))
    await client.request("textDocument/inlineCompletion", inline("file:///first.py", 0, 4))
    await asyncio.sleep(0.5)


async def _agents(package: Path, lines: int, runs: int) -> float:
    """Seconds that tabby-agent takes beyond its backend's, with its own waiting switched off (median)."""
    spent = []
    server = TabbyServer(lambda prefix, suffix: "result = compute(1)\n", seconds_to_first=_BACKEND_SECONDS)
    async with server, tabby_agent(package, server, DEBOUNCE_OFF) as client:
        for run in range(runs):
            uri = f"file:///{run}.py"
            await client.send(opened(uri, _text(lines)))
            await asyncio.sleep(_AFTER_OPENING)
            began = time.monotonic()
            await client.send(typed(uri, 2, lines // 2, 4, "r"))
            await _menu(client, uri, lines // 2, 5)
            backend = server.completions[-1]
            spent.append(time.monotonic() - began - (backend.answered_at - backend.asked_at))
            await client.send(closed(uri))
    return at(spent, 0.5)


async def _menu(client: RpcClient, uri: str, line: int, character: int) -> None:
    assert await client.request("textDocument/completion", menu(uri, line, character))


def _text(lines: int) -> str:
    return _LINE * (lines // 2) + "    \n" + _LINE * (lines // 2)


if __name__ == "__main__":
    from tests.bench.rows import print_table

    print_table(asyncio.run(measure(20)))
