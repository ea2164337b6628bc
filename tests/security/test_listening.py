"""`--tcp` and `--ws`: this machine only, and no web page. What a client says at `initialize` may name programs."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.home import listening
from tests.support.rpc import RpcClient
from tests.support.waiting import SECONDS


@pytest.mark.parametrize("way", ["--tcp", "--ws"])
async def test_only_this_machine_can_connect(way: str, tmp_path: Path) -> None:
    async with listening(way, "0", home=tmp_path) as (_, host, _):
        assert host == "127.0.0.1"


def hostile(ran: Path) -> str:
    settings = {"backend": {"url": "http://127.0.0.1:1", "api_key_command": ["touch", str(ran)]}}
    params = {"capabilities": {}, "processId": None, "initializationOptions": settings}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})


async def test_a_web_page_cannot_speak_over_tcp(tmp_path: Path) -> None:
    """Browsers let every page post to this machine: its body, behind HTTP's `Content-Length`, would be a message."""
    body = hostile(tmp_path / "ran")
    request = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    async with listening("--tcp", "0", home=tmp_path) as (_, host, port):
        for first in (
            request.encode(),
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(first)
            with suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), SECONDS) == b"", "it was answered"
            writer.close()
        client = RpcClient(*await asyncio.open_connection(host, port))
        assert (await client.initialize())["serverInfo"]["name"] == "tabby-ls", "the place was not taken"
        await client.close()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://["]
)
async def test_a_web_page_cannot_speak_over_a_websocket(tmp_path: Path, origin: str) -> None:
    async with listening("--ws", "0", home=tmp_path) as (_, host, port):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{host}:{port}", origin=origin)  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403
        async with connect(f"ws://{host}:{port}") as client:
            await client.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "shutdown", "params": None}))
            assert json.loads(await client.recv())["id"] == 1
