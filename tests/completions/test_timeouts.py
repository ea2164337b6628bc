"""Waiting ends: before the headers, before the first text, between two texts, and only then."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from tabby_ls.completions import (
    CompletionRequest,
    CompletionsClient,
    RequestError,
    StreamError,
    Timeouts,
    ValidationError,
)
from tests.support.replay import RECORDINGS, replaying
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

REQUEST = CompletionRequest("x", max_tokens=64)
SOON = 0.15


async def read(client: CompletionsClient) -> str:
    async with client.create_stream(REQUEST) as stream:
        return "".join([chunk.text async for chunk in stream])


async def test_a_server_that_sends_no_headers_is_given_up() -> None:
    with ScriptedTabbyAPI() as server:
        server.reply("x", ending="hang before headers")
        async with CompletionsClient(server.url, timeouts=Timeouts(first_token=SOON, answer=SOON)) as client:
            with pytest.raises(RequestError) as of_stream:
                await read(client)
            with pytest.raises(RequestError) as of_whole:
                await client.create(REQUEST)
        await eventually(lambda: [r.ended for r in server.completions] == ["closed by client"] * 2)
    for error in (of_stream.value, of_whole.value):
        assert (error.code, error.status) == ("timeout", None)
        assert isinstance(error.__cause__, TimeoutError)


async def test_so_is_one_that_does_not_end_its_answer_to_a_lookup() -> None:
    async with (
        replaying([RECORDINGS["model_api"].response[:100]], then="hang") as server,
        CompletionsClient(server.url, timeouts=Timeouts(lookup=SOON)) as client,
    ):
        with pytest.raises(RequestError) as caught:
            await client.model()
    assert caught.value.code == "timeout"


async def test_so_is_one_that_answers_a_stream_in_one_piece_and_does_not_end_it() -> None:
    async with (
        replaying([RECORDINGS["s_disabled"].response[:-10]], then="hang") as server,
        CompletionsClient(server.url, timeouts=Timeouts(answer=SOON)) as client,
    ):
        with pytest.raises(RequestError) as caught:
            await read(client)
    assert caught.value.code == "timeout"


@pytest.mark.parametrize(
    ("after", "timeouts"),
    [(0, Timeouts(first_token=SOON)), (2, Timeouts(progress=SOON))],
    ids=["first token", "progress"],
)
@pytest.mark.parametrize("ending", ["pings", "hang"])
async def test_a_stream_without_text_is_given_up_although_it_pings(
    ending: Any, after: int, timeouts: Timeouts
) -> None:
    with ScriptedTabbyAPI(ping_interval=0.01) as server:
        server.reply("a b c d", ending=ending, after=after)
        async with CompletionsClient(server.url, timeouts=timeouts) as client:
            with pytest.raises(StreamError) as caught:
                await read(client)
        await eventually(lambda: server.completions[0].ended == "closed by client")
    assert (caught.value.code, caught.value.status) == ("no_progress", 200)


async def test_text_that_keeps_coming_may_take_longer_than_each_limit() -> None:
    with ScriptedTabbyAPI() as server:
        server.reply(["x"] * 12, delay_between=0.05)
        async with CompletionsClient(server.url, timeouts=Timeouts(first_token=0.5, progress=0.5)) as client:
            assert await read(client) == "x" * 12


async def test_the_time_the_caller_takes_does_not_count() -> None:
    with ScriptedTabbyAPI() as server:
        server.reply(["x"] * 4, delay_between=0.02)
        async with (
            CompletionsClient(server.url, timeouts=Timeouts(progress=0.3)) as client,
            client.create_stream(REQUEST) as stream,
        ):
            text = ""
            async for chunk in stream:
                await asyncio.sleep(0.2)
                text += chunk.text
    assert text == "xxxx"


async def test_a_stream_that_hangs_after_its_last_chunk_has_finished() -> None:
    recorded = RECORDINGS["s_basic"].response
    for cut in (recorded.index(b"10\r\ndata: [DONE]"), len(recorded) - len(b"0\r\n\r\n")):
        async with (
            replaying([recorded[:cut]], then="hang") as server,
            CompletionsClient(server.url, timeouts=Timeouts(progress=SOON)) as client,
        ):
            assert await read(client) == "def add(a, b):\n    return a + b\n"


async def test_a_server_that_takes_no_connection_is_given_up() -> None:
    with socket.socket() as full:  # a queue of one that nobody empties
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}"
        async with CompletionsClient(url, timeouts=Timeouts(connect=SOON)) as client:
            with pytest.raises(RequestError) as caught:
                await read(client)
        for one in waiting:
            one.close()
    assert (caught.value.code, caught.value.message) == ("timeout", "no connection in time")


@pytest.mark.parametrize("value", [0, -1, True, "5"])
def test_a_limit_is_a_positive_number_or_none(value: Any) -> None:
    assert Timeouts(progress=None).progress is None
    with pytest.raises(ValidationError, match="progress"):
        Timeouts(progress=value)
