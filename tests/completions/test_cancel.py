"""Closing a stream closes its connection, and nothing else is lost by it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tabby_ls.completions import CompletionError, CompletionRequest, CompletionsClient
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

REQUEST = CompletionRequest("x", max_tokens=64)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedTabbyAPI]:
    with ScriptedTabbyAPI() as server:
        yield server


@pytest.fixture
async def client(server: ScriptedTabbyAPI) -> AsyncIterator[CompletionsClient]:
    async with CompletionsClient(server.url) as client:
        yield client


def connections(client: CompletionsClient) -> list[Any]:
    pool: Any = client.connection._pool
    return list(pool._pool.connections)


def requests(client: CompletionsClient) -> list[Any]:
    """What the library's pool still takes for under way: one that is left there stays, with its prompt, for good."""
    pool: Any = client.connection._pool
    return list(pool._pool._requests)


async def closed(server: ScriptedTabbyAPI) -> bool:
    await eventually(lambda: server.completions[-1].ended is not None)
    return server.completions[-1].ended == "closed by client" and server.open_streams == 0


async def test_leaving_the_block_closes_the_connection(
    server: ScriptedTabbyAPI, client: CompletionsClient
) -> None:
    server.reply_endlessly()
    async with client.create_stream(REQUEST) as stream:
        async for _ in stream:
            break
        assert server.completions[-1].ended is None
    assert connections(client) == []
    assert await closed(server)


async def test_closing_the_stream_closes_the_connection_and_ends_the_iteration(
    server: ScriptedTabbyAPI, client: CompletionsClient
) -> None:
    server.reply_endlessly()
    async with client.create_stream(REQUEST) as stream:
        await anext(stream)
        await stream.aclose()
        assert await closed(server)
        assert [chunk async for chunk in stream] == []
        await stream.aclose()


async def test_closing_from_another_task_ends_the_iteration(
    server: ScriptedTabbyAPI, client: CompletionsClient
) -> None:
    server.reply("x", ending="hang", after=1)
    async with client.create_stream(REQUEST) as stream:
        reading = asyncio.create_task(_collect(stream))
        await eventually(lambda: server.completions and server.completions[-1].pieces_sent == 1)
        await asyncio.sleep(0.02)
        await stream.aclose()
        assert await asyncio.wait_for(reading, 5) == "x"
    assert await closed(server)


@pytest.mark.parametrize(
    ("method", "ending"),
    [("stream", "hang"), ("stream", "hang before headers"), ("whole", "hang before headers")],
)
async def test_cancelling_the_task_closes_the_connection(
    method: str, ending: Any, server: ScriptedTabbyAPI, client: CompletionsClient
) -> None:
    server.reply("x y z", ending=ending, after=2)
    task = asyncio.create_task(_stream(client) if method == "stream" else client.create(REQUEST))
    await eventually(lambda: server.completions)
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await closed(server)
    assert connections(client) == []


async def test_an_error_in_the_block_closes_the_connection(
    server: ScriptedTabbyAPI, client: CompletionsClient
) -> None:
    server.reply_endlessly()

    async def fail() -> None:
        async with client.create_stream(REQUEST) as stream:
            await anext(stream)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await closed(server)


async def test_a_stream_read_to_its_end_leaves_its_connection_to_the_next(
    server: ScriptedTabbyAPI, client: CompletionsClient
) -> None:
    for _ in range(5):
        assert await _stream(client)
        assert await client.create(REQUEST)
    assert server.connections == 1
    assert {request.ended for request in server.completions[:-1]} == {"complete"}


async def test_prewarming_after_a_cancel_leaves_a_connection_for_the_next(
    server: ScriptedTabbyAPI, client: CompletionsClient
) -> None:
    server.reply_endlessly()
    async with client.create_stream(REQUEST) as stream:
        await anext(stream)
    await client.prewarm()
    assert [connection.is_idle() for connection in connections(client)] == [True]
    server.reply("x")
    await _stream(client)
    assert server.connections == 2


async def test_closing_the_client_ends_what_runs_with_an_error(
    server: ScriptedTabbyAPI, client: CompletionsClient
) -> None:
    server.reply("x", ending="hang", after=1)
    running = asyncio.create_task(_stream(client))
    await eventually(lambda: server.completions and server.completions[-1].pieces_sent == 1)
    await client.aclose()
    with pytest.raises(CompletionError):
        await asyncio.wait_for(running, 5)
    with pytest.raises(CompletionError, match="closed"):
        await client.create(REQUEST)
    await client.prewarm()
    assert await closed(server)


@pytest.mark.parametrize("ticks", range(6))
async def test_a_client_is_closed_to_its_last_connection_though_its_closing_is_cancelled(
    ticks: int, client: CompletionsClient
) -> None:
    await asyncio.gather(*(_stream(client) for _ in range(4)))
    held = connections(client)
    assert len(held) == 4
    closing = asyncio.create_task(client.aclose())
    for _ in range(ticks):
        await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    await client.aclose()
    assert all(connection.is_closed() for connection in held)


async def test_prewarming_never_raises() -> None:
    async with CompletionsClient("http://127.0.0.1:1") as client:
        await client.prewarm()


@pytest.mark.parametrize("cancels", [1, 2])
async def test_cancels_at_any_moment_leave_the_client_usable(
    cancels: int, server: ScriptedTabbyAPI, client: CompletionsClient
) -> None:
    chance = random.Random(cancels)
    server.reply(["x"] * 5, delay_between=0.0005)
    for _ in range(300):
        task = asyncio.create_task(_stream(client))
        for _ in range(chance.choice([chance.randrange(30), chance.randrange(150)])):
            await asyncio.sleep(0)
        for _ in range(cancels):
            task.cancel()
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
        await asyncio.gather(task, return_exceptions=True)
    await eventually(lambda: server.open_streams == 0 and not requests(client))
    await eventually(lambda: all(connection.is_idle() for connection in connections(client)))
    assert await asyncio.wait_for(_stream(client), 10) == "x" * 5
    await eventually(lambda: server.open_streams == 0)


async def _stream(client: CompletionsClient) -> str:
    async with client.create_stream(REQUEST) as stream:
        return await _collect(stream)


async def _collect(stream: Any) -> str:
    return "".join([chunk.text async for chunk in stream])
