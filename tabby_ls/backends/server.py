"""A server as a backend sees it: its address and key, what it is asked, and what its failures mean to a user."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from tabby_ls.backends.backend import BackendError, TextStream, Trouble
from tabby_ls.backends.credentials import find_api_key, forget_api_key
from tabby_ls.completions import (
    AuthenticationError,
    CompletionError,
    CompletionRequest,
    CompletionsClient,
    CompletionStream,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotLoadedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    StreamError,
    Timeouts,
    ValidationError,
)
from tabby_ls.completions.answer import AnswerStream
from tabby_ls.completions.connection import is_loopback
from tabby_ls.completions.decoding import DecodingError, parse
from tabby_ls.completions.lines import LineParser
from tabby_ls.completions.sse import SSEParser
from tabby_ls.settings import BackendSettings


@frozen
class Piece:
    """One event of a stream: what is new of the text, and whether and why the model ended with it."""

    text: str = ""
    has_ended: bool = False
    #: It ended because there were as many tokens as it was allowed.
    cut_short: bool = False
    #: How many tokens the prompt was, in the event that ends the answer and where the server tells.
    prompt_tokens: int | None = None


#: Reads one event, a JSON object; raises DecodingError, KeyError, TypeError or IndexError if it is none.
Decoder = Callable[[Mapping[str, Any]], Piece]


@frozen
class Reply:
    """A whole answer that is a JSON object; `data` is empty if it is none."""

    status: int
    headers: Mapping[str, str]
    data: Mapping[str, Any]


class Server:
    """One address, for one event loop. Everything raises :class:`BackendError` and nothing else."""

    def __init__(self, settings: BackendSettings, software: str, *, url: str = "") -> None:
        """`software` is its name for people, `url` the address where the settings have none."""
        self.settings = settings
        self.software = software
        self.url = settings.url or url
        self._client: CompletionsClient | None = None
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
        self._refuse_to_show(key)
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

    def _refuse_to_show(self, key: str | None) -> None:
        """Raise if a key would travel where everybody on the way can read it."""
        url = urlsplit(self.url)
        is_secret = key or any(map(_MAY_HOLD_A_KEY.search, self.settings.headers))
        if (
            is_secret
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
        async with self._reading(client, _Text(client.create_stream(request))) as text:
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
        stream = _Events(client.connection, path, body, parser or SSEParser(), private)
        stream.decoder, stream.ends_when_finished = decode, ends_when_finished
        async with self._reading(client, _Text(stream)) as text:
            yield text

    @asynccontextmanager
    async def _reading(self, client: CompletionsClient, text: _Text) -> AsyncIterator[TextStream]:
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
        return self.explain(error)

    def explain(self, error: CompletionError) -> BackendError:
        """Return what `error` means to the user, with what to do about it."""
        where = f"the server at {self.url}"
        match error:
            case RequestError(code="timeout"):
                return BackendError(Trouble.TIMEOUT, f"{where} did not answer in time")
            case RequestError(code="certificate_error"):
                return BackendError(
                    Trouble.UNREACHABLE,
                    f"{where} has a certificate that is not trusted ({error.message}); "
                    "if it is your own, name its authority in ca_file",
                )
            case RequestError():
                return BackendError(Trouble.UNREACHABLE, f"{where} cannot be reached; is it running?")
            case AuthenticationError() | PermissionDeniedError():
                return _refused_key(f"{where} refused the API key: {error.message}", self.settings)
            case ContextLengthExceededError():
                return BackendError(
                    Trouble.PROMPT_TOO_LONG, f"{where} found the prompt too long: {error.message}"
                )
            case _ if error.status == _NOT_SUPPORTED or _NO_INSERT in error.message:
                return BackendError(
                    Trouble.CHANGED, f"{where} cannot fill in with its model: {error.message}"
                )
            case ModelNotLoadedError() if "loading" in error.message.lower():
                return BackendError(Trouble.NO_MODEL, f"{where} is still loading its model")
            case ModelNotLoadedError():
                return BackendError(
                    Trouble.NO_MODEL, f"{where} has no model loaded; load one in {self.software}"
                )
            case NotFoundError():
                return BackendError(
                    Trouble.REFUSED,
                    f"{where} knows no such address; is its url right, and is it {self.software}?",
                )
            case RateLimitError():
                return BackendError(Trouble.OVERLOADED, f"{where} says there are too many requests")
            case InvalidRequestError() | ValidationError():
                return BackendError(Trouble.REFUSED, f"{where} refused the request: {error.message}")
            case StreamError():
                return BackendError(Trouble.BROKEN_STREAM, f"{where} broke off its answer: {error.message}")
            case InvalidResponseError():
                return BackendError(
                    Trouble.FAILED, f"{where} gave no answer that {self.software} would give: {error.message}"
                )
            case _ if error.status in _GATEWAY:
                return BackendError(
                    Trouble.UNREACHABLE,
                    f"{where} is a proxy that gets no answer from the server behind it (HTTP {error.status}); "
                    "is that running?",
                )
            case _:
                return BackendError(Trouble.FAILED, f"{where} failed: {error.message}")


#: Names of headers that hold keys: authorization, x-api-key, api-key, x-auth-token, cookie ...
_MAY_HOLD_A_KEY = re.compile("auth|key|token|secret|cookie|password|credential", re.IGNORECASE)
#: Bad gateway, gateway timeout: what nginx and its kin say for a server that is gone or too slow.
_GATEWAY = (502, 504)
#: What llama.cpp and Ollama say if the model they have now cannot be given a suffix.
_NOT_SUPPORTED, _NO_INSERT = 501, "does not support insert"


class _Events(AnswerStream[Piece]):
    """A stream read by a decoder."""

    decoder: Decoder
    last: Piece = Piece()
    has_text = False

    def decode(self, data: dict[str, Any], *, is_whole: bool) -> Piece:
        """Return the piece that the decoder reads."""
        try:
            piece = self.decoder(data)
        except (KeyError, TypeError, IndexError, AttributeError):
            raise DecodingError("the answer is not in the form it should have") from None
        if piece.has_ended or not self.last.has_ended:
            self.last = piece
        self.has_text = self.has_text or bool(piece.text)
        return piece

    @property
    def has_finished(self) -> bool:
        """Whether an event said that the model ended."""
        return self.last.has_ended

    @property
    def cut_short(self) -> bool:
        """Whether that was because it was as long as it was allowed to be."""
        return self.last.cut_short

    def patience_after(self, piece: Piece) -> float | None:
        """Return the seconds in which more must come: as many as for the first, while the prompt is being read."""
        timeouts = self._connection.timeouts
        return timeouts.progress if self.has_text else timeouts.first_token


class _Text:
    """The text of a stream."""

    def __init__(self, stream: CompletionStream | _Events) -> None:
        self.stream = stream
        self.has_ended = False

    @property
    def cut_short(self) -> bool:
        """True once the stream ended because `max_tokens` was reached."""
        return self.stream.cut_short

    @property
    def prompt_tokens(self) -> int | None:
        """How many tokens the prompt was, once the stream ended and if it told."""
        if isinstance(self.stream, _Events):
            return self.stream.last.prompt_tokens
        return self.stream.usage.prompt_tokens or None if self.stream.usage else None

    @property
    def answer_tokens(self) -> int | None:
        """How many tokens it wrote, once the stream ended and if it told."""
        usage = self.stream.usage if isinstance(self.stream, CompletionStream) else None
        return usage.completion_tokens or None if usage else None

    async def __aiter__(self) -> AsyncIterator[str]:
        async for piece in self.stream:
            if piece.text:
                yield piece.text
        self.has_ended = True


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


def _refused_key(complaint: str, settings: BackendSettings) -> BackendError:
    key_from = ""
    if settings.api_key_command or settings.api_key_file:
        remedy = "It came from the command or file in your settings."
    elif key_from := settings.api_key_env:
        remedy = f"It is read from the environment variable {key_from}."
    else:
        remedy = "None was sent: name one with api_key_env, api_key_file or api_key_command."
    return BackendError(Trouble.UNAUTHORIZED, complaint, remedy, key_from=key_from)
