"""The base of all streamed answers: sends the request, reads the pieces, enforces timeouts, closes the connection."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from types import AsyncGeneratorType, TracebackType
from typing import Any, Generic, Self, TypeVar

from tabby_ls.completions import decoding, failures
from tabby_ls.completions.connection import Connection, request_errors
from tabby_ls.completions.errors import StreamError
from tabby_ls.completions.lines import LineParser, LineTooLongError
from tabby_ls.completions.pool import TRANSPORT_ERRORS, Response

#: The last payload of a stream in the manner of OpenAI.
_DONE = b"[DONE]"
#: Seconds in which the body must end after the last event for the connection to be kept.
_END_OF_BODY = 1.0

P = TypeVar("P")
T = TypeVar("T")


class AnswerStream(Generic[P]):
    """An asynchronous context manager and iterator of pieces; a protocol says what one is (:meth:`decode`).

    Entering sends the request. Leaving the block, :meth:`aclose`, or cancelling the task that iterates
    closes the connection at once, which is what stops the server. Iteration ends normally only if the
    model finished (:attr:`has_finished`); all else raises. Read to the end, a stream leaves its
    connection to the next request.
    """

    def __init__(
        self,
        connection: Connection,
        path: str,
        body: Mapping[str, Any],
        parser: LineParser,
        private: tuple[str, ...],
    ) -> None:
        """`private` is the user's own text, which no error may repeat."""
        self._connection = connection
        self._path = path
        self._body = body
        self._private = private
        self._response: Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None
        self._parser = parser
        self._payloads: deque[bytes] = deque()
        self._is_over = False
        self._is_at_end = False
        #: Seconds that may still be spent waiting for the next payload.
        self._patience = connection.timeouts.first_token

    # What a protocol says

    def decode(self, data: dict[str, Any], *, is_whole: bool) -> P:
        """Return the piece that one event is; raise DecodingError if it is none.

        `is_whole`: it is the answer in one piece, because the server has streaming switched off.
        """
        raise NotImplementedError

    @property
    def has_finished(self) -> bool:
        """Whether the model has said all it had to say."""
        raise NotImplementedError

    @property
    def cut_short(self) -> bool:
        """Whether it finished because it was as long as it was allowed to be."""
        raise NotImplementedError

    def patience_after(self, piece: P) -> float | None:
        """Return the seconds in which the next event must come."""
        return self._connection.timeouts.progress

    #: Whether the event that finishes the answer is the last; else `[DONE]` is.
    ends_when_finished = False

    # The rest is the same for all

    async def __aenter__(self) -> Self:
        try:
            with request_errors():
                response = await self._in_time(self._open())
            self._pieces = response.pieces()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def _open(self) -> Response:
        self._response = response = await self._connection.send("POST", self._path, self._body)
        if response.status != 200:
            raise await self._connection.failure(response, *self._private)
        return response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> P:
        if self._response is None or self._pieces is None:
            raise RuntimeError("the stream must be entered with `async with` first")
        try:
            piece = None if self._is_over else await self._next(self._response, self._pieces)
        except BaseException:
            await self.aclose()
            raise
        if piece is None:
            await self.aclose()
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Close the connection, unless the answer was read to its end. May be called at any time, and twice."""
        self._is_over = True
        if self._response is not None:
            await self._connection.drop(self._response)
            if isinstance(self._pieces, AsyncGeneratorType) and not self._pieces.ag_running:
                await self._pieces.aclose()

    async def _next(self, response: Response, pieces: AsyncIterator[bytes]) -> P | None:
        """Return the next piece, None at a good end."""
        kind = response.headers.get("content-type", "").lower()
        if kind.startswith("application/json"):
            return await self._whole(response)
        while not self._payloads:
            if self._is_at_end:
                return self._check_finished(None)
            try:
                await self._receive(pieces)
            except (*TRANSPORT_ERRORS, TimeoutError) as error:
                if self._is_over:  # closed from another task
                    return None
                return self._check_finished(error)
        payload = self._payloads.popleft()
        if payload == _DONE:
            await self._read_to_end(pieces)
            return self._check_finished(None)
        piece = self._decode(payload)
        self._patience = self.patience_after(piece)
        if self.ends_when_finished and self.has_finished:
            await self._read_to_end(pieces)
            self._is_over = True
        return piece

    async def _read_to_end(self, pieces: AsyncIterator[bytes]) -> None:
        """Read on, so that the connection can be kept. If that fails only the connection is lost, not the answer."""
        with suppress(*TRANSPORT_ERRORS, TimeoutError):
            async with asyncio.timeout(_END_OF_BODY):
                async for _ in pieces:
                    pass

    async def _receive(self, pieces: AsyncIterator[bytes]) -> None:
        """Wait for the next piece of the body and take the payloads from it."""
        piece = await self._in_time(anext(pieces, None))
        if piece is None:
            self._is_at_end = True
            self._payloads.extend(self._parser.close())
            return
        try:
            self._payloads.extend(self._parser.feed(piece))
        except LineTooLongError as error:
            raise StreamError(str(error), code="invalid_chunk") from None

    async def _in_time(self, work: Awaitable[T]) -> T:
        """Take the time that `work` needs from what may be spent waiting; TimeoutError when it is used up."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._patience):
                return await work
        finally:
            if self._patience is not None:
                self._patience -= time.monotonic() - began

    async def _whole(self, response: Response) -> P | None:
        """Return the one piece that an answer in one piece makes: the server has streaming switched off."""
        with request_errors():
            async with asyncio.timeout(self._connection.timeouts.answer):
                raw = await self._connection.read(response)
        piece = self._decode(raw, is_whole=True)
        self._is_over = True
        return piece

    def _decode(self, payload: bytes, *, is_whole: bool = False) -> P:
        try:
            data = decoding.parse(payload)
            if data.get("error") is not None:
                message, details = failures.explain(data, (*self._connection.secrets, *self._private))
                raise StreamError(message or "unknown error", code="stream_error", details=details)
            return self.decode(data, is_whole=is_whole)
        except decoding.DecodingError as error:
            problem = str(error)
        raise StreamError(problem, code="invalid_chunk")

    def _check_finished(self, cause: Exception | None) -> P | None:
        """Return None if the model had finished when the stream ended; raise what that means if not."""
        if self.has_finished:
            return None
        if isinstance(cause, TimeoutError):
            raise StreamError("no text came for too long", code="no_progress") from cause
        raise StreamError("the stream ended before the answer did", code="truncated") from cause
