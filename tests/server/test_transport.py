"""The ways a client reaches a server process, and the ways the process ends."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from unittest.mock import Mock

import pytest
from pygls.lsp.server import LanguageServer
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tabby_ls.server import connection, transport
from tabby_ls.server.connection import Connection
from tabby_ls.server.framing import Unframer
from tabby_ls.server.protocol import ServerProtocol
from tests.support.rpc import RpcClient, message, plain_server
from tests.support.waiting import eventually, remains

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX processes")


# --- stdio ---


async def test_a_session_over_pipes():
    async with plain_server("stdio") as server:
        assert (await server.initialize())["serverInfo"]["name"] == "plain"
        assert await server.request("test/echo", {"a": "é😀"}) == {"a": "é😀"}
        assert await server.request("shutdown") is None
        await server.send(message("exit"))
        assert await server.exit_status() == 0
        assert await server.stderr() == "ended well\n"


@pytest.mark.parametrize(("shut_down", "status"), [(True, 0), (False, 1)])
async def test_the_end_of_input_ends_the_process(shut_down, status):
    async with plain_server("stdio") as server:
        await server.initialize()
        if shut_down:
            await server.request("shutdown")
        await server.close()
        assert await server.exit_status() == status


async def test_input_from_a_file(tmp_path):
    path = tmp_path / "session"
    path.write_bytes(
        message("initialize", {"capabilities": {}}, 1)
        + message("test/collector", None, 2)
        + message("shutdown", None, 3)
        + message("exit")
    )
    with path.open("rb") as file:
        async with plain_server("stdio", stdin=file) as server:
            output, _ = await server.process.communicate()
            answers = [json.loads(body) for body in Unframer().feed(output)]
            assert [answer["id"] for answer in answers] == [1, 2, 3]
            assert server.process.returncode == 0


@posix
async def test_one_socket_for_both_directions():
    ours, theirs = socket.socketpair()
    with theirs:
        async with plain_server("stdio", stdin=theirs, stdout=theirs) as server:
            client = RpcClient(*await asyncio.open_unix_connection(sock=ours))
            await client.initialize()
            big = "x" * 2_000_000
            assert await client.request("test/echo", big) == big
            await client.close()
            theirs.close()
            assert await server.exit_status() == 1


@posix
async def test_a_client_that_stops_reading_ends_the_process():
    reading, writing = os.pipe()
    async with plain_server("stdio", stdout=writing) as server:
        os.close(writing)
        os.close(reading)
        await server.send(message("initialize", {"capabilities": {}}, 1))
        assert await server.exit_status() == 1
        assert await server.stderr() == "ended well\n"


@posix
async def test_the_death_of_the_clients_process_ends_ours():
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE
    )
    async with plain_server("stdio") as server:
        await server.initialize(processId=client.pid)
        await remains(lambda: server.process.returncode is None)
        await client.communicate(b"\n")
        assert await server.exit_status() == 1


def test_the_process_of_another_user_is_there_too(monkeypatch):
    monkeypatch.setattr(os, "kill", Mock(side_effect=PermissionError))
    assert connection._exists(os.getpid())


@posix
async def test_a_client_process_that_was_never_seen_is_not_watched():
    client = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await client.wait()
    async with plain_server("stdio") as server:
        await server.initialize(processId=client.pid)
        await remains(lambda: server.process.returncode is None)
        assert await server.request("test/echo", 1) == 1


async def test_stray_output_does_not_reach_the_client():
    async with plain_server("stdio") as server:
        await server.initialize()
        assert await server.request("test/print") is None
        await server.close()
        await server.exit_status()
        assert "stray output" in await server.stderr()


async def test_what_was_read_before_is_handled_and_what_was_answered_is_not_answered_again():
    async with plain_server("early") as server:
        await server.send(message("initialize", {"capabilities": {}}, 0) + message("test/echo", 7, 1))
        assert (await server.answer())["result"] == 7


async def test_the_collector_runs_once_the_server_is_under_way():
    async with plain_server("stdio") as server:
        await server.initialize()

        async def runs() -> bool:
            return await server.request("test/collector") == [True, True]

        await eventually(runs)


async def test_a_broken_message_does_not_end_the_session():
    async with plain_server("stdio") as server:
        await server.initialize()
        await server.send(b"garbage\r\n\r\nContent-Length: 4\r\n\r\n{{{{")
        assert [(await server.answer())["error"]["code"] for _ in range(2)] == [-32700, -32700]
        assert await server.request("test/echo", 1) == 1


async def test_many_waiting_messages_leave_other_tasks_their_turn():
    server = LanguageServer("test", "0", protocol_cls=ServerProtocol)
    reading = Connection(server)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def one_chunk():
        yield message("textDocument/didSave") * 20_000

    counting = asyncio.create_task(count_turns())
    await asyncio.sleep(0)
    turns = 0
    await reading.read(one_chunk())
    counting.cancel()
    assert turns >= 3


# --- TCP ---


async def test_a_session_over_tcp_ends_the_process():
    async with plain_server("tcp") as server:
        client = RpcClient(*await asyncio.open_connection("127.0.0.1", await server.port()))
        await client.initialize()
        assert await client.request("test/echo", 1) == 1
        await client.request("shutdown")
        await client.close()
        assert await server.exit_status() == 0
        assert await server.stderr() == "ended well\n"


async def test_a_second_tcp_client_is_turned_away():
    async with plain_server("tcp") as server:
        port = await server.port()
        client = RpcClient(*await asyncio.open_connection("127.0.0.1", port))
        await client.initialize()
        other = RpcClient(*await asyncio.open_connection("127.0.0.1", port))
        with pytest.raises(EOFError):
            await other.answer()
        await other.close()
        assert await client.request("test/echo", 1) == 1
        await client.request("shutdown")
        await client.send(message("exit"))
        assert await server.exit_status() == 0
        await client.close()


# --- WebSocket ---


async def ws_request(client, msg_id: int, method: str, params: object = None) -> object:
    await client.send(json.dumps({"jsonrpc": "2.0", "id": msg_id, "method": method, "params": params}))
    return json.loads(await client.recv())["result"]


@pytest.mark.parametrize("origin", [None, "http://localhost:8080", "https://127.0.0.1", "http://[::1]:3000"])
async def test_a_session_over_a_websocket(origin):
    async with plain_server("ws") as server:
        async with connect(f"ws://127.0.0.1:{await server.port()}", origin=origin, max_size=None) as client:
            await ws_request(client, 1, "initialize", {"capabilities": {}})
            big = "é" * 1_500_000
            assert await ws_request(client, 2, "test/echo", big) == big
            await ws_request(client, 3, "shutdown")
            await client.send(json.dumps({"jsonrpc": "2.0", "method": "exit"}))
            with pytest.raises(ConnectionClosed):
                await client.recv()
        assert await server.exit_status() == 0
        assert await server.stderr() == "ended well\n"


async def test_the_end_of_a_websocket_ends_the_process():
    async with plain_server("ws") as server:
        async with connect(f"ws://127.0.0.1:{await server.port()}"):
            pass
        assert await server.exit_status() == 1


async def test_a_second_websocket_is_turned_away():
    async with plain_server("ws") as server:
        address = f"ws://127.0.0.1:{await server.port()}"
        async with connect(address) as client, connect(address) as other:
            with pytest.raises(ConnectionClosed):
                await other.recv()
            await ws_request(client, 1, "initialize", {"capabilities": {}})


def test_without_the_package_for_websockets_one_line_says_so(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "websockets.asyncio.server", None)
    assert transport.serve_ws(LanguageServer("test", "0", protocol_cls=ServerProtocol)) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_serving_without_a_main_thread_works_too():
    """Signals cannot be caught there; all else is the same."""

    async def main() -> int:
        reading, writing = os.pipe()
        os.write(writing, message("exit"))
        server = LanguageServer("test", "0", protocol_cls=ServerProtocol)
        status = await asyncio.to_thread(transport.serve_stdio, server, stdin=reading, stdout=writing)
        os.close(reading)
        os.close(writing)
        return status

    assert asyncio.run(main()) == 1
