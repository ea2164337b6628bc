"""The client: one method for each thing a completion server can be asked."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TypeVar

from tabby_ls.completions import decoding
from tabby_ls.completions.connection import Connection, Timeouts
from tabby_ls.completions.errors import CompletionError, InvalidResponseError
from tabby_ls.completions.request import CompletionRequest
from tabby_ls.completions.responses import (
    CompletionResponse,
    Health,
    ModelCard,
    ServiceInfo,
    TokenEncoding,
)
from tabby_ls.completions.stream import CompletionStream

T = TypeVar("T")


class CompletionsClient:
    """A client of one server, for one event loop. Use it as a context manager, or call :meth:`aclose`.

    `base_url` may end in `/v1` and in a slash. `api_key` goes out as `Authorization: Bearer`, `headers` go
    with every request. `ssl_context` replaces the default checks of an https server's certificate.
    Wrong arguments raise :class:`~tabby_ls.completions.ValidationError`. Every method raises
    :class:`~tabby_ls.completions.CompletionError` and nothing else, besides cancellation.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        #: For what this client has no method for.
        self.connection = Connection(base_url, api_key, headers or {}, timeouts or Timeouts(), ssl_context)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.connection.root!r})"

    async def __aenter__(self) -> CompletionsClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections, those of running streams too."""
        await self.connection.close()

    async def create(self, request: CompletionRequest) -> CompletionResponse:
        """Return the whole answer to `request`.

        Prefer :meth:`create_stream` where it may be cancelled: TabbyAPI notices that nobody waits any more
        for a whole answer only once it has begun to write it.
        """
        body = request.to_wire(stream=False)
        limit = self.connection.timeouts.answer
        answer = await self.connection.exchange(
            "POST", "/v1/completions", body, limit=limit, private=request.private_texts
        )
        try:
            data = decoding.parse(answer.body)
            response = decoding.completion(data, CompletionResponse)
        except decoding.DecodingError as error:
            problem = str(error)
        else:
            decoding.check_not_aborted(data)
            return response
        raise InvalidResponseError(problem, status=200)

    def create_stream(self, request: CompletionRequest) -> CompletionStream:
        """Return the answer to `request` as a stream; nothing is sent before it is entered."""
        return CompletionStream(self.connection, request)

    async def prewarm(self) -> None:
        """Leave a connection ready for the next request, as after one was closed. Never raises an error."""
        with suppress(CompletionError):
            await self.connection.exchange("GET", "/health", limit=self.connection.timeouts.lookup)

    async def model(self) -> ModelCard:
        """Return the loaded model, with its limits; the best test of whether completions would work.

        Raises :class:`~tabby_ls.completions.ModelNotLoadedError` if there is none.
        """
        return await self._look_up("GET", "/v1/model", ModelCard)

    async def models(self) -> tuple[ModelCard, ...]:
        """Return the models there are: the loaded one, or with TabbyAPI's admin key every one on its disk."""
        return (await self._look_up("GET", "/v1/models", decoding.ModelList)).data

    async def permission(self) -> str:
        """Return what TabbyAPI lets the API key do: "api" or "admin"."""
        return (await self._look_up("GET", "/v1/auth/permission", decoding.Permission)).permission

    async def encode(self, text: str, *, add_bos_token: bool | None = None) -> TokenEncoding:
        """Return `text` as tokens. TabbyAPI puts the begin token first unless `add_bos_token` is False."""
        body = {"text": text} if add_bos_token is None else {"text": text, "add_bos_token": add_bos_token}
        return await self._look_up("POST", "/v1/token/encode", TokenEncoding, body, private=(text,))

    async def decode(self, tokens: Sequence[int]) -> str:
        """Return the text that `tokens` are."""
        body = {"tokens": list(tokens)}
        return (await self._look_up("POST", "/v1/token/decode", decoding.DecodedText, body)).text

    async def health(self) -> Health:
        """Return how the server says it is; needs no API key. Being unhealthy (503) is an answer."""
        return await self._look_up("GET", "/health", Health, accept=(200, 503))

    async def service_info(self) -> ServiceInfo:
        """Return what software runs there; needs no API key."""
        return await self._look_up("GET", "/.well-known/serviceinfo", ServiceInfo)

    async def _look_up(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: Mapping[str, object] | None = None,
        *,
        private: tuple[str, ...] = (),
        accept: tuple[int, ...] = (200,),
    ) -> T:
        limit = self.connection.timeouts.lookup
        answer = await self.connection.exchange(
            method, path, body, limit=limit, private=private, accept=accept
        )
        try:
            return decoding.structure(decoding.parse(answer.body), kind)
        except decoding.DecodingError as error:
            problem = str(error)
        raise InvalidResponseError(problem, status=answer.status)
