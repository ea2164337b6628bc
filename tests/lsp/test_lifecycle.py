"""From `initialize` to the end of the process, over every transport, with clients that behave or do not."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest

from tests.support.editor import Editor
from tests.support.home import at_home, listening
from tests.support.rpc import RpcClient, message
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import SECONDS, eventually

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX processes and signals")


async def test_shutdown_and_exit_end_the_process_well(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply_endlessly()
    editor.open("|")
    ask = editor.ask_ghost(invoked=True)
    await eventually(lambda: backend.open_streams)
    await editor.quit()
    assert ask.answered
    await eventually(lambda: backend.completions[0].ended == "closed by client")


async def test_exit_without_shutdown_is_a_failure(editor: Editor) -> None:
    editor.client.exit(None)
    assert await editor.client.ended() == 1
    editor.check_silence()


async def test_the_end_of_input_ends_the_process(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply_endlessly()
    editor.open("|")
    editor.ask_ghost(invoked=True)
    await eventually(lambda: backend.open_streams)
    assert editor.client.process.stdin is not None
    editor.client.process.stdin.close()
    assert await editor.client.ended() == 1
    editor.check_silence()
    await eventually(lambda: backend.open_streams == 0)


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_in_order(
    editor: Editor, backend: ScriptedTabbyAPI, number: signal.Signals
) -> None:
    backend.reply_endlessly()
    editor.open("|")
    editor.ask_ghost(invoked=True)
    await eventually(lambda: backend.open_streams)
    editor.client.process.send_signal(number)
    assert await editor.client.ended() == 0
    editor.check_silence()


async def test_nothing_is_asked_of_the_backend_before_initialized(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    editor = Editor(tmp_path, backend=backend.url)
    await editor.start()
    with pytest.raises(JsonRpcException) as refused:
        await editor.request("textDocument/inlineCompletion", {})
    assert refused.value.code == types.ErrorCodes.ServerNotInitialized.value
    await editor.initialize()
    await eventually(lambda: backend.requests)
    await editor.quit()
    await editor.client.stop()


async def test_a_request_after_shutdown_is_refused(editor: Editor) -> None:
    await editor.client.shutdown_async(None)
    where = {"textDocument": {"uri": "x"}, "position": {"line": 0, "character": 0}}
    for method, params in (("textDocument/completion", where), ("shutdown", None)):
        with pytest.raises(JsonRpcInvalidRequest):
            await editor.request(method, params)
    editor.client.exit(None)
    assert await editor.client.ended() == 0
    editor.check_silence()


# --- other transports ---


async def talk(client: RpcClient) -> str:
    """A whole session; returns the ghost text."""
    await client.initialize()
    await client.send(message("initialized", {}))
    document = {"uri": "untitled:a", "languageId": "python", "version": 1, "text": "x = "}
    await client.send(message("textDocument/didOpen", {"textDocument": document}))
    result = await client.request(
        "textDocument/inlineCompletion",
        {
            "textDocument": {"uri": "untitled:a"},
            "position": {"line": 0, "character": 4},
            "context": {"triggerKind": 2},
        },
    )
    assert await client.request("shutdown") is None
    await client.send(message("exit"))
    text: str = result["items"][0]["insertText"]
    return text


async def test_a_session_over_tcp_ends_the_process_well(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    backend.reply("1\n")
    url = backend.url
    async with listening("--tcp", "0", home=tmp_path, TABBY_LS_BACKEND_URL=url) as (process, host, port):
        assert host == "127.0.0.1"
        client = RpcClient(*await asyncio.open_connection(host, port))
        assert await talk(client) == "1"
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0
        await client.close()


async def test_a_session_over_a_websocket_ends_the_process_well(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    websockets = pytest.importorskip("websockets.asyncio.client")
    from tabby_ls.server.framing import Unframer

    backend.reply("1\n")
    url = backend.url
    async with listening("serve", "--ws", "0", home=tmp_path, TABBY_LS_BACKEND_URL=url) as (
        process,
        host,
        port,
    ):
        assert host == "127.0.0.1"
        async with websockets.connect(f"ws://{host}:{port}") as socket:

            class OverSocket(RpcClient):
                async def send(self, data: bytes) -> None:
                    for body in Unframer().feed(data):
                        await socket.send(body.decode())

                async def answer(self) -> dict[str, Any]:
                    answer: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), SECONDS))
                    return answer

            assert await talk(OverSocket(None, None)) == "1"  # type: ignore[arg-type]
            assert await asyncio.wait_for(process.wait(), SECONDS) == 0


@posix
async def test_a_client_that_is_killed_leaves_no_process_behind(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    """The client dies while a stream runs: its end of the pipes closes."""
    backend.reply_endlessly()
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _CLIENT,
        stderr=asyncio.subprocess.PIPE,
        env=at_home(tmp_path, TABBY_LS_BACKEND_URL=backend.url),
    )
    assert client.stderr is not None
    await eventually(lambda: backend.open_streams)
    client.kill()
    # The server has this pipe too: it ends when both have.
    assert await asyncio.wait_for(client.stderr.read(), SECONDS) == b""
    await client.wait()
    await eventually(lambda: backend.open_streams == 0)


_CLIENT = """
import json, os, subprocess, sys, time
server = subprocess.Popen([sys.executable, "-m", "tabby_ls"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

def send(method, params, **more):
    body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
    server.stdin.write(b"Content-Length: %d\\r\\n\\r\\n%b" % (len(body), body))
    server.stdin.flush()

document = {"uri": "untitled:a", "languageId": "python", "version": 1, "text": ""}
send("initialize", {"processId": os.getpid(), "capabilities": {}}, id=1)
send("initialized", {})
send("textDocument/didOpen", {"textDocument": document})
send("textDocument/inlineCompletion", {
    "textDocument": {"uri": "untitled:a"},
    "position": {"line": 0, "character": 0},
    "context": {"triggerKind": 1},
}, id=2)
time.sleep(60)
"""
