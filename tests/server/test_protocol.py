"""The conversation with a client: every request answered, nothing kept, nothing of the user's logged."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from lsprotocol import types

from tabby_ls.server.protocol import describe
from tests.support.conversation import Conversation, insertion

URI = "file:///w/a.py"
SECRET = "users_own_text"
COMPLETION = "textDocument/completion"
HERE = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}


@pytest.fixture
def new_client() -> Conversation:
    return Conversation()


@pytest.fixture
def client() -> Conversation:
    conversation = Conversation()
    conversation.initialize()
    return conversation


def code(answers: list[dict]) -> int:
    (answer,) = answers
    return answer["error"]["code"]


# --- what is kept ---


async def test_finished_notifications_are_forgotten(client):
    client.server.feature("textDocument/didSave")(lambda params: None)

    @client.server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(params):
        await asyncio.sleep(0)

    client.open(URI, "")
    for version in range(50):
        client.change(URI, insertion(0, 0, "x"), version=version)
        client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
    await client.settle()
    assert client.protocol._request_futures == {}


async def test_answered_requests_are_forgotten_in_both_directions(client):
    @client.server.feature(COMPLETION)
    async def completion(params):
        return []

    @client.server.command("run")
    def run():
        return 1

    client.request(1, COMPLETION, HERE)
    client.request(2, "workspace/executeCommand", {"command": "run"})
    asked = [
        client.protocol.send_request("workspace/configuration", types.ConfigurationParams([]))
        for _ in range(2)
    ]
    ids = [
        answer["id"] for answer in await client.settle() if answer.get("method") == "workspace/configuration"
    ]
    client.send({"jsonrpc": "2.0", "id": ids[0], "result": [{"a": 1}]})
    client.send({"jsonrpc": "2.0", "id": ids[1], "error": {"code": -32000, "message": "no"}})
    assert list(asked[0].result()) == [{"a": 1}]
    assert asked[1].exception() is not None
    assert client.protocol._request_futures == {}
    assert client.protocol._result_types == {}


# --- requests ---


async def test_results_and_failures_are_answered(client):
    @client.server.feature(COMPLETION)
    async def completion(params):
        if params.position.line:
            raise ValueError(SECRET)
        return [types.CompletionItem(label="é")]

    client.request(1, COMPLETION, HERE)
    client.request(2, COMPLETION, {**HERE, "position": {"line": 1, "character": 0}})
    first, second = await client.settle()
    assert (first["id"], first["result"]) == (1, [{"label": "é"}])
    assert (second["id"], second["error"]["code"]) == (2, -32603)
    assert SECRET not in json.dumps(second)


async def test_a_cancelled_request_is_answered(client):
    cancelled = []

    @client.server.feature(COMPLETION)
    async def completion(params):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    client.request(1, COMPLETION, HERE)
    await client.settle()
    client.notify("$/cancelRequest", {"id": 1})
    assert code(await client.settle()) == -32800
    assert cancelled == [True]


async def test_a_result_that_cannot_be_written_is_answered_as_a_failure(client):
    @client.server.feature(COMPLETION)
    async def completion(params):
        return [1j]

    client.request(1, COMPLETION, HERE)
    assert code(await client.settle()) == -32603


@pytest.mark.parametrize(
    "params", [None, 5, [], {}, {"textDocument": {"uri": URI}, "position": {"line": -1}}]
)
def test_params_that_do_not_parse_are_answered(client, params):
    client.server.feature(COMPLETION)(lambda params: None)
    (answer,) = client.request(1, COMPLETION, params)
    assert (answer["id"], answer["error"]["code"]) == (1, -32602)


@pytest.mark.parametrize(
    ("message", "msg_id", "expected"),
    [
        ({"jsonrpc": "2.0", "id": 1, "method": "no/such"}, 1, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": 5}, 1, -32600),
        ({"jsonrpc": "1.0", "id": 1, "method": "shutdown"}, 1, -32600),
        ({"id": "x", "method": "shutdown"}, "x", -32600),
        ({"jsonrpc": "2.0", "id": 1}, 1, -32600),
        ({"jsonrpc": "2.0", "id": {"a": 1}, "method": "shutdown"}, None, -32600),
        ({"jsonrpc": "2.0", "id": None, "method": "shutdown"}, None, -32600),
        ([{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}], None, -32600),
        ("text", None, -32600),
    ],
)
def test_what_is_no_request_is_answered(client, message, msg_id, expected):
    (answer,) = client.send(message)
    assert (answer["id"], answer["error"]["code"]) == (msg_id, expected)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\xfa", b"[" * 100_000])
def test_what_is_no_json_is_answered_and_the_session_goes_on(client, body):
    client.protocol.receive(body)
    (answer,) = client.answers
    assert (answer["id"], answer["error"]["code"]) == (None, -32700)
    assert "result" in client.request(1, "shutdown")[0]


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"textDocument": 5}},
        {"jsonrpc": "2.0", "method": "no/such", "params": {}},
        {"jsonrpc": "2.0", "method": 7},
        {"jsonrpc": "2.0", "id": "unknown", "result": 1},
        {},
    ],
)
def test_a_notification_that_makes_no_sense_is_dropped(client, message):
    assert client.send(message) == []


def test_the_params_of_our_own_methods_are_plain_json(client):
    seen = []
    client.server.feature("tabby/said")(lambda params: seen.append(params))
    client.notify("tabby/said", {"a": [{"type_name": "x y"}]})
    client.send({"jsonrpc": "2.0", "method": "tabby/said"})
    assert seen == [{"a": [{"type_name": "x y"}]}, None]


def test_a_nested_jsonrpc_key_is_just_data(client):
    seen = []
    client.server.feature("tabby/said")(lambda params: seen.append(params))
    client.notify("tabby/said", {"jsonrpc": "2.0", "method": "exit"})
    assert seen == [{"jsonrpc": "2.0", "method": "exit"}]


# --- the session's order ---


def test_requests_before_initialize_are_refused(new_client):
    assert code(new_client.request(1, COMPLETION, HERE)) == -32002
    assert new_client.notify("initialized", {}) == []
    assert "result" in new_client.initialize()


def test_a_second_initialize_is_refused(client):
    assert code(client.request(1, "initialize", {"capabilities": {}})) == -32600


async def test_after_shutdown_requests_are_refused_and_notifications_dropped(client):
    statuses = []
    client.protocol.on_exit = statuses.append
    (answer,) = client.request(1, "shutdown")
    assert answer == {"jsonrpc": "2.0", "id": 1, "result": None}
    assert code(client.request(2, COMPLETION, HERE)) == -32600
    assert client.notify("textDocument/didSave", {}) == []
    client.notify("exit")
    assert statuses == [0]


async def test_shutdown_cancels_what_is_under_way(client):
    @client.server.feature(COMPLETION)
    async def completion(params):
        await asyncio.sleep(60)

    @client.server.command("wait")
    async def wait():
        await asyncio.sleep(60)

    client.request(1, COMPLETION, HERE)
    client.request(2, "workspace/executeCommand", {"command": "wait"})
    await client.settle()
    answers = client.request(3, "shutdown") + await client.settle()
    results = {answer["id"]: answer.get("error", {}).get("code") for answer in answers}
    assert results == {1: -32800, 2: -32800, 3: None}


def test_an_initialize_that_was_answered_before_is_handled_in_silence(new_client):
    new_client.protocol.answered = 0
    assert new_client.request(0, "initialize", {"capabilities": {}}) == []
    assert new_client.protocol.initialized
    assert "result" in new_client.request(1, "shutdown")[0]


# --- what is written ---


@pytest.mark.parametrize("text", ["é世😀\u2028", "half \ud83d"])
def test_what_is_written_is_framed_by_bytes_and_valid_utf8(client, text):
    client.written = b""
    client.server.window_log_message(types.LogMessageParams(types.MessageType.Info, text))
    header, body = client.written.split(b"\r\n\r\n", 1)
    assert int(header.removeprefix(b"Content-Length: ")) == len(body)
    assert json.loads(body.decode("utf-8"))["params"]["message"] == text.replace("\ud83d", "?")


# --- logs ---


async def test_no_text_of_the_users_reaches_a_log(caplog):
    caplog.set_level(logging.DEBUG)
    client = Conversation()
    client.initialize(initializationOptions={"key": SECRET})

    @client.server.feature(COMPLETION)
    async def completion(params):
        raise ValueError(SECRET)

    @client.server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(params):
        raise ValueError(SECRET)

    document = client.open(URI, SECRET)
    client.change(URI, insertion(0, 0, SECRET))
    client.change(URI, {"text": {"not": SECRET}, "range": SECRET})
    client.request(1, COMPLETION, HERE)
    client.request(2, COMPLETION, {"textDocument": SECRET})
    client.notify("textDocument/didSave", {"textDocument": {"uri": URI}, "text": SECRET})
    client.notify("workspace/didChangeConfiguration", {"settings": {"key": SECRET}})
    client.server.window_log_message(types.LogMessageParams(types.MessageType.Info, SECRET))
    asked = client.protocol.send_request("workspace/configuration", types.ConfigurationParams([]))
    asked_id = client.answers[-1]["id"]
    client.send({"jsonrpc": "2.0", "id": asked_id, "result": {"not a list": SECRET}})
    client.protocol.receive(SECRET.encode())
    await client.settle()
    assert SECRET in document.source
    assert asked.done()
    assert len(caplog.records) >= 4
    assert SECRET not in caplog.text


def test_an_error_is_described_by_its_type_and_place():
    def fail():
        raise ValueError(SECRET)

    with pytest.raises(ValueError) as caught:
        fail()
    described = describe(caught.value)
    assert described.startswith("ValueError at test_protocol.py:")
    assert "fail" in described
    assert SECRET not in described
