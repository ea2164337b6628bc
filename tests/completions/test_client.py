"""The client: what it takes for an address, what it sends along, and when it tries again."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from pathlib import Path

import pytest
import trustme

from tabby_ls.completions import (
    CompletionRequest,
    CompletionsClient,
    RateLimitError,
    RequestError,
    ValidationError,
    pool,
)
from tests.support.replay import RECORDINGS, replaying
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

REQUEST = CompletionRequest("x", max_tokens=8)
HEALTHY = RECORDINGS["health"].response


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/", "/prefix/v1/", " "])
async def test_the_address_may_name_the_api_or_not(suffix: str) -> None:
    async with replaying([HEALTHY]) as server, CompletionsClient(server.url + suffix) as client:
        await client.health()
        with pytest.raises(Exception, match="missing"):
            await client.create(REQUEST)
    prefix = "/prefix" if "prefix" in suffix else ""
    assert [path for _, path, _, _ in server.requests] == [f"{prefix}/health", f"{prefix}/v1/completions"]


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "localhost:5000",
            "ftp://x",
            "http://",
            "http://[x",
            "http://x:y",
            "http://u:p@x",
            "http://x?a",
        ),
        *("http://x y", "http://x..y"),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CompletionsClient(url)
    assert caught.value.field == "base_url"


async def test_a_path_may_hold_anything() -> None:
    async with replaying([HEALTHY]) as server, CompletionsClient(server.url + "/a b/ü/%2F") as client:
        await client.health()
    assert server.requests[0][1] == "/a%20b/%C3%BC/%2F/health"


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
async def test_an_address_of_ipv6() -> None:
    async with replaying([HEALTHY], host="::1") as server, CompletionsClient(server.url) as client:
        assert (await client.health()).is_healthy
    assert server.requests[0][2]["host"] == server.url.removeprefix("http://")


async def test_headers_of_the_user_replace_those_of_the_client() -> None:
    headers = {"host": "other.example", "USER-AGENT": "mine"}
    async with replaying([HEALTHY]) as server, CompletionsClient(server.url, headers=headers) as client:
        await client.health()
    sent = server.requests[0][2]
    assert (sent["host"], sent["user-agent"]) == ("other.example", "mine")
    assert sent["accept-encoding"] == "identity", "what comes packed is not read"


@pytest.mark.parametrize(
    ("name", "value"),
    [("Content-Length", "7"), ("transfer-encoding", "gzip"), ("a b", "x"), ("a", "ü"), ("a", "x\r\nb: y")],
)
def test_a_header_that_cannot_be_sent_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match="headers"):
        CompletionsClient("http://x", headers={name: value})


async def test_of_several_headers_with_one_name_the_first_counts() -> None:
    refused = b"HTTP/1.1 429 X\r\nX-Request-Id: one\r\nx-request-id: two\r\nx-other: \xfc\r\ncontent-length: 0\r\n\r\n"
    async with replaying([refused]) as server, CompletionsClient(server.url) as client:
        with pytest.raises(RateLimitError) as caught:
            await client.create(REQUEST)
    assert caught.value.request_id == "one"


async def test_authorities_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with replaying([HEALTHY], tls=tls) as server:
        async with CompletionsClient(server.url) as client:
            with pytest.raises(RequestError) as caught:
                await client.health()
        assert caught.value.code == "certificate_error"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        async with CompletionsClient(server.url) as client:
            assert (await client.health()).is_healthy


@pytest.mark.parametrize("content", [None, "rubbish"])
def test_authorities_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(ValidationError, match="SSL_CERT_FILE"):
        CompletionsClient("https://completions.example")


async def test_the_key_goes_out_once_and_as_a_bearer() -> None:
    async with replaying([HEALTHY]) as server:
        async with CompletionsClient(server.url, api_key="key", headers={"X-Team": "a"}) as client:
            await client.health()
        async with CompletionsClient(server.url) as client:
            await client.health()
    with_key, without = (headers for _, _, headers, _ in server.requests)
    assert with_key["authorization"] == "Bearer key"
    assert with_key["x-team"] == "a"
    assert "x-api-key" not in with_key
    assert "authorization" not in without


@pytest.mark.parametrize("name", ["Authorization", "x-api-key", "X-Admin-Key"])
def test_a_second_key_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="headers"):
        CompletionsClient("http://x", api_key="a", headers={name: "b"})


async def test_a_request_is_sent_as_json() -> None:
    with ScriptedTabbyAPI(api_key="key") as server:
        async with CompletionsClient(server.url, api_key="key") as client:
            await client.create(REQUEST)
            async with client.create_stream(REQUEST) as stream:
                assert [chunk async for chunk in stream]
    whole, streamed = server.completions
    assert whole.body == {"prompt": "x", "max_tokens": 8}
    assert streamed.body == {"prompt": "x", "max_tokens": 8, "stream": True}
    assert whole.headers["content-type"] == "application/json"


async def test_redirects_are_not_followed() -> None:
    async with replaying([HEALTHY]) as elsewhere:
        redirect = f"HTTP/1.1 307 X\r\nlocation: {elsewhere.url}\r\ncontent-length: 0\r\n\r\n".encode()
        async with replaying([redirect]) as server, CompletionsClient(server.url, api_key="k") as client:
            with pytest.raises(Exception, match="redirect"):
                await client.create(REQUEST)
        assert elsewhere.requests == []


async def test_a_kept_connection_that_was_closed_meanwhile_is_tried_once_more() -> None:
    basic = RECORDINGS["ns_basic"].response
    async with replaying([HEALTHY], [], [basic]) as server, CompletionsClient(server.url) as client:
        await client.health()
        assert (await client.create(REQUEST)).text
    assert (server.connections, len(server.requests)) == (2, 3)


async def test_so_is_one_that_was_reset() -> None:
    basic = RECORDINGS["ns_basic"].response
    answers = iter((HEALTHY, b"", basic))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            if not (answer := next(answers)):
                at_once = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                break
            writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with CompletionsClient(f"http://127.0.0.1:{port}") as client:
            await client.health()
            assert (await client.create(REQUEST)).text


async def test_a_connection_that_was_idle_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_KEEPALIVE_SECONDS", 0.01)
    async with replaying([HEALTHY]) as server, CompletionsClient(server.url) as client:
        await client.health()
        await asyncio.sleep(0.02)
        await client.health()
    assert server.connections == 2


async def test_a_fresh_connection_that_is_closed_is_not_tried_again() -> None:
    async with replaying([]) as server, CompletionsClient(server.url) as client:
        with pytest.raises(RequestError) as caught:
            await client.create(REQUEST)
    assert caught.value.code == "connection_error"
    assert len(server.requests) == 1


async def test_a_name_without_an_address() -> None:
    async with CompletionsClient("http://nowhere.invalid") as client:
        with pytest.raises(RequestError) as caught:
            await client.health()
    assert caught.value.code == "unknown_host"


async def test_a_server_that_speaks_no_tls() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a handshake as uvicorn, TabbyAPI's server, does."""
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\nInvalid HTTP request received.")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with CompletionsClient(f"https://127.0.0.1:{port}") as client:
            with pytest.raises(RequestError) as caught:
                await client.health()
    assert caught.value.code == "tls_error"


async def test_many_streams_run_at_once() -> None:
    with ScriptedTabbyAPI() as server:
        async with CompletionsClient(server.url) as client:

            async def ask() -> str:
                async with client.create_stream(REQUEST) as stream:
                    return "".join([chunk.text async for chunk in stream])

            server.reply(["x"] * 3, ending="hang")
            asking = [asyncio.create_task(ask()) for _ in range(120)]
            await eventually(lambda: server.open_streams == 120)
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            await eventually(lambda: server.open_streams == 0)


async def test_a_client_for_plain_http_costs_next_to_nothing() -> None:
    async def make(url: str) -> float:
        started = time.perf_counter()
        async with CompletionsClient(url):
            return time.perf_counter() - started

    await make("http://127.0.0.1")
    plain = min([await make("http://127.0.0.1") for _ in range(5)])
    encrypted = min([await make("https://127.0.0.1") for _ in range(3)])
    assert plain < encrypted / 3
