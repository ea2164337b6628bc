"""How soon a backend's connection is closed once nobody wants the answer, and what thousands of such ends leave behind."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Iterator
from string import ascii_lowercase

from tests.bench.apart import backend_apart
from tests.bench.driver import Process, at, inline, opened, running, typed
from tests.bench.rows import Row
from tests.support.rpc import message
from tests.support.tabbyapi import ScriptedTabbyAPI

_KEYSTROKES = 50_000


async def measure(runs: int) -> list[Row]:
    """Return the rows about closing and cancelling."""
    rows = []
    for name, before_first, between in (
        ("before headers", 60.0, 0.0),
        ("mid-stream", 0.0, 0.02),
        ("at full speed", 0.0, 0.0),
    ):
        for by, what, most in (
            ("key", "contradicting key", True),
            ("cancel by key", "`$/cancelRequest` of what was asked for by key", True),
            ("cancel", "`$/cancelRequest` while typing: waits 50 ms for an edit that agrees", False),
        ):
            delays = await _closing(runs, by, before_first, between)
            rows += [
                Row(
                    f"{what}, to connection closed, {name}, p50",
                    at(delays, 0.5) * 1e3,
                    at_most=2 if most else None,
                ),
                Row(
                    f"{what}, to connection closed, {name}, p99",
                    at(delays, 0.99) * 1e3,
                    at_most=10 if most else None,
                ),
            ]
    return [*rows, *await _many_cancels(), *await _many_keys()]


async def _closing(runs: int, by: str, before_first: float, between: float) -> list[float]:
    """Seconds from a message to the end of the connection, or the last of several, seen at the backend."""
    delays: list[float] = []
    with backend_apart() as (model, url):
        if before_first:
            model.reply("x", ending="hang before headers")
        else:
            model.reply(long_answer, delay_between=between)
        async with _ours(url) as client:
            for run in range(runs):
                uri = f"file:///{run}.py"
                count = len(model.seen())
                await client.send(opened(uri, "def f():\n    \n"))
                ask = inline(uri, 1, 4, invoked=by == "cancel by key")
                await client.send(message("textDocument/inlineCompletion", ask, 1000 + run))
                while not (asked := model.seen(count)) or not (before_first or asked[0].pieces_sent):
                    await asyncio.sleep(0.002)
                began = time.monotonic()
                if by == "key":  # in the line above: that contradicts also what has not begun
                    await client.send(typed(uri, 2, 0, 0, "?"))
                else:
                    await client.send(message("$/cancelRequest", {"id": 1000 + run}))
                await client.answer()
                while not all(request.ended for request in asked):
                    await asyncio.sleep(0.01)
                    asked = model.seen(count)
                assert {request.ended for request in asked} == {"closed by client"}
                delays.append(max(request.ended_at or 0.0 for request in asked) - began)
                await client.send(message("textDocument/didClose", {"textDocument": {"uri": uri}}))
    return delays


def long_answer(_: str) -> Iterator[str]:
    """As long an answer as our rules let a model write: lines of a function's body, none of them like another."""
    rng = random.Random(7)
    while True:
        yield "value = "
        for _ in range(100):
            yield "".join(rng.choices(ascii_lowercase, k=rng.randint(3, 9))) + " "
        yield "\n    "


async def _many_cancels() -> list[Row]:
    """Cancel 1,500 requests after random times, half of them twice, and ask once more."""
    rng = random.Random(7)
    with backend_apart() as (model, url):
        async with _ours(url) as client:
            model.reply("return 1\n")
            uri, last = "file:///many.py", "file:///last.py"
            await client.send(opened(uri, "def f():\n    \n") + opened(last, "def g():\n    \n    \n"))
            await client.request("textDocument/inlineCompletion", inline(last, 1, 4, invoked=True))
            before = client.usage.descriptors
            model.reply(long_answer, delay_between=0.001)
            for run in range(1500):
                ask = inline(uri, 1, 4, invoked=rng.random() < 0.5)
                await client.send(message("textDocument/inlineCompletion", ask, 5000 + run))
                await asyncio.sleep(rng.choice((0, 0.002, 0.008, 0.032)) * rng.random())
                cancel = message("$/cancelRequest", {"id": 5000 + run})
                await client.send(cancel)
                if run % 2:
                    await client.send(cancel)
            await client.responses(1500)
            while model.streams():
                await asyncio.sleep(0.01)
            started = len(model.seen())
            model.reply("return 1\n")
            began = time.monotonic()
            answer = await client.request("textDocument/inlineCompletion", inline(last, 2, 4, invoked=True))
            assert answer["items"], "it must still answer"
            assert len(model.seen()) > started, "and not from memory"
            spent = time.monotonic() - began
            await asyncio.sleep(0.5)
            left = client.usage.descriptors - before
    return [
        Row("streams begun by 1,500 requests that were cancelled", started, ""),
        Row("the next answer after them", spent * 1e3),
        Row("descriptors more than before them", left, "", at_most=2),
    ]


async def _many_keys() -> list[Row]:
    """The growth of memory over many keystrokes, none of which asks."""
    with ScriptedTabbyAPI() as model:
        async with _ours(model.url) as client:
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


def _ours(url: str) -> _Running:
    return _Running(url)


class _Running:
    """Our server, ready to be asked."""

    def __init__(self, url: str) -> None:
        environment = {"TABBY_LS_BACKEND_URL": url, "TABBY_LS_DEBOUNCE_MS": "0"}
        environment |= {"TABBY_LS_LOCAL_FALLBACK": "false", "TABBY_LS_MAX_TOKENS": "8192"}
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
