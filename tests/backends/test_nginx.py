"""A real nginx between us and the server: pieces pass at once, leaving reaches the server, its own errors are named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.engine.target import Target
from tests.backends.asking import learned, read, target_for
from tests.support.nginx import nginx_before
from tests.support.other_servers import ScriptedOpenAI
from tests.support.waiting import eventually

ASK = "def add(a, b):\n    return ¦\n\nprint(1)\n"


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[tuple[ScriptedOpenAI, Target]]:
    with ScriptedOpenAI() as server, nginx_before(server.url, tmp_path) as url:
        target = target_for(url=url)
        yield server, target
        await target.backend.close()


async def test_pieces_pass_at_once(proxied: tuple[ScriptedOpenAI, Target]) -> None:
    server, target = proxied
    infill = await learned(target, ASK)
    server.reply("one two three", ending="hang", after=2)
    async with asyncio.timeout(20):
        assert await read(target.backend, infill, pieces=2) == "one two"


async def test_leaving_reaches_the_server(proxied: tuple[ScriptedOpenAI, Target]) -> None:
    server, target = proxied
    infill = await learned(target, ASK)
    server.reply_endlessly()
    await read(target.backend, infill, pieces=2)
    await eventually(lambda: server.completions[-1].ended == "closed by client")


async def test_leaving_before_the_first_word_reaches_the_server(
    proxied: tuple[ScriptedOpenAI, Target],
) -> None:
    server, target = proxied
    infill = await learned(target, ASK)
    server.reply("x", ending="hang before headers")
    asking = asyncio.create_task(read(target.backend, infill))
    await eventually(lambda: server.completions)
    asking.cancel()
    await eventually(lambda: server.completions[-1].ended == "closed by client")


async def test_a_server_that_is_gone_is_told_from_a_proxy_that_is(tmp_path: Path) -> None:
    with ScriptedOpenAI() as server:
        upstream = server.url
    with nginx_before(upstream, tmp_path) as url:
        target = target_for(url=url)
        with pytest.raises(BackendError) as caught:
            await target.prepare()
        await target.backend.close()
    assert caught.value.trouble is Trouble.UNREACHABLE
    assert "a proxy that gets no answer from the server behind it" in caught.value.message


async def test_a_server_that_takes_too_long_for_the_proxy(tmp_path: Path) -> None:
    with ScriptedOpenAI() as server, nginx_before(server.url, tmp_path, read_timeout="1s") as url:
        target = target_for(url=url)
        infill = await learned(target, ASK)
        server.reply("x", ending="hang before headers")
        with pytest.raises(BackendError) as caught:
            await read(target.backend, infill)
        await target.backend.close()
    assert caught.value.trouble is Trouble.UNREACHABLE
    assert "504" in caught.value.message
