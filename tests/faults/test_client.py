"""A client that misbehaves: every request is answered, the documents stay what the client has, and the session goes on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.support.editor import Editor
from tests.support.home import COMMAND, at_home
from tests.support.rpc import RpcClient, message
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import SECONDS, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

_MIDDLE = "<|fim_suffix|>"


def seen(backend: ScriptedTabbyAPI) -> str:
    """The document as the last prompt shows it."""
    prompt: str = backend.completions[-1].body["prompt"]
    before, _, after = prompt.removeprefix("<|fim_prefix|>").partition(_MIDDLE)
    return f"{before}|{after.removesuffix('<|fim_middle|>')}"


async def test_a_thousand_requests_at_once_are_answered_and_few_passed_on(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("1\n", delay_before_first=0.01)
    editor.open("x = |\n")
    asks = []
    for number in range(1000):
        if number % 3 == 0:
            editor.type(random.choice("abc "))
        elif number % 3 == 1:
            editor.backspace()
        asks.append(editor.ask_menu() if number % 10 == 0 else editor.ask_ghost())
    for ask in asks:
        await ask
    assert len(backend.completions) < 100, "only the newest is worth a request"


async def test_requests_that_are_taken_back_are_answered(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply_endlessly()
    editor.open("x = |\n")
    asks = []
    for number in range(300):
        editor.type("a")
        asks.append(editor.ask_ghost(invoked=number % 7 == 0))
        editor.cancel(asks[-1])
        editor.cancel(asks[-1])
    editor.client.cancel_request(types.CancelParams("never asked"))
    await asyncio.wait([ask.answer for ask in asks], timeout=SECONDS)
    assert all(ask.answered for ask in asks)


async def test_versions_that_make_no_sense_change_nothing(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    editor.open("x = |\n")
    for version in (5, 3, -1, 0, 2**31 - 2, 4):
        editor.buffer.version = version
        editor.type("a")
    backend.reply("1\n")
    await editor.ghost(invoked=True)
    assert seen(backend) == "x = aaaaaa|\n", "changes count in the order they come"


async def test_ranges_that_make_no_sense_do_no_harm(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    editor.open("a\nb|\n")
    far, here = types.Position(2**31 - 1, 2**31 - 1), types.Position(0, 1)
    for where in (types.Range(far, far), types.Range(here, far), types.Range(far, here)):
        editor.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(2, editor.buffer.uri),
                [types.TextDocumentContentChangePartial(range=where, text="")],
            )
        )
    backend.reply("1\n")
    await editor.request(
        "textDocument/inlineCompletion",
        {
            "textDocument": {"uri": editor.buffer.uri},
            "position": {"line": 0, "character": 0},
            "context": {"triggerKind": 1},
        },
    )
    assert editor.stderr.count("ERROR") == 0


async def test_a_document_opened_again_without_being_closed_is_the_new_one(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("1\n")
    uri = "file:///home/user/twice.py"
    editor.open("old = |\n", uri=uri)
    editor.open("new = |\n", uri=uri)
    await editor.ghost(invoked=True)
    assert seen(backend) == "new = |\n"


@pytest.mark.parametrize(
    "uri", ["", "x", "file:///", "untitled:1", "a b\n", "http://[", "file://host/%zz", "é😀"]
)
async def test_any_uri_names_a_document(editor: Editor, backend: ScriptedTabbyAPI, uri: str) -> None:
    backend.reply("1\n")
    editor.open("x = |\n", uri=uri or "?")
    await editor.ghost(invoked=True)
    assert editor.messages == []


async def test_in_fifty_megabytes_there_are_suggestions_and_a_small_part_is_sent(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    line = "value = compute(first, second)\n"
    half = line * (25_000_000 // len(line))
    backend.reply("1\n")
    editor.show(f"{half}x = |\n{half}", "python", "file:///home/user/big.py")
    buffer = editor.buffer
    editor.client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(buffer.uri, "python", 1, buffer.text))
    )
    where = {"line": half.count("\n"), "character": 4}
    context = {"triggerKind": 1}
    ask = {"textDocument": {"uri": buffer.uri}, "position": where, "context": context}
    assert (await editor.request("textDocument/inlineCompletion", ask)).items
    assert len(backend.completions[-1].body["prompt"]) < 20_000
    editor.close()


async def test_of_a_line_of_five_megabytes_a_small_part_is_sent(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("1\n")
    half = "x,😀 " * 500_000
    editor.show(f"{half}|{half}", "javascript", "file:///home/user/min.js")
    buffer = editor.buffer
    editor.client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(buffer.uri, "javascript", 1, buffer.text))
    )
    where = {"line": 0, "character": 5 * 500_000}
    ask = {"textDocument": {"uri": buffer.uri}, "position": where, "context": {"triggerKind": 1}}
    await editor.request("textDocument/inlineCompletion", ask)
    assert len(backend.completions[-1].body["prompt"]) < 20_000
    editor.close()


async def test_a_question_about_a_document_that_is_closed_meanwhile_is_answered(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply_endlessly()
    for _ in range(20):
        editor.open("x = |\n")
        ask = editor.ask_ghost(invoked=True)
        editor.close()
        await ask


# --- below JSON-RPC ---


@asynccontextmanager
async def raw_server(home: Path) -> AsyncIterator[RpcClient]:
    pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec(*COMMAND, env=at_home(home), **pipes)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    client = RpcClient(process.stdout, process.stdin)
    try:
        yield client
    finally:
        await client.close()
        async with asyncio.timeout(SECONDS):
            await process.wait()
            assert b"Traceback" not in await process.stderr.read()


@pytest.mark.parametrize(
    "noise",
    [
        b"Content-Length: 3\r\n\r\n{{{",
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: 4\r\n\r\nnull",
        b"Content-Length: 0\r\n\r\n",
        b"Content-Length: -7\r\n\r\n",
        b"Content-Length: abc\r\n\r\n",
        b"X-Unknown: 1\r\n\r\n",
        b'Content-Length: 40\r\n\r\n{"jsonrpc":"2.0","id":{},"method":"x"}  ',
        b'Content-Length: 40\r\n\r\n{"jsonrpc":"2.0","id":99,"result":null}  ',
        b'Content-Length: 43\r\n\r\n{"jsonrpc":"2.0","method":"$/x","params":1}',
        b"\r\n\r\n\r\n",
        b'Content-Length: 6\r\n\r\n"\xff\xfe\xfd\xfc"',
    ],
)
async def test_messages_that_are_none_do_not_end_the_session(tmp_path: Path, noise: bytes) -> None:
    async with raw_server(tmp_path) as client:
        await client.initialize()
        await client.send(noise)
        await client.send(message("shutdown", None, 4242))
        async with asyncio.timeout(SECONDS):
            while (await client.answer()).get("id") != 4242:
                pass


async def test_a_client_that_vanishes_in_the_middle_of_a_message_leaves_no_process(tmp_path: Path) -> None:
    async with raw_server(tmp_path) as client:
        await client.initialize()
        await client.send(b"Content-Length: 1000\r\n\r\n{")


# --- the machine ---


@pytest.mark.parametrize("where", ["/dev/null/nothing", "/proc/nothing"])
async def test_with_nowhere_to_write_suggestions_come_all_the_same(tmp_path: Path, where: str) -> None:
    """Read-only and full disks: nothing can be kept, and suggestions come all the same."""
    environment = {f"XDG_{name}_HOME": where for name in ("CACHE", "STATE", "DATA")}
    with ScriptedTabbyAPI() as backend:
        backend.reply("1\n")
        async with Editor(tmp_path, backend=backend.url, environment=environment) as editor:
            editor.open("x = |\n")
            assert await editor.ghost()
            assert len(editor.messages) <= 1
    async with Editor(tmp_path, environment=environment) as editor:
        editor.open("first = read_settings(folder, encoding)\nsecond = read_sett|\n")
        assert await editor.ghost(invoked=True)
        assert len(editor.messages) <= 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
async def test_a_full_disk_under_the_log_and_the_trace_stops_no_suggestion(tmp_path: Path) -> None:
    files = {
        "TABBY_LS_LOG_FILE": "/dev/full",
        "TABBY_LS_LOG_LEVEL": "debug",
        "TABBY_LS_TRACE_FILE": "/dev/full",
    }
    with ScriptedTabbyAPI() as backend:
        backend.reply("1\n")
        async with Editor(tmp_path, backend=backend.url, environment=files) as editor:
            editor.open("x = |\n")
            assert await editor.ghost()
            assert len(editor.messages) <= 2


async def test_while_the_configuration_file_is_broken_what_it_said_stays_in_force(tmp_path: Path) -> None:
    """What was in force stays in force: the user is in the middle of editing it."""
    with ScriptedTabbyAPI() as backend:
        backend.reply("1\n")
        file = tmp_path / "config.toml"
        file.write_text(f'[backend]\nurl = "{backend.url}"\n[local]\nfallback = false\n')
        environment: dict[str, str] = {"TABBY_LS_CONFIG": str(file)}
        async with Editor(tmp_path, environment=environment, configuration={}) as editor:
            editor.open("x = |\n")
            assert await editor.ghost()
            file.write_text('[backend]\nurl = "http')
            editor.settings_changed()
            await eventually(lambda: len(editor.messages) == 1)
            assert str(file) in editor.messages[0]
            editor.replace("x = ", "y = ")
            assert await editor.ghost(), "the server that was configured is still asked"
            file.write_text(f'multiline = "never"\n[backend]\nurl = "{backend.url}"\n')
            editor.settings_changed()
            editor.replace("y = ", "z = ")
            assert await editor.ghost()
            assert len(editor.messages) == 1


async def test_two_servers_on_one_workspace_both_learn_from_it(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.py").write_text("def read_settings(folder, encoding):\n    return folder\n" * 20)
    folders: Any = {"workspaceFolders": [{"uri": project.as_uri(), "name": "project"}]}
    profile = {"clientInfo": {"name": "ghost"}, "capabilities": {"textDocument": {"inlineCompletion": {}}}}
    async with (
        Editor(tmp_path, {**profile, **folders}) as one,
        Editor(tmp_path, {**profile, **folders}) as two,
    ):
        for editor in (one, two):
            editor.open("def read_sett|\n", uri=(project / "b.py").as_uri())
            await eventually(lambda: editor.ghost(invoked=True))  # noqa: B023
