"""TabbyAPI: raw prompts to `/v1/completions`, always streamed.

Measured of it (August 2026 version): closing the connection is the only cancel, and works within two or
three decoding steps, but for a request that is not streamed and still queued; naming a model can unload the
one that is loaded; `max_tokens` N gives N-1 tokens; the usable prompt is `cache_size - chunk_size + 1`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tabby_ls.backends.backend import BackendError, Infill, ModelInfo, TextStream, Trouble
from tabby_ls.backends.credentials import find_api_key
from tabby_ls.completions import (
    AuthenticationError,
    CompletionError,
    CompletionRequest,
    CompletionsClient,
    CompletionStream,
    ContextLengthExceededError,
    InvalidRequestError,
    ModelNotLoadedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    StreamError,
    Timeouts,
    ValidationError,
)
from tabby_ls.settings import BackendSettings


class TabbyAPIBackend:
    """A TabbyAPI server at one address."""

    kind = "tabbyapi"
    renders_prompts = False
    is_instant = False

    def __init__(self, settings: BackendSettings) -> None:
        self._settings = settings
        self._client: CompletionsClient | None = None
        self._opening = asyncio.Lock()
        self._prewarming: asyncio.Task[None] | None = None

    async def client(self) -> CompletionsClient:
        """Return the HTTP client, made at the first call: the key may have to be asked for."""
        async with self._opening:
            if self._client is None:
                settings = self._settings
                try:
                    self._client = CompletionsClient(
                        settings.url,
                        api_key=await find_api_key(settings),
                        headers=settings.headers,
                        timeouts=Timeouts(
                            connect=settings.connect_timeout,
                            first_token=settings.first_token_timeout,
                            progress=settings.progress_timeout,
                        ),
                    )
                except ValidationError as error:
                    raise BackendError(
                        Trouble.REFUSED, f"the backend's settings cannot be used: {error.message}"
                    ) from None
            return self._client

    async def model(self) -> ModelInfo:
        """Return the loaded model. Its card is the one answer of TabbyAPI's that means "ready"."""
        client = await self.client()
        try:
            try:
                card = await client.model()
            except NotFoundError:  # not TabbyAPI, but perhaps another server with the same API
                return ModelInfo(next((model.id for model in await client.models()), None))
        except CompletionError as error:
            raise await self._failure(client, error) from error
        return ModelInfo(card.id, card.parameters.max_prompt_tokens if card.parameters else None)

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Open a stream of text. Leaving the block closes the connection at once."""
        return self._stream(infill)

    @asynccontextmanager
    async def _stream(self, infill: Infill) -> AsyncIterator[TextStream]:
        client = await self.client()
        request = CompletionRequest(
            prompt=infill.prompt if infill.prompt is not None else infill.prefix,
            max_tokens=infill.max_tokens + 1,
            temperature=infill.temperature,
            stop=infill.stop or None,
            add_bos_token=infill.bos,
            model=self._settings.model or None,
        )
        try:
            async with client.create_stream(request) as stream:
                text = _Text(stream)
                try:
                    yield text
                finally:
                    if not text.has_ended:
                        self._prewarm(client)
        except CompletionError as error:
            raise await self._failure(client, error) from error

    def _prewarm(self, client: CompletionsClient) -> None:
        """Open the next connection now: the one of an abandoned stream is lost."""
        if self._prewarming is None or self._prewarming.done():
            self._prewarming = asyncio.create_task(client.prewarm())

    async def count_tokens(self, text: str) -> int | None:
        """Return how many tokens `text` is; None if the server does not tell."""
        client = await self.client()
        try:
            return (await client.encode(text, add_bos_token=False)).length
        except CompletionError:
            return None

    async def close(self) -> None:
        """Close every connection."""
        if self._prewarming is not None:
            self._prewarming.cancel()
            await asyncio.wait([self._prewarming])
        if self._client is not None:
            await self._client.aclose()

    async def _failure(self, client: CompletionsClient, error: CompletionError) -> BackendError:
        """Return what `error` means. A key that was refused is looked up anew before the next request."""
        if isinstance(error, AuthenticationError) and self._client is client:
            self._client = None
            await client.aclose()
        return self.explain(error)

    def explain(self, error: CompletionError) -> BackendError:
        """Return what `error` means to the user, with what to do about it."""
        where = f"the server at {self._settings.url}"
        match error:
            case RequestError(code="timeout"):
                return BackendError(Trouble.TIMEOUT, f"{where} did not answer in time")
            case RequestError():
                return BackendError(Trouble.UNREACHABLE, f"{where} cannot be reached; is it running?")
            case AuthenticationError() | PermissionDeniedError():
                return BackendError(
                    Trouble.UNAUTHORIZED,
                    f"{where} refused the API key: {error.message}. {_key_hint(self._settings)}",
                )
            case ContextLengthExceededError():
                return BackendError(
                    Trouble.PROMPT_TOO_LONG, f"{where} found the prompt too long: {error.message}"
                )
            case ModelNotLoadedError():
                return BackendError(Trouble.NO_MODEL, f"{where} has no model loaded; load one in TabbyAPI")
            case NotFoundError():
                return BackendError(
                    Trouble.REFUSED,
                    f"{where} knows no such address; is backend.url right, and is it TabbyAPI?",
                )
            case RateLimitError():
                return BackendError(Trouble.OVERLOADED, f"{where} says there are too many requests")
            case InvalidRequestError() | ValidationError():
                return BackendError(Trouble.REFUSED, f"{where} refused the request: {error.message}")
            case StreamError():
                return BackendError(Trouble.BROKEN_STREAM, f"{where} broke off its answer: {error.message}")
            case _:
                return BackendError(Trouble.FAILED, f"{where} failed: {error.message}")


class _Text:
    """The text of a stream's chunks."""

    def __init__(self, stream: CompletionStream) -> None:
        self._stream = stream
        self.has_ended = False

    @property
    def cut_short(self) -> bool:
        """True once the stream ended because `max_tokens` was reached."""
        return self._stream.finish_reason == "length"

    async def __aiter__(self) -> AsyncIterator[str]:
        async for chunk in self._stream:
            if chunk.text:
                yield chunk.text
        self.has_ended = True


def _key_hint(settings: BackendSettings) -> str:
    if settings.api_key_command or settings.api_key_file:
        return "It came from the command or file in your settings."
    return f"It is read from the environment variable {settings.api_key_env}."
