"""How a client reaches the server: stdio, one TCP connection or one WebSocket.

Each `serve_*` function runs the process's event loop until the connection ends and returns the exit status. They
differ only in where the bytes come from and go to.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import stat
import sys
import threading
from collections.abc import Coroutine
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import define

from tabby_ls.server.connection import Chunks, Connection, OnEnd, finish
from tabby_ls.server.framing import MAX_BODY

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

_CHUNK = 1 << 18
_CHUNKS_AHEAD = 64
#: What every message begins with (LSP 3.17, "Base Protocol"), and no request of HTTP.
_FIRST_BYTES = b"content-"


def serve_stdio(
    server: LanguageServer,
    *,
    stdin: int = 0,
    stdout: int = 1,
    received: bytes = b"",
    answered: int | str | None = None,
    on_end: OnEnd | None = None,
) -> int:
    """Serve the process that holds the other ends of two file descriptors.

    `received` is what the caller has read from `stdin` already, and `answered` the id of a request in it whose
    response the caller has written: it is handled, but not answered again. While this runs, what anything
    prints to `sys.stdout` goes to stderr.
    """
    server.protocol.answered = answered  # type: ignore[attr-defined]
    sys.stdout.flush()
    with contextlib.redirect_stdout(sys.stderr):
        return _run(_serve_stdio(server, stdin, stdout, received, on_end))


def serve_tcp(
    server: LanguageServer, host: str = "127.0.0.1", port: int = 0, *, on_end: OnEnd | None = None
) -> int:
    """Serve the first client that connects, until it disconnects. The address goes to stderr as one line."""
    return _run(_serve_tcp(server, host, port, on_end))


def serve_ws(
    server: LanguageServer, host: str = "127.0.0.1", port: int = 0, *, on_end: OnEnd | None = None
) -> int:
    """Serve the first WebSocket client, until it disconnects. The address goes to stderr as one line.

    A web page may connect only if it came from this machine itself: browsers let any page try.
    """
    try:
        import websockets.asyncio.server  # noqa: F401
    except ImportError:
        sys.stderr.write(
            "tabby-ls: WebSockets need one more package: `pipx inject tabby-ls websockets`, "
            "or `pip install websockets` where tabby-ls is installed\n"
        )
        return 1
    return _run(_serve_ws(server, host, port, on_end))


def _run(main: Coroutine[Any, Any, int]) -> int:
    try:
        return asyncio.run(main)
    except KeyboardInterrupt:  # only where the loop cannot take signals itself
        return 0


# --- stdio ---


async def _serve_stdio(
    server: LanguageServer, stdin: int, stdout: int, received: bytes, on_end: OnEnd | None
) -> int:
    connection = Connection(server, on_end)
    server.protocol.set_writer(_DescriptorWriter(stdout, connection))
    chunks = _pipe_chunks(stdin) if _is_own_pipe(stdin, stdout) else _thread_chunks(stdin)
    return await connection.run(connection.read(_after(received, chunks)), connection.watch_client())


@define
class _DescriptorWriter:
    """Writes at once and whole; a client that no longer reads ends the connection."""

    _descriptor: int
    _connection: Connection

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except BlockingIOError:  # inherited in non-blocking mode, and full
                    select.select([], [self._descriptor], [])
        except OSError:
            self._connection.lose_client()

    def close(self) -> None:
        """Leave the descriptor to the process."""


def _is_own_pipe(stdin: int, stdout: int) -> bool:
    """Whether the event loop can read `stdin`, and put it in non-blocking mode without harm to `stdout`.

    A terminal or a socket may be both, with one mode for both; files and Windows' pipes need a thread.
    """
    status = os.fstat(stdin)
    pipe = stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode)
    return os.name == "posix" and pipe and not os.path.samestat(status, os.fstat(stdout))


async def _after(received: bytes, chunks: Chunks) -> Chunks:
    """What has been read already, then the rest."""
    async with contextlib.aclosing(chunks):
        if received:
            yield received
        async for chunk in chunks:
            yield chunk


async def _pipe_chunks(descriptor: int) -> Chunks:
    """Bytes as the event loop sees them arrive: a message costs a fourth of what a thread's hand-over does."""
    reader = asyncio.StreamReader(limit=_CHUNK)
    with open(descriptor, "rb", buffering=0, closefd=False) as pipe:  # noqa: ASYNC230
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            async with contextlib.aclosing(_stream_chunks(reader)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            transport.close()


async def _thread_chunks(descriptor: int) -> Chunks:
    """Bytes read by a thread, for what the event loop cannot read; a daemon, since nothing interrupts a read."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    ahead = threading.Semaphore(_CHUNKS_AHEAD)

    def read() -> None:
        chunk = b"."
        while chunk:
            ahead.acquire()
            try:
                chunk = os.read(descriptor, _CHUNK)
            except OSError:
                chunk = b""
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process is ending
                loop.call_soon_threadsafe(queue.put_nowait, chunk)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while chunk := await queue.get():
        ahead.release()
        yield chunk


async def _stream_chunks(reader: asyncio.StreamReader) -> Chunks:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            yield chunk


# --- TCP ---


async def _serve_tcp(server: LanguageServer, host: str, port: int, on_end: OnEnd | None) -> int:
    connection = Connection(server, on_end)
    client: asyncio.StreamWriter | None = None

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal client
        first = b"" if client is not None else await _first_bytes(reader)
        if client is not None or first.lower() != _FIRST_BYTES:
            writer.close()
            return
        client = writer
        server.protocol.set_writer(writer)
        await connection.read(_after(first, _stream_chunks(reader)))

    listener = await asyncio.start_server(connected, host, port)
    _announce(listener.sockets[0].getsockname())
    try:
        return await connection.run()
    finally:
        listener.close()
        if client is not None:
            client.close()
            await finish(client.wait_closed())


async def _first_bytes(reader: asyncio.StreamReader) -> bytes:
    """Return as much as tells a client from a web page: browsers let any page send what it likes behind their headers."""
    first = b""
    with contextlib.suppress(ConnectionError):
        while len(first) < len(_FIRST_BYTES) and (chunk := await reader.read(len(_FIRST_BYTES) - len(first))):
            first += chunk
    return first


# --- WebSocket ---


async def _serve_ws(server: LanguageServer, host: str, port: int, on_end: OnEnd | None) -> int:
    from websockets.asyncio.server import serve
    from websockets.frames import CloseCode

    connection = Connection(server, on_end)
    outgoing: asyncio.Queue[bytes] | None = None

    def admit(socket: ServerConnection, request: Request) -> Response | None:
        origin = request.headers.get("Origin")
        if origin is not None and not _is_loopback(origin):
            return socket.respond(HTTPStatus.FORBIDDEN, "pages from elsewhere may not connect\n")
        return None

    async def connected(socket: ServerConnection) -> None:
        nonlocal outgoing
        if outgoing is not None:
            await socket.close(CloseCode.TRY_AGAIN_LATER, "another client is connected")
            return
        outgoing = asyncio.Queue()
        server.protocol.set_writer(_QueueWriter(outgoing), include_headers=False)
        sending = asyncio.create_task(_send_all(outgoing, socket))
        try:
            async for message in socket:
                await connection.handle(message)
        finally:
            sending.cancel()
            connection.lose_client()

    async with serve(connected, host, port, process_request=admit, max_size=MAX_BODY) as listener:
        _announce(next(iter(listener.sockets)).getsockname())
        status = await connection.run()
        if outgoing is not None:
            await finish(outgoing.join())
        return status


@define
class _QueueWriter:
    """Lines messages up, since a WebSocket's send has to be awaited."""

    _queue: asyncio.Queue[bytes]

    def write(self, data: bytes) -> None:
        self._queue.put_nowait(data)

    def close(self) -> None:
        """Leave the end to the listener, which closes its connections."""


async def _send_all(queue: asyncio.Queue[bytes], socket: ServerConnection) -> None:
    from websockets.exceptions import ConnectionClosed

    while True:
        data = await queue.get()
        with contextlib.suppress(ConnectionClosed):
            await socket.send(data.decode())
        queue.task_done()


def _is_loopback(origin: str) -> bool:
    """Whether a web page's origin is this machine; `null`, of files and sandboxes, is not."""
    try:
        return urlsplit(origin).hostname in {"localhost", "127.0.0.1", "::1"}
    except ValueError:
        return False


def _announce(address: tuple[Any, ...]) -> None:
    sys.stderr.write(f"tabby-ls: listening on {address[0]}:{address[1]}\n")
    sys.stderr.flush()
