"""A scripted TabbyAPI: speaks as `tests/wire/tabbyapi` recorded the real one, with answers chosen by the test.

    with ScriptedTabbyAPI() as server:
        server.reply("return a + b\\n", delay_between=0.01)
        ...  # talk to server.url
        server.wait_for(lambda: server.completions[-1].ended == "closed by client")

The server runs in a thread of its own, so that tests with and without an event loop can use it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal
from weakref import WeakSet

from attrs import define

from tests.support.raw_http import (
    HTTPError,
    WatchedReader,
    head,
    read_request,
    send_data,
    send_event,
    send_whole,
)
from tests.support.scripted_model import QWEN_SPECIALS, Answer, Ending, Generation, Plan, Tokenizer

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


_ABORTED = '{"error":{"message":"Completion aborted. Please check the server console.","trace":null}}'
_CHECK_CONSOLE = "Maybe the model was unloaded? Please check the server console."
_SERVICE_INFO = {
    "version": 0.1,
    "software": {
        "name": "TabbyAPI",
        "repository": "https://github.com/theroyallab/tabbyAPI",
        "homepage": "https://github.com/theroyallab/tabbyAPI",
    },
    "api": {
        "openai": {"name": "OpenAI API", "relative_url": "/v1", "version": 1},
        "koboldai": {"name": "KoboldAI API", "relative_url": "/api", "version": 1},
    },
}


def _invalid(kind: str, message: str, value: Any, *where: str | int) -> HTTPError:
    return HTTPError(422, {"detail": [{"type": kind, "loc": list(where), "msg": message, "input": value}]})


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


class ScriptedTabbyAPI:
    """The server. Its attributes may be changed between requests; `model = None` unloads the model."""

    def __init__(
        self,
        *,
        model: str | None = "Qwen2.5-Coder-1.5B-exl3",
        api_key: str | None = None,
        max_seq_len: int = 32768,
        cache_size: int = 32768,
        chunk_size: int = 2048,
        ping_interval: float = 15,
        special_tokens: tuple[str, ...] = QWEN_SPECIALS,
        port: int = 0,
    ) -> None:
        """`port` is for a server that comes back where another one was."""
        self.model = model
        self.api_key = api_key
        self.max_seq_len = max_seq_len
        self.cache_size = cache_size
        self.chunk_size = chunk_size
        self.ping_interval = ping_interval
        self.tokenizer = Tokenizer(special_tokens)
        self.requests: list[Request] = []
        self.open_streams = 0
        self.connections = 0
        self.url = ""
        self._port = port
        self._plan = Plan()
        self._next_plans: deque[Plan] = deque()
        self._error: Exception | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="scripted TabbyAPI")

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
        return [request for request in self.requests if request.path == "/v1/completions"]

    def wait_for(self, predicate: Callable[[], object], timeout: float = 10) -> None:
        """Block until `predicate()` holds; not for use in a coroutine (see :meth:`eventually`)."""
        deadline = time.monotonic() + timeout
        while not predicate():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.002)

    async def eventually(self, predicate: Callable[[], object], timeout: float = 10) -> None:  # noqa: ASYNC109
        """Wait until `predicate()` holds."""
        deadline = time.monotonic() + timeout
        while not predicate():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.002)

    def __enter__(self) -> ScriptedTabbyAPI:
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
            if request.path == "/v1/completions":
                return await self._complete(request, writer)
            status, body = self._look_up(request)
        except HTTPError as error:
            status, body = error.status, error.body
        await send_whole(writer, status, body)
        return "complete"

    # Endpoints

    def _look_up(self, request: Request) -> tuple[int, Any]:
        route = f"{request.method} {request.path}"
        if route == "GET /health":
            return 200, {"status": "healthy", "issues": []}
        if route == "GET /.well-known/serviceinfo":
            return 200, _SERVICE_INFO
        self._check_key(request)
        if route == "GET /v1/auth/permission":
            return 200, {"permission": "admin" if self.api_key is None else "api"}
        if route == "GET /v1/models":
            cards = [] if self.model is None else [self._card(with_parameters=False)]
            return 200, {"object": "list", "data": cards}
        if route not in ("GET /v1/model", "POST /v1/token/encode", "POST /v1/token/decode"):
            raise HTTPError(404, {"detail": "Not Found"})
        self._check_model()
        if route == "GET /v1/model":
            return 200, self._card(with_parameters=True)
        if route == "POST /v1/token/decode":
            return 200, {"text": self.tokenizer.decode(request.body["tokens"])}
        tokens = self.tokenizer.encode(request.body["text"], bos=request.body.get("add_bos_token", True))
        return 200, {"tokens": tokens, "length": len(tokens)}

    def _check_key(self, request: Request) -> None:
        if self.api_key is None:
            return
        bearer = request.headers.get("authorization", "")
        key = request.headers.get("x-api-key") or bearer
        if not key:
            raise HTTPError(401, {"detail": "Please provide an API key"})
        if key != self.api_key and bearer != f"Bearer {self.api_key}":
            raise HTTPError(401, {"detail": "Invalid API key"})

    def _check_model(self) -> None:
        if self.model is None:
            raise HTTPError(503, {"detail": "No models are currently loaded."})

    def _card(self, *, with_parameters: bool) -> dict[str, Any]:
        parameters = {
            "max_seq_len": self.max_seq_len,
            "cache_size": self.cache_size,
            "cache_mode": "FP16",
            "rope_scale": 1.0,
            "rope_alpha": 1.0,
            "max_batch_size": 4,
            "chunk_size": self.chunk_size,
            "prompt_template": None,
            "prompt_template_content": None,
            "use_vision": False,
            "draft": None,
        }
        card = {"id": self.model, "object": "model", "created": int(time.time()), "owned_by": "tabbyAPI"}
        return card | {"logging": None, "parameters": parameters if with_parameters else None}

    def _check_completion(self, request: Request) -> None:
        self._check_key(request)
        body = request.body
        if not isinstance(body, dict):
            raise _invalid("json_invalid", "JSON decode error", {}, "body", 0)
        if "prompt" not in body:
            raise _invalid("missing", "Field required", body, "body", "prompt")
        temperature = body.get("temperature")
        if temperature is not None and not 0 <= temperature <= 10:
            raise _invalid("out_of_range", "Input should be from 0 to 10", temperature, "body", "temperature")
        if self.model is None and body.get("model") is not None:
            raise HTTPError(500, "Internal Server Error")
        self._check_model()
        length = len(self.tokenizer.encode(body["prompt"], bos=True))
        # What the generator allocates for the prompt and one chunk, in pages of 256 tokens.
        needed = -(-(length - 1 + self.chunk_size) // 256) * 256
        if length > self.max_seq_len or needed > self.cache_size:
            what = (
                f"Prompt length {length} exceeds"
                if length > self.max_seq_len
                else f"Initial job allocation requires {needed} cache tokens, which exceeds"
            )
            message = f"{what} the available context size of {self.cache_size} tokens"
            error = {"message": message, "type": "invalid_request_error", "param": None}
            raise HTTPError(400, {"error": error | {"code": "context_length_exceeded"}})

    # Completions

    async def _complete(self, request: Request, writer: asyncio.StreamWriter) -> Ended:
        if request.method != "POST":
            raise HTTPError(405, {"detail": "Method Not Allowed"})
        plan = self._next_plans.popleft() if self._next_plans else self._plan
        if plan.failure is not None:
            raise HTTPError(*plan.failure)
        self._check_completion(request)
        if plan.ending == "hang before headers":
            await asyncio.Event().wait()
        generation = Generation(plan, request.body)
        if request.body.get("stream"):
            return await self._stream(request, writer, generation)
        text = "".join([piece async for piece in self._generate(request, generation)])
        if generation.is_broken:
            raise HTTPError(503, {"detail": f"Completion {uuid.uuid4().hex} aborted. {_CHECK_CONSOLE}"})
        if generation.plan.ending == "cut":
            return "cut"
        choice = {"index": 0, "finish_reason": generation.finish_reason, "eos_reason": generation.eos_reason}
        if generation.plan.ending in ("hang", "pings"):
            choice["eos_reason"] = None  # where a stream hangs, a whole answer is cut short
        choice |= {"logprobs": None, "text": text if text.strip() else ""}
        answer = {"id": f"cmpl-{uuid.uuid4().hex}", "choices": [choice], "created": int(time.time())}
        answer |= {"model": self.model, "object": "text_completion", "usage": self._usage(generation)}
        await send_whole(writer, 200, answer)
        return "complete"

    async def _generate(self, request: Request, generation: Generation) -> AsyncIterator[str]:
        await asyncio.sleep(generation.plan.delay_before_first)
        for piece in generation:
            yield piece
            request.pieces_sent += 1
            await asyncio.sleep(generation.plan.delay_between)

    async def _stream(self, request: Request, writer: asyncio.StreamWriter, generation: Generation) -> Ended:
        ending = generation.plan.ending
        async with self._open_stream(writer) as pings:
            identity = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time())}
            async for piece in self._generate(request, generation):
                await send_data(writer, self._chunk(identity, {"text": piece, "finish_reason": None}))
            if ending == "hang":
                pings.cancel()
            if ending in ("hang", "pings"):
                await asyncio.Event().wait()
            if ending == "cut":
                return "cut"
            if generation.is_broken:
                await send_data(writer, _ABORTED)
            else:
                last: dict[str, Any] = {"text": "", "finish_reason": generation.finish_reason}
                usage = self._usage(generation)
                if usage is None:
                    last["eos_reason"] = generation.eos_reason
                await send_data(writer, self._chunk(identity, last, usage))
                await send_data(writer, "[DONE]")
            pings.cancel()
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        return "complete"

    @asynccontextmanager
    async def _open_stream(self, writer: asyncio.StreamWriter) -> AsyncIterator[asyncio.Task[None]]:
        """Send the headers, count the stream, and ping as long as it lasts."""
        lines = (
            "cache-control: no-store",
            "connection: keep-alive",
            "x-accel-buffering: no",
            "content-type: text/event-stream; charset=utf-8",
            "vary: Origin",
            "transfer-encoding: chunked",
        )
        pings = asyncio.create_task(self._ping(writer))
        self.open_streams += 1
        try:
            writer.write(head(200, *lines))
            await writer.drain()
            yield pings
        finally:
            self.open_streams -= 1
            pings.cancel()
            await asyncio.gather(pings, return_exceptions=True)

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(self.ping_interval)
            await send_event(writer, f": ping - {datetime.now(UTC)}")

    def _chunk(
        self, identity: dict[str, Any], choice: dict[str, Any], usage: dict[str, Any] | None = None
    ) -> str:
        chunk = {"id": identity["id"], "object": "text_completion", "choices": [{"index": 0} | choice]}
        chunk |= {"created": identity["created"]} | ({} if usage is None else {"usage": usage})
        return json.dumps(chunk | {"model_name": self.model}, ensure_ascii=False)

    def _usage(self, generation: Generation) -> dict[str, Any] | None:
        if not (generation.body.get("stream_options") or {}).get("include_usage"):
            return None
        prompt, written = len(self.tokenizer.encode(generation.prompt, bos=True)), generation.written
        usage = {"prompt_tokens": prompt, "prompt_time": 0.02, "prompt_tokens_per_sec": prompt / 0.02}
        usage |= {"completion_tokens": written, "completion_time": 0.3, "completion_tokens_per_sec": 50.0}
        return usage | {"total_tokens": prompt + written, "total_time": 0.32}
