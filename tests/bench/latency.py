"""How long the user waits for what is ours: start-up, the way of a request, closing a connection.

    python -m tests.bench.latency [--runs N]

Start-up is compared with a bare pygls server in the same run, variants interleaved: ratios are the result,
milliseconds belong to the machine. Requests go to a scripted backend whose first usable line comes after a known time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence

from tests.support.rpc import RpcClient, message
from tests.support.tabbyapi import ScriptedTabbyAPI

_BARE = """
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("bare", "0")
@server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
async def inline(params): return []
server.start_io()
"""
_OURS = ("-m", "tabby_ls")
_BACKEND_SECONDS = 0.05
_LINE = "    value = compute(argument, other)\n"


@contextlib.asynccontextmanager
async def running(arguments: Sequence[str], **environment: str) -> AsyncIterator[RpcClient]:
    """A server process and a client of it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "TABBY_LS_CONFIG": os.devnull, **environment},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield RpcClient(process.stdout, process.stdin)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it may have ended just now
            process.kill()
        await process.wait()


def opened(uri: str, text: str) -> bytes:
    """A didOpen notification."""
    document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    return message("textDocument/didOpen", {"textDocument": document})


def typed(uri: str, version: int, line: int, character: int, text: str) -> bytes:
    """A didChange notification that inserts `text`."""
    point = {"line": line, "character": character}
    change = {"range": {"start": point, "end": point}, "text": text}
    return message(
        "textDocument/didChange",
        {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]},
    )


def inline(uri: str, line: int, character: int) -> dict[str, object]:
    """The parameters of an inline completion request."""
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 2},
    }


async def start_up(arguments: Sequence[str], **environment: str) -> tuple[float, float]:
    """Seconds from the start of the process to the answer to `initialize`, and to a first completion."""
    began = time.perf_counter()
    async with running(arguments, **environment) as client:
        await client.initialize()
        initialized = time.perf_counter() - began
        await client.send(message("initialized", {}) + opened("file:///a.py", "x = 1\n"))
        await client.request("textDocument/inlineCompletion", inline("file:///a.py", 0, 0))
        return initialized, time.perf_counter() - began


async def compare_start_up(runs: int) -> None:
    """Print start-up beside a bare pygls server."""
    with ScriptedTabbyAPI() as model:
        model.reply("")
        local = {"TABBY_LS_BACKEND_KIND": "local", "TABBY_LS_LOCAL_INDEX": "false"}
        served = {"TABBY_LS_BACKEND_URL": model.url, "TABBY_LS_DEBOUNCE_MS": "0"}
        variants = {
            "bare pygls": (("-c", _BARE), {}),
            "tabby-ls, local": (_OURS, local),
            "tabby-ls, TabbyAPI": (_OURS, served),
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in variants}
        for run in range(runs + 1):
            for name, (arguments, environment) in variants.items():
                seconds = await start_up(arguments, **environment)
                if run:
                    times[name].append(seconds)
    bare = [statistics.median(column) for column in zip(*times["bare pygls"], strict=True)]
    print(f"{'start-up':<22} {'initialize ms':>14} {'ratio':>6} {'first completion ms':>20} {'ratio':>6}")
    for name, rows in times.items():
        first, second = (statistics.median(column) for column in zip(*rows, strict=True))
        print(
            f"{name:<22} {first * 1e3:14.0f} {first / bare[0]:6.2f} {second * 1e3:20.0f} {second / bare[1]:6.2f}"
        )


async def measure_answers(runs: int) -> None:
    """Print what a request takes beyond the backend's own time, and from memory, in small and large files."""
    print(
        f"\n{'request to answer':<22} {'beyond backend p50':>19} {'p95':>6} {'typed ahead p50':>16} {'p95':>6}   (ms)"
    )
    with ScriptedTabbyAPI() as model:
        model.reply("result = compute(1)\n", delay_before_first=_BACKEND_SECONDS)
        for lines in (120, 20_000):
            async with running(_OURS, TABBY_LS_BACKEND_URL=model.url, TABBY_LS_DEBOUNCE_MS="0") as client:
                await client.initialize()
                await client.send(message("initialized", {}))
                asked, remembered = [], []
                for run in range(runs):
                    uri = f"file:///{run}.py"
                    text = _LINE * (lines // 2) + "    \n" + _LINE * (lines // 2)
                    await client.send(opened(uri, text))
                    # Answered at once: opening is not what is measured.
                    await client.request("textDocument/inlineCompletion", inline("file:///unopened.py", 0, 0))
                    began = time.perf_counter()
                    answer = await client.request("textDocument/inlineCompletion", inline(uri, lines // 2, 4))
                    asked.append(time.perf_counter() - began - _BACKEND_SECONDS)
                    assert answer["items"], "there must be something to show"
                    await client.send(typed(uri, 2, lines // 2, 4, "r"))
                    began = time.perf_counter()
                    answer = await client.request("textDocument/inlineCompletion", inline(uri, lines // 2, 5))
                    remembered.append(time.perf_counter() - began)
                    assert answer["items"], "what was typed follows the suggestion"
            columns = [at(values, share) * 1e3 for values in (asked, remembered) for share in (0.5, 0.95)]
            print(
                f"{lines:>7} lines {'':<8} {columns[0]:19.1f} {columns[1]:6.1f} {columns[2]:16.2f} {columns[3]:6.2f}"
            )


async def measure_closing(runs: int) -> None:
    """Print how soon the backend sees the connection close after a keystroke that contradicts the stream."""
    delays: list[float] = []
    with ScriptedTabbyAPI() as model:
        model.reply_endlessly("x", delay_between=0.02)
        async with running(_OURS, TABBY_LS_BACKEND_URL=model.url, TABBY_LS_DEBOUNCE_MS="0") as client:
            await client.initialize()
            await client.send(message("initialized", {}))
            for run in range(runs):
                uri = f"file:///{run}.py"
                await client.send(opened(uri, "\n"))
                await client.send(message("textDocument/inlineCompletion", inline(uri, 0, 0), 1000 + run))
                await model.eventually(
                    lambda run=run: len(model.completions) > run and model.completions[run].pieces_sent
                )
                began = time.monotonic()
                await client.send(typed(uri, 2, 0, 0, "?"))
                await model.eventually(lambda run=run: model.completions[run].ended)
                ended_at = model.completions[run].ended_at
                assert ended_at is not None
                delays.append(ended_at - began)
                await client.answer()
    print(
        f"\ncontradicting key to closed connection, seen at the backend: p50 {at(delays, 0.5) * 1e3:.2f} ms, p95 {at(delays, 0.95) * 1e3:.2f} ms"
    )


def at(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def run(runs: int) -> None:
    """Print everything."""
    await compare_start_up(runs)
    await measure_answers(runs)
    await measure_closing(runs)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description="Start-up, request and closing times.")
    parser.add_argument("--runs", type=int, default=20)
    asyncio.run(run(parser.parse_args().runs))


if __name__ == "__main__":
    main()
