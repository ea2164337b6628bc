"""`initialize` is answered before the server is imported: with what the server itself would say, and only once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any
from unittest.mock import Mock

import pytest
from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder

from tabby_ls.server.app import create_server
from tabby_ls.server.capabilities import COMMANDS, initialize_result
from tabby_ls.server.commands import COMMANDS as RUN
from tabby_ls.server.framing import Unframer, frame
from tabby_ls.server.greeting import greet
from tests.bench.driver import running
from tests.support.profiles import GHOST_TEXT, MENU_ONLY, VS_CODE, recorded
from tests.support.rpc import message

_EDITORS = [GHOST_TEXT, MENU_ONLY, VS_CODE, *map(recorded, ("nvim", "helix", "eglot"))]


def _greeted(sent: bytes) -> tuple[bytes, Any, list[Any]]:
    """What `greet` returns for these bytes, and what it has written."""
    (stdin, client_out), (client_in, stdout) = os.pipe(), os.pipe()
    with os.fdopen(client_out, "wb") as pipe:
        pipe.write(sent)
    try:
        received, answered = greet(stdin, stdout)
    finally:
        os.close(stdin)
        os.close(stdout)
    with os.fdopen(client_in, "rb") as pipe:
        return received, answered, [json.loads(body) for body in Unframer().feed(pipe.read())]


def test_it_hands_on_what_it_read() -> None:
    sent = message("initialize", {"capabilities": {}}, 7) + message("initialized", {})
    received, answered, (response,) = _greeted(sent)
    assert (received, answered, response["id"]) == (sent, 7, 7)
    assert response["result"]["serverInfo"]["name"] == "tabby-ls"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"Content-Length: 5\r\n\r\n{",
        frame(b"not json"),
        frame(b"[]"),
        message("shutdown", None, 1),
        message("initialize", {"capabilities": {}}),
        message("initialize", {"capabilities": 5}, 1),
        message("initialize", None, 1),
        frame(b'{"jsonrpc": "1.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}'),
        frame(b'{"jsonrpc": "2.0", "id": true, "method": "initialize", "params": {"capabilities": {}}}'),
    ],
)
def test_anything_else_is_left_to_the_server(sent: bytes) -> None:
    assert _greeted(sent) == (sent, None, [])


@pytest.mark.parametrize("profile", _EDITORS)
async def test_the_server_that_answers_late_says_the_same(profile: Any) -> None:
    _, _, (early,) = _greeted(message("initialize", profile, 1))
    server, written = create_server(), Mock()
    server.protocol.set_writer(written)
    server.protocol.receive(
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": profile})
    )
    (late,) = (json.loads(body) for body in Unframer().feed(written.write.call_args.args[0]))
    assert late == early


def test_what_is_said_is_what_is_there() -> None:
    assert tuple(RUN) == COMMANDS
    server = create_server()
    said = initialize_result({"notebookDocument": {}}, ())["capabilities"]
    features = {*server.protocol.fm.features, *server.protocol.fm.builtin_features}
    # Without options these two are not advertised by pygls.
    options = {
        types.TEXT_DOCUMENT_INLINE_COMPLETION: types.InlineCompletionOptions(),
        types.TEXT_DOCUMENT_COMPLETION: types.CompletionOptions(),
    }
    built = ServerCapabilitiesBuilder(
        types.ClientCapabilities(notebook_document=types.NotebookDocumentClientCapabilities({})),
        features,
        options,
        list(server.protocol.fm.commands),
        types.TextDocumentSyncKind.Incremental,
        types.NotebookDocumentSyncOptions([]),
    ).build()
    providers = server.protocol._converter.unstructure(built)
    assert {*said} == {name for name, value in providers.items() if value is not None}


@pytest.mark.parametrize("params", [{"capabilities": {}, "processId": "x"}, {"capabilities": {"window": 1}}])
async def test_params_that_turn_out_wrong_later_do_not_end_the_session(params: Any) -> None:
    async with running((sys.executable, "-m", "tabby_ls")) as client:
        assert (await client.initialize(**params))["capabilities"]
        assert await client.request("shutdown") is None


async def test_a_client_that_says_nothing_and_leaves_ends_the_process() -> None:
    async with running((sys.executable, "-m", "tabby_ls")) as client:
        await client.close()
        with pytest.raises(EOFError):
            await client.answer()


def test_nothing_of_the_server_is_imported_for_it() -> None:
    code = (
        "import sys, tabby_ls.commands.serve, tabby_ls.server.greeting, tabby_ls.settings\n"
        "print(sorted({'pygls', 'lsprotocol', 'cattrs', 'asyncio', 'httpcore2', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
