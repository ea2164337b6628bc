"""The scripted server speaks like the recordings and tells what became of a request."""

from __future__ import annotations

import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import wait_until

RECORDINGS = Path(__file__).parent.parent / "wire" / "tabbyapi"
BASIC = ["def", " add", "(a,", " b):", "\n    return", " a + b", "\n"]


def connect(server: ScriptedTabbyAPI) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def send(connection: socket.socket, method: str, path: str, body: Any = None, *headers: str) -> None:
    raw = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(raw)}", *headers, "\r\n"]
    connection.sendall("\r\n".join(lines).encode() + raw)


def receive(connection: socket.socket, until: bytes = b"0\r\n\r\n") -> bytes:
    received = b""
    while until not in received and (piece := connection.recv(65536)):
        received += piece
    return received


def without_identity(response: bytes) -> bytes:
    """Blank what differs from one exchange to the next: times, ids, the model's name."""
    response = re.sub(rb"date: [^\r]*", b"date", response)
    response = re.sub(rb'"created": \d+', b'"created"', response)
    return re.sub(rb"chatcmpl-[0-9a-f]{32}", b"id", response)


@pytest.mark.parametrize(
    ("recording", "pieces", "extra"),
    [
        ("s_basic", BASIC, {}),
        ("s_length", ["def", " add", "(a", ",", " b"], {"max_tokens": 4}),
        ("s_stop_str", ["def", " add", "(a,", " b):", "\n   ", " return"], {"stop": ["\n    "]}),
        ("s_empty_generation", [], {}),
        ("s_no_max_tokens", BASIC, {"max_tokens": None}),
        ("s_unicode", ["é", "漢字😀\u2028", "\u0085\x0b\f", '"\\\r\n', "\t\0"], {}),
    ],
)
def test_a_stream_is_framed_as_recorded(recording: str, pieces: list[str], extra: dict[str, Any]) -> None:
    with ScriptedTabbyAPI(model="StubCoder-1B-exl3") as server, connect(server) as connection:
        server.reply(pieces)
        send(connection, "POST", "/v1/completions", {"prompt": "p", "max_tokens": 64, "stream": True} | extra)
        received = receive(connection)
    recorded = (RECORDINGS / f"{recording}.resp").read_bytes()
    assert without_identity(received) == without_identity(recorded)


def test_a_whole_answer_is_framed_as_recorded() -> None:
    with ScriptedTabbyAPI(model="StubCoder-1B-exl3") as server, connect(server) as connection:
        server.reply(BASIC)
        send(connection, "POST", "/v1/completions", {"prompt": "p", "max_tokens": 64})
        received = receive(connection, until=b"}]")
    recorded = (RECORDINGS / "ns_basic.resp").read_bytes()
    blank = re.compile(rb"date: [^\r]*|cmpl-[0-9a-f]{32}|\"created\":\d+")
    assert blank.sub(b"", received)[:170] == blank.sub(b"", recorded)[:170]


def test_a_connection_serves_one_request_after_another() -> None:
    with ScriptedTabbyAPI() as server, connect(server) as connection:
        for path in ("/health", "/v1/model", "/v1/models", "/v1/auth/permission", "/.well-known/serviceinfo"):
            send(connection, "GET", path)
            assert receive(connection, until=b"}").startswith(b"HTTP/1.1 200 OK\r\n")
        assert server.connections == 1
        assert [request.ended for request in server.requests[:-1]] == ["complete"] * 4


def test_the_end_of_a_stream_that_the_client_closes_is_seen() -> None:
    with ScriptedTabbyAPI() as server:
        server.reply_endlessly()
        with connect(server) as connection:
            send(connection, "POST", "/v1/completions", {"prompt": "p", "max_tokens": 8, "stream": True})
            connection.recv(1)
            wait_until(lambda: server.open_streams == 1)
            closed = time.monotonic()
        wait_until(lambda: server.completions[0].ended == "closed by client")
        assert (server.completions[0].ended_at or 0) >= closed
        assert server.open_streams == 0


@pytest.mark.parametrize(
    ("ending", "tail"),
    [
        ("error", b'63\r\ndata: {"error":{"message":"Completion aborted. Please check the server console."'),
        ("cut", b'"text": " add"'),
        ("pings", b": ping - 20"),
    ],
)
def test_a_stream_can_fail_after_its_pieces(ending: Any, tail: bytes) -> None:
    with ScriptedTabbyAPI(ping_interval=0.02) as server, connect(server) as connection:
        server.reply(BASIC, ending=ending, after=2)
        send(connection, "POST", "/v1/completions", {"prompt": "p", "max_tokens": 64, "stream": True})
        received = receive(connection, until=b": ping" if ending == "pings" else b"\n0\r\n\r\n")
        assert tail in received
        assert received.count(b'"finish_reason": null') == 2
        assert (b"\n0\r\n\r\n" in received) == (ending == "error")


@pytest.mark.parametrize(
    ("options", "body", "status"),
    [
        ({"model": None}, {"prompt": "p"}, b"503"),
        ({"model": None}, {"prompt": "p", "model": "x"}, b"500"),
        ({"api_key": "k"}, {"prompt": "p"}, b"401"),
        ({"cache_size": 4096}, {"prompt": "word" * 2049}, b"400"),
        ({"cache_size": 4096}, {"prompt": "word" * 2048}, b"200"),
        ({}, {}, b"422"),
        ({}, {"prompt": "p", "temperature": None}, b"503"),
    ],
)
def test_requests_are_refused_as_the_real_server_does(
    options: dict[str, Any], body: dict[str, Any], status: bytes
) -> None:
    with ScriptedTabbyAPI(**options) as server, connect(server) as connection:
        send(connection, "POST", "/v1/completions", body)
        assert receive(connection, until=b"\r\n\r\n").split()[1] == status


def test_special_tokens_are_one_token_and_text_about_one_for_four_characters() -> None:
    with ScriptedTabbyAPI() as server:
        tokens = server.tokenizer.encode("<|fim_prefix|>def add(<|fim_suffix|>", bos=True)
        assert len(tokens) == 1 + 1 + 2 + 1
        assert server.tokenizer.decode(tokens) == "<|fim_prefix|>def add(<|fim_suffix|>"


def test_an_error_in_an_answer_reaches_the_test() -> None:
    def answer(prompt: str) -> str:
        raise AssertionError(prompt)

    def ask() -> None:
        with ScriptedTabbyAPI() as server, connect(server) as connection:
            server.reply(answer)
            send(connection, "POST", "/v1/completions", {"prompt": "the prompt", "max_tokens": 8})
            receive(connection)

    with pytest.raises(AssertionError, match="the prompt"):
        ask()
