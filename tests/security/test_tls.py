"""https with certificates of the tests' own: whom the real command line and the real server believe."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from tests.commands.conftest import Run
from tests.support.editor import Editor
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

KEY = "k3y-that-is-for-one-server-only"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(tmp_path: Path, authority: trustme.CA) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


@contextmanager
def encrypted(server: ScriptedTabbyAPI, authority: trustme.CA, name: str = "localhost") -> Iterator[str]:
    """Yield an https address in front of `server`, with a certificate for `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    behind = urlsplit(server.url)
    ready, addresses = threading.Event(), []
    loop = asyncio.new_event_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(behind.hostname, behind.port)
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer), return_exceptions=True)

    async def main() -> None:
        stopped.append(asyncio.Event())
        loop.set_exception_handler(lambda *_: None)  # clients that hang up during the handshake are the point
        listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
        addresses.append(f"https://localhost:{listener.sockets[0].getsockname()[1]}")
        ready.set()
        await stopped[0].wait()
        listener.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    stopped: list[asyncio.Event] = []
    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    ready.wait()
    try:
        yield addresses[0]
    finally:
        loop.call_soon_threadsafe(stopped[0].set)
        thread.join()
        loop.close()


@pytest.fixture
def backend() -> Iterator[ScriptedTabbyAPI]:
    with ScriptedTabbyAPI(api_key=KEY) as server:
        server.reply("1 + 2\n")
        yield server


def test_an_unknown_authority_is_refused(run: Run, backend: ScriptedTabbyAPI, authority: trustme.CA) -> None:
    with encrypted(backend, authority) as url:
        result = run("check", "--backend", url, TABBY_LS_API_KEY=KEY)
    assert result.returncode == 1
    assert "certificate" in result.stdout
    assert "ca_file" in result.stdout
    assert result.stdout.count("✗") == 1
    assert "Traceback" not in result.stderr
    assert backend.requests == []


def test_the_users_own_authority_is_trusted(
    run: Run, backend: ScriptedTabbyAPI, authority: trustme.CA, ca_file: str
) -> None:
    with encrypted(backend, authority) as url:
        result = run("check", "--backend", url, TABBY_LS_API_KEY=KEY, TABBY_LS_BACKEND_CA_FILE=ca_file)
    assert result.returncode == 0, result.stdout + result.stderr
    assert backend.completions
    assert KEY not in result.stdout + result.stderr


def test_a_certificate_for_another_host_is_refused(
    run: Run, backend: ScriptedTabbyAPI, authority: trustme.CA, ca_file: str
) -> None:
    with encrypted(backend, authority, "elsewhere.example") as url:
        result = run("check", "--backend", url, TABBY_LS_API_KEY=KEY, TABBY_LS_BACKEND_CA_FILE=ca_file)
    assert result.returncode == 1
    assert "certificate" in result.stdout
    assert "localhost" in result.stdout
    assert result.stdout.count("✗") == 1
    assert backend.requests == []


@pytest.mark.parametrize("trusted", [True, False])
async def test_an_editors_server_believes_the_same(
    tmp_path: Path, backend: ScriptedTabbyAPI, authority: trustme.CA, ca_file: str, trusted: bool
) -> None:
    more = {"TABBY_LS_BACKEND_CA_FILE": ca_file} if trusted else {}
    with encrypted(backend, authority) as url:
        async with Editor(
            tmp_path, backend=url, environment={"TABBY_LS_API_KEY": KEY, **more}, secrets=[KEY]
        ) as editor:
            editor.open("x = |\n")
            items = await editor.ghost(invoked=True)
            if trusted:
                assert items[0].insert_text == "1 + 2"
                assert editor.messages == []
            else:
                await eventually(lambda: editor.messages)
                await editor.ghost(invoked=True)
                (message,) = editor.messages
                assert "certificate" in message
                assert backend.requests == []
