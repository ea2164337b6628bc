"""A scripted server: a program's own HTTP, with answers chosen by the test. Each program is a subclass.

    with ScriptedTabbyAPI() as server:
        server.reply("return a + b\\n", delay_between=0.01)
        ...  # talk to server.url
        wait_until(lambda: server.completions[-1].ended == "closed by client")

The server runs in a thread of its own, so that tests with and without an event loop can use it.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self
from weakref import WeakSet

from attrs import define

from tests.support.raw_http import HTTPError, WatchedReader, read_request, send_whole
from tests.support.scripted_model import Answer, Ending, Generation, Plan

Ended = Literal["complete", "closed by client", "cut"]


@define(eq=False)
class Request:
    """A request as it came in, and what became of it. Header names are lower case; times are monotonic."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    time: float
    connection: int
    ended: Ended | None = None
    ended_at: float | None = None
    pieces_sent: int = 0


class _Listener(asyncio.StreamReaderProtocol):
    """Keeps account of connections from the moment they are accepted."""

    def __init__(self, reader: WatchedReader, serve: Any, transports: WeakSet[asyncio.Transport]) -> None:
        super().__init__(reader, serve)
        self._transports = transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transports.add(transport)
        super().connection_made(transport)


async def _some_turns() -> None:
    """Let the event loop finish what it has begun: counted in turns, since time says nothing on a busy machine."""
    for _ in range(20):
        await asyncio.sleep(0)


class ScriptedServer:
    """A server of one kind. Its attributes may be changed between requests."""

    #: Where completions are asked for, by POST.
    completion_paths: tuple[str, ...] = ("/v1/completions",)
    #: What it calls the cause when the key is missing, and when it is wrong.
    key_errors: tuple[Any, Any] = ({"detail": "Please provide an API key"}, {"detail": "Invalid API key"})
    #: Further header lines of every answer.
    headers: tuple[str, ...] = ()

    def __init__(self, *, model: str | None, api_key: str | None = None, port: int = 0) -> None:
        """`port` is for a server that comes back where another one was."""
        self.model = model
        self.api_key = api_key
        self.requests: list[Request] = []
        self.open_streams = 0
        self.connections = 0
        self.url = ""
        self._port = port
        self._plan = Plan()
        self._next_plans: deque[Plan] = deque()
        self._error: Exception | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="scripted server")

    # What a kind of server says

    def look_up(self, request: Request) -> tuple[int, Any]:
        """Answer a request that is no completion; HTTPError is an answer too."""
        raise NotImplementedError

    async def complete(self, request: Request, writer: asyncio.StreamWriter, plan: Plan) -> Ended:
        """Answer a completion by the plan, which is no failure."""
        raise NotImplementedError

    # What a test says

    def reply(
        self,
        answer: Answer,
        *,
        delay_before_first: float = 0,
        delay_between: float = 0,
        ending: Ending = "finish",
        after: int | None = None,
        times: int | None = None,
    ) -> None:
        """Answer completions so from now on; with `times`, only the next ones before going back."""
        self._script(Plan(answer, delay_before_first, delay_between, ending, after), times)

    def reply_endlessly(self, piece: str = "x = 1\n", *, delay_between: float = 0.005) -> None:
        """Generate `piece` again and again, whatever `max_tokens` says."""
        self._script(Plan(lambda _: itertools.repeat(piece), 0, delay_between, is_endless=True), None)

    def fail(self, status: int, body: Any, *, times: int | None = None) -> None:
        """Answer completions with an HTTP error; a str body is sent as plain text, anything else as JSON."""
        self._script(Plan(failure=(status, body)), times)

    def send(self, *pieces: bytes, pause: float = 0, times: int | None = None) -> None:
        """Answer completions with these bytes, piece by piece, and close the connection."""
        self._script(Plan(raw=pieces, delay_between=pause), times)

    def _script(self, plan: Plan, times: int | None) -> None:
        if times is None:
            self._next_plans.clear()
            self._plan = plan
        else:
            self._next_plans.extend([plan] * times)

    # What a test sees

    @property
    def completions(self) -> list[Request]:
        """The requests for completions, in the order they came."""
        return [request for request in self.requests if request.path in self.completion_paths]

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    # Connections

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transports: WeakSet[asyncio.Transport] = WeakSet()
        listener = await self._loop.create_server(
            lambda: _Listener(WatchedReader(), self._serve, self._transports), "127.0.0.1", self._port
        )
        self.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stopped.wait()
        for socket in listener.sockets:
            self._loop.remove_reader(socket.fileno())  # accept no more
        # asyncio (3.11) loses a connection whose listener is closed before it has its transport.
        await _some_turns()
        listener.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for transport in self._transports:  # of connections so new that their task had not begun
            transport.abort()
        await _some_turns()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, WatchedReader)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        connection = self.connections
        try:
            while True:
                method, path, headers, body = await read_request(reader)
                request = Request(method, path, headers, body, time.monotonic(), connection)
                self.requests.append(request)
                answer = asyncio.create_task(self._answer(request, writer))
                closed = asyncio.create_task(reader.closed.wait())
                try:
                    await asyncio.wait({answer, closed}, return_when=asyncio.FIRST_COMPLETED)
                    ended = answer.result() if answer.done() else "closed by client"
                except OSError:
                    ended = "closed by client"
                finally:
                    answer.cancel()
                    closed.cancel()
                    await asyncio.gather(answer, closed, return_exceptions=True)
                request.ended_at = time.monotonic()
                request.ended = ended
                if ended != "complete":
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        except Exception as error:  # a test's own answer failed: tell the test
            self._error = error
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> Ended:
        try:
            if request.path in self.completion_paths and request.method == "POST":
                plan = self._next_plans.popleft() if self._next_plans else self._plan
                if plan.failure is not None:
                    raise HTTPError(*plan.failure)
                if plan.raw is not None:
                    for piece in plan.raw:
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(plan.delay_between)
                    return "cut"
                return await self.complete(request, writer, plan)
            status, body = self.look_up(request)
        except HTTPError as error:
            status, body = error.status, error.body
        await send_whole(writer, status, body, *self.headers)
        return "complete"

    def check_key(self, request: Request) -> None:
        """Refuse a request without the key, if there is one."""
        if self.api_key is None:
            return
        bearer = request.headers.get("authorization", "")
        key = request.headers.get("x-api-key") or bearer
        if not key:
            raise HTTPError(401, self.key_errors[0])
        if key != self.api_key and bearer != f"Bearer {self.api_key}":
            raise HTTPError(401, self.key_errors[1])

    async def generate(self, request: Request, generation: Generation) -> AsyncIterator[str]:
        """Yield what the model writes, in its time; to be asked for by streams and whole answers."""
        await asyncio.sleep(generation.plan.delay_before_first)
        for piece in generation:
            yield piece
            request.pieces_sent += 1
            await asyncio.sleep(generation.plan.delay_between)
