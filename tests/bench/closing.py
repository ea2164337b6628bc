"""How soon a backend's connection is closed once nobody wants the answer, and what thousands of such ends leave behind."""

from __future__ import annotations

import asyncio
import random
import sys
import time

from tests.bench.driver import Process, at, inline, opened, running, typed
from tests.bench.rows import Row
from tests.support.rpc import message
from tests.support.tabbyapi import Request, ScriptedTabbyAPI

_KEYSTROKES = 50_000


async def measure(runs: int) -> list[Row]:
    """Return the rows about closing and cancelling."""
    rows = []
    for name, before_first, between in (
        ("before headers", 60.0, 0.0),
        ("mid-stream", 0.0, 0.02),
        ("at full speed", 0.0, 0.0),
    ):
        for by in ("key", "cancel"):
            delays = await _closing(runs, by, before_first, between)
            what = {"key": "contradicting key", "cancel": "`$/cancelRequest`"}[by]
            rows.append(Row(f"{what} to connection closed, {name}, p50", at(delays, 0.5) * 1e3, at_most=2))
            rows.append(Row(f"{what} to connection closed, {name}, p99", at(delays, 0.99) * 1e3, at_most=10))
    return [*rows, *await _many_cancels(), *await _many_keys()]


async def _closing(runs: int, by: str, before_first: float, between: float) -> list[float]:
    """Seconds from a message to the end of the connection, seen at the backend."""
    delays: list[float] = []
    with ScriptedTabbyAPI() as model:
        if before_first:
            model.reply("x", ending="hang before headers")
        else:
            model.reply_endlessly("x ", delay_between=between)
        async with _ours(model) as client:
            for run in range(runs):
                uri = f"file:///{run}.py"
                count = len(model.completions)
                await client.send(opened(uri, "a\n"))
                ask = inline(uri, 0, 1, invoked=True)
                await client.send(message("textDocument/inlineCompletion", ask, 1000 + run))

                def is_running(count: int = count) -> bool:
                    started = model.completions[count:]
                    return bool(started) and (bool(before_first) or started[0].pieces_sent > 0)

                await model.eventually(is_running)
                asked: Request = model.completions[count]
                began = time.monotonic()
                if by == "key":  # before the cursor: it contradicts also what has not begun
                    await client.send(typed(uri, 2, 0, 0, "?"))
                else:
                    await client.send(message("$/cancelRequest", {"id": 1000 + run}))
                await model.eventually(lambda asked=asked: asked.ended)
                assert asked.ended_at is not None
                delays.append(asked.ended_at - began)
                await client.answer()
                await client.send(message("textDocument/didClose", {"textDocument": {"uri": uri}}))
    return delays


async def _many_cancels() -> list[Row]:
    """Cancel 1,500 requests after random times, half of them twice, and ask once more."""
    rng = random.Random(7)
    with ScriptedTabbyAPI() as model:
        model.reply_endlessly("x ", delay_between=0.001)
        async with _ours(model) as client:
            uri = "file:///many.py"
            await client.send(opened(uri, "\n"))
            before = client.usage.descriptors
            for run in range(1500):
                ask = inline(uri, 0, 0, invoked=True)
                await client.send(message("textDocument/inlineCompletion", ask, 5000 + run))
                await asyncio.sleep(rng.choice((0, 0, 0.0005, 0.001, 0.003, 0.006)) * rng.random())
                cancel = message("$/cancelRequest", {"id": 5000 + run})
                await client.send(cancel)
                if run % 2:
                    await client.send(cancel)
            await client.responses(1500)
            await model.eventually(lambda: model.open_streams == 0)
            model.reply("1\n")
            began = time.monotonic()
            answer = await client.request("textDocument/inlineCompletion", inline(uri, 0, 0, invoked=True))
            assert answer["items"], "it must still answer"
            spent = time.monotonic() - began
            await asyncio.sleep(0.5)
            left = client.usage.descriptors - before
    return [
        Row("the next answer after 1,500 cancelled requests", spent * 1e3),
        Row("descriptors more than before them", left, "", at_most=2),
    ]


async def _many_keys() -> list[Row]:
    """The growth of memory over many keystrokes, none of which asks."""
    with ScriptedTabbyAPI() as model:
        async with _ours(model) as client:
            uri = "file:///keys.py"
            await client.send(opened(uri, "x = 1\n" * 200))

            async def press(count: int, version: int) -> None:
                for number in range(count):
                    await client.send(typed(uri, version + 2 * number, 100, 0, "a"))
                    where = {"start": {"line": 100, "character": 0}, "end": {"line": 100, "character": 1}}
                    document = {"uri": uri, "version": version + 2 * number + 1}
                    change = {"textDocument": document, "contentChanges": [{"range": where, "text": ""}]}
                    await client.send(message("textDocument/didChange", change))
                await client.request("textDocument/inlineCompletion", inline("file:///none.py", 0, 0))

            await press(5000, 2)
            before = client.usage.resident_mb
            await press(_KEYSTROKES // 2, 20_000)
            grown = client.usage.resident_mb - before
    return [Row("memory grown over 50,000 keystrokes", grown, "MB", at_most=1)]


def _ours(model: ScriptedTabbyAPI) -> _Running:
    return _Running(model)


class _Running:
    """Our server, ready to be asked."""

    def __init__(self, model: ScriptedTabbyAPI) -> None:
        environment = {"TABBY_LS_BACKEND_URL": model.url, "TABBY_LS_DEBOUNCE_MS": "0"}
        environment |= {"TABBY_LS_LOCAL_FALLBACK": "false"}
        self._process = running((sys.executable, "-m", "tabby_ls"), **environment)

    async def __aenter__(self) -> Process:
        client = await self._process.__aenter__()
        await client.initialize()
        await client.send(message("initialized", {}))
        await asyncio.sleep(1)
        return client

    async def __aexit__(self, *error: object) -> None:
        await self._process.__aexit__(*error)  # type: ignore[arg-type]


if __name__ == "__main__":
    from tests.bench.rows import print_table

    print_table(asyncio.run(measure(100)))
