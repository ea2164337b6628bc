"""A streamed completion: from bytes that arrive to chunks, until the model, the caller or time ends it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import AsyncGeneratorType, TracebackType

import httpx2

from tabby_ls.completions import decoding, failures
from tabby_ls.completions.connection import Connection, request_errors
from tabby_ls.completions.errors import StreamError
from tabby_ls.completions.request import CompletionRequest
from tabby_ls.completions.responses import CompletionChunk, Usage
from tabby_ls.completions.sse import LineTooLongError, SSEParser

_DONE = b"[DONE]"
#: Seconds in which the body must end after its `[DONE]` for the connection to be kept.
_END_OF_BODY = 1.0


class CompletionStream:
    """An asynchronous context manager and iterator of chunks; made by `CompletionsClient.create_stream`.

    Entering sends the request. Leaving the block, :meth:`aclose`, or cancelling the task that iterates
    closes the connection at once, which is what stops the server. Iteration ends normally only if the
    model finished, that is, if a `finish_reason` came; all else raises. Read to the end, a stream leaves its
    connection to the next request.
    """

    def __init__(self, connection: Connection, request: CompletionRequest) -> None:
        #: Token counts, if they were asked for; known after the end.
        self.usage: Usage | None = None
        #: Why the first answer ended: "stop" or "length"; known after the end.
        self.finish_reason: str | None = None
        self._connection = connection
        self._body = request.to_wire(stream=True)
        self._private = request.private_texts
        self._response: httpx2.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None
        self._parser = SSEParser()
        self._payloads: deque[bytes] = deque()
        self._is_over = False
        self._is_at_end = False
        self._finished: set[int] = set()
        self._unfinished: set[int] = set()
        #: Seconds that may still be spent waiting for the next `data:` line.
        self._patience = connection.timeouts.first_token

    async def __aenter__(self) -> CompletionStream:
        try:
            with request_errors():
                async with self._waiting():
                    self._response = await self._connection.send("POST", "/v1/completions", self._body)
                    if self._response.status_code != 200:
                        raise await self._connection.failure(self._response, *self._private)
            self._pieces = self._response.aiter_bytes()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> CompletionStream:
        return self

    async def __anext__(self) -> CompletionChunk:
        if self._response is None or self._pieces is None:
            raise RuntimeError("the stream must be entered with `async with` first")
        try:
            chunk = None if self._is_over else await self._next(self._response, self._pieces)
        except BaseException:
            await self.aclose()
            raise
        if chunk is None:
            await self.aclose()
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Close the connection, unless the answer was read to its end. May be called at any time, and twice."""
        self._is_over = True
        if self._response is not None:
            await self._response.aclose()
            if isinstance(self._pieces, AsyncGeneratorType) and not self._pieces.ag_running:
                await self._pieces.aclose()

    async def _next(self, response: httpx2.Response, pieces: AsyncIterator[bytes]) -> CompletionChunk | None:
        """Return the next chunk, None at a good end."""
        if response.headers.get("content-type", "").lower().startswith("application/json"):
            return await self._whole(response)
        while not self._payloads:
            if self._is_at_end:
                return self._check_finished(None)
            try:
                await self._receive(pieces)
            except (httpx2.HTTPError, TimeoutError) as error:
                if self._is_over:  # closed from another task
                    return None
                return self._check_finished(error)
        payload = self._payloads.popleft()
        if payload != _DONE:
            return self._decode(payload)
        with suppress(httpx2.HTTPError, TimeoutError):
            async with asyncio.timeout(_END_OF_BODY):
                async for _ in pieces:
                    pass
        return self._check_finished(None)

    async def _receive(self, pieces: AsyncIterator[bytes]) -> None:
        """Wait for the next piece of the body and take the payloads from it."""
        async with self._waiting():
            piece = await anext(pieces, None)
        if piece is None:
            self._is_at_end = True
            self._payloads.extend(self._parser.close())
            return
        try:
            payloads = self._parser.feed(piece)
        except LineTooLongError as error:
            raise StreamError(str(error), code="invalid_chunk") from None
        if payloads:
            self._patience = self._connection.timeouts.progress
            self._payloads.extend(payloads)

    @asynccontextmanager
    async def _waiting(self) -> AsyncIterator[None]:
        """Take the time that the block needs from what may be spent waiting; TimeoutError when it is used up."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._patience):
                yield
        finally:
            if self._patience is not None:
                self._patience -= time.monotonic() - began

    async def _whole(self, response: httpx2.Response) -> CompletionChunk | None:
        """Return the one chunk that an answer in one piece makes: the server has streaming switched off."""
        with request_errors():
            async with asyncio.timeout(self._connection.timeouts.answer):
                raw = await self._connection.read(response)
        chunk = self._decode(raw, is_whole=True)
        self._is_over = True
        return chunk

    def _decode(self, payload: bytes, *, is_whole: bool = False) -> CompletionChunk:
        try:
            data = decoding.parse(payload)
            if "error" in data:
                message, details = failures.explain(data, (*self._connection.secrets, *self._private))
                raise StreamError(message or "unknown error", code="stream_error", details=details)
            chunk = decoding.completion(data, CompletionChunk)
        except decoding.DecodingError as error:
            problem = str(error)
        else:
            if is_whole:
                decoding.check_not_aborted(data)
            self._note(chunk)
            return chunk
        raise StreamError(problem, code="invalid_chunk")

    def _note(self, chunk: CompletionChunk) -> None:
        for choice in chunk.choices:
            self._unfinished.add(choice.index)
            if choice.finish_reason is not None:
                self._finished.add(choice.index)
                if choice.index == 0:
                    self.finish_reason = choice.finish_reason
        self._unfinished -= self._finished
        self.usage = chunk.usage or self.usage

    def _check_finished(self, cause: Exception | None) -> CompletionChunk | None:
        """Return None if the model had finished when the stream ended; raise what that means if not."""
        if self._finished and not self._unfinished:
            return None
        if isinstance(cause, TimeoutError):
            raise StreamError("no text came for too long", code="no_progress") from cause
        raise StreamError("the stream ended before the answer did", code="truncated") from cause
