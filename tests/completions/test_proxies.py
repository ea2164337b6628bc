"""Proxies that the environment names: which server is reached through one, what it is told, and what may be wrong with it."""

from __future__ import annotations

import asyncio
import base64
import ssl
import sys
from contextlib import suppress

import pytest
import trustme

from tabby_ls.completions import CompletionsClient, RequestError, ValidationError
from tabby_ls.completions.pool import proxy_for
from tests.support.replay import RECORDINGS, replaying

HEALTHY = RECORDINGS["health"].response


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no proxy, and no place without one."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def test_a_proxy_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with replaying([HEALTHY]) as server, CompletionsClient(server.url) as client:
        assert (await client.health()).is_healthy


async def test_nor_for_another_name_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with CompletionsClient("http://me.localhost:1") as client:
        with pytest.raises(RequestError) as caught:
            await client.health()
    assert caught.value.code != "proxy_error"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_a_proxy_is_asked_for_the_network(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    async with replaying([HEALTHY]) as proxy:
        monkeypatch.setenv(name, proxy.url)
        async with CompletionsClient("http://completions.example") as client:
            assert (await client.health()).is_healthy
        assert proxy.requests[0][1] == "http://completions.example/health"


async def test_a_proxy_gets_its_own_password(monkeypatch: pytest.MonkeyPatch) -> None:
    async with replaying([HEALTHY]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("://", "://me:p%40ss%C3%BC@"))
        async with CompletionsClient("http://completions.example/api/") as client:
            assert (await client.health()).is_healthy
    assert proxy.requests[0][1] == "http://completions.example/api/health"
    sent = {name.lower(): value for name, value in proxy.requests[0][2].items()}
    assert sent["proxy-authorization"] == f"Basic {base64.b64encode('me:p@ssü'.encode()).decode()}"
    assert sent["host"] == "completions.example"


async def test_a_proxy_may_speak_socks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """RFC 1928 (a greeting, a request for a host by its name) and RFC 1929 (a name and a password)."""
        await reader.readexactly(3)
        writer.write(b"\5\2")
        asked.append(await reader.readexactly(len(b"\1\2me\4word")))
        writer.write(b"\1\0")
        asked.append(await reader.readexactly(len(b"\5\1\0\3\x13completions.example\0\x51")))
        writer.write(b"\5\0\0\1" + bytes(6))
        asked.append(await reader.readuntil(b"\r\n"))
        writer.write(HEALTHY)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        monkeypatch.setenv("ALL_PROXY", f"socks5h://me:word@127.0.0.1:{port}")
        async with CompletionsClient("http://completions.example:81") as client:
            assert (await client.health()).is_healthy
    assert asked == [b"\1\2me\4word", b"\5\1\0\3\x13completions.example\0\x51", b"GET /health HTTP/1.1\r\n"]


async def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
    async with replaying([refusal]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with CompletionsClient("https://completions.example", api_key="key") as client:
            with pytest.raises(RequestError, match="failed: 407 Proxy Authentication") as caught:
                await client.health()
    assert caught.value.code == "proxy_error"
    assert [(method, path) for method, path, _, _ in proxy.requests] == [
        ("CONNECT", "completions.example:443")
    ]
    assert "authorization" not in proxy.requests[0][2]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_down_is_told_from_a_server_that_is(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    for host, code in (("completions.example", "proxy_error"), ("127.0.0.1:1", "connection_error")):
        async with CompletionsClient(f"{scheme}://{host}") as client:
            with pytest.raises(RequestError) as caught:
                await client.health()
        assert caught.value.code == code


async def test_behind_a_proxy_a_certificate_that_nobody_vouches_for_is_named_as_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("completions.example").configure_cert(tls)

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):
            await writer.start_tls(tls)
        writer.close()

    async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        async with CompletionsClient("https://completions.example") as client:
            with pytest.raises(RequestError) as caught:
                await client.health()
    assert caught.value.code == "certificate_error"


@pytest.mark.parametrize(
    ("spared", "host", "is_spared"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("elsewhere.example, 192.168.1.0/24", "192.168.1.7", True),
        ("fd00::/8", "fd00::1", True),
        ("10.0.0.0/nonsense", "10.1.2.3", False),
        (".example", "gpu.example", True),
        ("gpu.example", "gpu.example", True),
        ("gpu.example:5000", "gpu.example", True),
        ("gpu.example:5001", "gpu.example", False),
        ("fd00::1", "fd00::1", True),
        ("*", "gpu.example", True),
        ("", "gpu.example", False),
    ],
)
def test_whom_no_proxy_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, spared: str, host: str, is_spared: bool
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", spared)
    proxy = proxy_for("http", host, 5000)
    assert (proxy is None) is is_spared
    if proxy is not None:
        assert (proxy.url.scheme, proxy.url.host, proxy.url.port) == (b"http", b"proxy.example", 3128)


@pytest.mark.parametrize(
    ("proxy", "problem"),
    [
        ("socks5://127.0.0.1:1", "socksio"),
        ("gopher://127.0.0.1:1", "none of http, https"),
        ("http://127.0.0.1:99999", "not an address"),
        ("http://[x", "not an address"),
        ("http://", "names no host"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, proxy: str, problem: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ValidationError, match=problem):
        CompletionsClient("http://completions.example")


async def test_a_host_of_other_letters_than_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    async with replaying([HEALTHY]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with CompletionsClient("http://bücher.example:81") as client:
            await client.health()
    assert proxy.requests[0][1] == "http://xn--bcher-kva.example:81/health"
    assert proxy.requests[0][2]["host"] == "xn--bcher-kva.example:81"
