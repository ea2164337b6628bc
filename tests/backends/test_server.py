"""Where a key goes and where it does not: plain networks, other hosts, proxies, certificates nobody vouches for."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.backends.server import Server
from tabby_ls.settings import BackendSettings
from tests.support.tabbyapi import ScriptedTabbyAPI

#: Reserved for documentation (RFC 5737): nobody answers there.
ELSEWHERE = "http://192.0.2.1:5000"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABBY_LS_API_KEY", "k3y")
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def open_server() -> AsyncIterator[Callable[..., Server]]:
    opened: list[Server] = []

    def make(url: str, **settings: Any) -> Server:
        opened.append(Server(BackendSettings(url=url, connect_timeout=1, **settings), "it"))
        return opened[-1]

    yield make
    for server in opened:
        await server.close()


KEY_HEADERS = ("Authorization", "X-API-Key", "X-Token", "Client-Secret", "Cookie", "X-Password", "Credential")


@pytest.mark.parametrize(
    "settings", [{}, *({"api_key_env": "", "headers": {name: "k3y"}} for name in KEY_HEADERS)]
)
async def test_no_key_travels_in_the_open(
    open_server: Callable[..., Server], settings: dict[str, Any]
) -> None:
    with pytest.raises(BackendError) as caught:
        await open_server(ELSEWHERE, **settings).ask("GET", "/health")
    assert caught.value.trouble is Trouble.REFUSED
    assert "allow_insecure_key" in caught.value.message
    assert "k3y" not in caught.value.message


@pytest.mark.parametrize("settings", [{"allow_insecure_key": True}, {"api_key_env": ""}])
async def test_unless_the_user_says_so_or_there_is_none(
    open_server: Callable[..., Server], settings: dict[str, Any]
) -> None:
    with pytest.raises(BackendError) as caught:
        await open_server(ELSEWHERE, **settings).ask("GET", "/health")
    assert caught.value.trouble in (Trouble.UNREACHABLE, Trouble.TIMEOUT)


async def test_to_this_machine_it_may_go(open_server: Callable[..., Server]) -> None:
    with ScriptedTabbyAPI(api_key="k3y") as tabby:
        reply = await open_server(tabby.url).ask("GET", "/v1/auth/permission")
    assert reply.data == {"permission": "api"}


async def test_one_that_was_refused_is_looked_up_anew(
    open_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Though the command that knows it is run but once: it may ask the user something."""
    (tmp_path / "keys").write_text("old\nk3y\n")
    code = (
        f"f = {str(tmp_path / 'keys')!r}; first, *rest = open(f); print(first); open(f, 'w').writelines(rest)"
    )
    with ScriptedTabbyAPI(api_key="k3y") as tabby:
        server = open_server(tabby.url, api_key_command=[sys.executable, "-c", code])
        with pytest.raises(BackendError) as caught:
            await server.ask("GET", "/v1/models")
        assert caught.value.trouble is Trouble.UNAUTHORIZED
        for _ in range(2):
            assert (await server.ask("GET", "/v1/models")).status == 200


async def test_a_proxy_that_is_down_is_named(
    open_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with pytest.raises(BackendError, match="the proxy that the environment names") as caught:
        await open_server("http://backend.example", api_key_env="").ask("GET", "/health")
    assert caught.value.trouble is Trouble.UNREACHABLE


@asynccontextmanager
async def encrypted(authority: trustme.CA) -> AsyncIterator[str]:
    """A server behind a certificate of `authority`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as listener:
        yield f"https://localhost:{listener.sockets[0].getsockname()[1]}"


async def test_a_certificate_of_the_users_own(open_server: Callable[..., Server], tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with encrypted(authority) as url:
        with pytest.raises(BackendError) as caught:
            await open_server(url).ask("GET", "/health")
        assert caught.value.trouble is Trouble.UNREACHABLE
        assert "certificate" in caught.value.message
        assert "ca_file" in caught.value.message
        trusting = open_server(url, ca_file=str(tmp_path / "ca.pem"))
        assert (await trusting.ask("GET", "/health")).status == 200
        await trusting.close()


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), ("nothing\n", "no certificate")])
async def test_a_file_of_certificates_that_is_none_is_named(
    open_server: Callable[..., Server], tmp_path: Path, content: str | None, why: str
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(BackendError) as caught:
        await open_server("https://localhost:1", ca_file=str(tmp_path / "ca.pem")).ask("GET", "/health")
    assert "ca_file" in caught.value.message
    assert why in caught.value.message
