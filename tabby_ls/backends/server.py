"""One server that a backend talks to: its address and key, its connections, and what it is asked."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from tabby_ls.backends.backend import BackendError, TextStream, Trouble
from tabby_ls.backends.credentials import find_api_key, forget_api_key
from tabby_ls.backends.failures import explain
from tabby_ls.backends.streams import AnswerText, Decoder, EventStream
from tabby_ls.completions import (
    AuthenticationError,
    CompletionError,
    CompletionRequest,
    CompletionsClient,
    Timeouts,
    ValidationError,
)
from tabby_ls.completions.connection import is_loopback
from tabby_ls.completions.decoding import DecodingError, parse
from tabby_ls.completions.lines import LineParser
from tabby_ls.completions.sse import SSEParser
from tabby_ls.settings import BackendSettings

#: Names of headers that hold keys: authorization, x-api-key, api-key, x-auth-token, cookie ...
_MAY_HOLD_A_KEY = re.compile("auth|key|token|secret|cookie|password|credential", re.IGNORECASE)


@frozen
class Reply:
    """A whole answer that is a JSON object; `data` is empty if it is none."""

    status: int
    headers: Mapping[str, str]
    data: Mapping[str, Any]

    @property
    def cards(self) -> list[Mapping[str, Any]]:
        """The models that it lists in `data`, as `/v1/models` does; none if it is no such list."""
        cards = self.data.get("data")
        return [card for card in cards if isinstance(card, Mapping)] if isinstance(cards, list) else []


class Server:
    """One address, for one event loop. Everything raises :class:`BackendError` and nothing else."""

    def __init__(self, settings: BackendSettings, software: str, *, url: str = "") -> None:
        """`software` is its name for people, `url` the address where the settings have none."""
        self.settings = settings
        self.software = software
        self.url = settings.url or url
        self._client: CompletionsClient | None = None
        self._sends_key = False
        self._opening = asyncio.Lock()
        self._prewarming: asyncio.Task[None] | None = None

    async def client(self) -> CompletionsClient:
        """Return the HTTP client, made at the first call: the key may have to be asked for."""
        async with self._opening:
            if self._client is None:
                self._client = await self._open()
            return self._client

    async def _open(self) -> CompletionsClient:
        settings = self.settings
        key = await find_api_key(settings)
        self._sends_key = bool(key) or any(map(_MAY_HOLD_A_KEY.search, settings.headers))
        self._refuse_to_show_key()
        try:
            return CompletionsClient(
                self.url,
                api_key=key,
                headers=settings.headers,
                timeouts=Timeouts(
                    connect=settings.connect_timeout,
                    first_token=settings.first_token_timeout,
                    progress=settings.progress_timeout,
                ),
                ssl_context=_trusting(settings.ca_file) if settings.ca_file else None,
            )
        except ValidationError as error:
            raise BackendError(
                Trouble.REFUSED, f"the backend's settings cannot be used: {error.message}"
            ) from None

    def _refuse_to_show_key(self) -> None:
        """Raise if a key would travel where everybody on the way can read it."""
        url = urlsplit(self.url)
        if (
            self._sends_key
            and url.scheme == "http"
            and not (self.settings.allow_insecure_key or is_loopback(url.hostname or ""))
        ):
            raise BackendError(
                Trouble.REFUSED,
                f"the API key was not sent to {self.url}, because anybody on the way could read it: use https, "
                "or set allow_insecure_key for this backend if you trust the network",
            )

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        accept: tuple[int, ...] = (200,),
        private: tuple[str, ...] = (),
    ) -> Reply:
        """Return the answer to a request that is no completion. Other statuses than `accept` raise."""
        client = await self.client()
        try:
            answer = await client.connection.exchange(
                method, path, body, limit=client.connection.timeouts.lookup, private=private, accept=accept
            )
        except CompletionError as error:
            raise await self.failure(error) from error
        try:
            return Reply(answer.status, answer.headers, parse(answer.body))
        except DecodingError:
            return Reply(answer.status, answer.headers, {})

    @asynccontextmanager
    async def completion(self, request: CompletionRequest) -> AsyncIterator[TextStream]:
        """Open a stream of `/v1/completions`."""
        client = await self.client()
        async with self._reading(client, AnswerText(client.create_stream(request))) as text:
            yield text

    @asynccontextmanager
    async def text(
        self,
        path: str,
        body: Mapping[str, Any],
        decode: Decoder,
        *,
        private: tuple[str, ...],
        parser: LineParser | None = None,
        ends_when_finished: bool = True,
    ) -> AsyncIterator[TextStream]:
        """Open a stream of another protocol. `private` is the user's text in `body`, which no error may repeat."""
        client = await self.client()
        stream = EventStream(
            client.connection,
            path,
            body,
            parser or SSEParser(),
            decode,
            private=private,
            ends_when_finished=ends_when_finished,
        )
        async with self._reading(client, AnswerText(stream)) as text:
            yield text

    @asynccontextmanager
    async def _reading(self, client: CompletionsClient, text: AnswerText) -> AsyncIterator[TextStream]:
        try:
            async with text.stream:
                try:
                    yield text
                finally:
                    if not text.has_ended:
                        self._prewarm(client)
        except CompletionError as error:
            raise await self.failure(error) from error

    def _prewarm(self, client: CompletionsClient) -> None:
        """Open the next connection now: the one of an abandoned stream is lost."""
        if self._prewarming is None or self._prewarming.done():
            self._prewarming = asyncio.create_task(client.prewarm())

    async def close(self) -> None:
        """Close every connection."""
        if self._prewarming is not None:
            self._prewarming.cancel()
            await asyncio.wait([self._prewarming])
        if self._client is not None:
            await self._client.aclose()

    async def failure(self, error: CompletionError) -> BackendError:
        """Return what `error` means. A key that was refused is looked up anew before the next request."""
        client = self._client
        if isinstance(error, AuthenticationError) and client is not None:
            forget_api_key(self.settings)
            self._client = None
            await client.aclose()
        return explain(error, self.url, self.software, self.settings, sent_key=self._sends_key)


def _trusting(file: str) -> ssl.SSLContext:
    """Return the checks of an https server's certificate, with the authorities in `file` trusted too."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=Path(file).expanduser())
    except ssl.SSLError:
        raise BackendError(Trouble.REFUSED, "ca_file cannot be used: it holds no certificate") from None
    except OSError as error:
        raise BackendError(Trouble.REFUSED, f"ca_file cannot be used: {error.strerror}") from None
    return context
