"""Completes code through TabbyAPI: raw prompts to `/v1/completions`, always streamed.

Source: measured with its version of August 2026: closing the connection is the only cancel, and works within two or
three decoding steps, but for a request that is not streamed and still queued; naming a model can unload the
one that is loaded; `max_tokens` N gives N-1 tokens; the usable prompt is `cache_size - chunk_size + 1`; a suffix is
accepted and ignored.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from tabby_ls.backends.backend import Infill, ModelInfo, TextStream
from tabby_ls.backends.remote import RemoteBackend
from tabby_ls.completions import CompletionError, CompletionRequest, NotFoundError, StreamOptions


class TabbyAPIBackend(RemoteBackend):
    """A TabbyAPI server at one address."""

    kind = "tabbyapi"
    label = "TabbyAPI"

    async def model(self) -> ModelInfo:
        """Return the loaded model. Its card is the one answer of TabbyAPI's that means "ready"."""
        client = await self.server.client()
        try:
            try:
                card = await client.model()
            except NotFoundError:  # not TabbyAPI, but perhaps another server with the same API
                return ModelInfo(next((model.id for model in await client.models()), None))
        except CompletionError as error:
            raise await self.server.failure(error) from error
        known = card.parameters
        return ModelInfo(
            card.id, known.max_prompt_tokens if known else None, known.max_batch_size if known else None
        )

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Open a stream of text. Leaving the block closes the connection at once."""
        return self.server.completion(
            CompletionRequest(
                prompt=infill.prompt if infill.prompt is not None else infill.prefix,
                max_tokens=infill.max_tokens + 1,
                temperature=infill.temperature,
                stop=infill.stop or None,
                add_bos_token=infill.bos,
                stream_options=StreamOptions(include_usage=True),
                model=self.server.settings.model or None,
            )
        )

    async def count_tokens(self, text: str) -> int | None:
        """Return how many tokens `text` is; None if the server does not tell."""
        client = await self.server.client()
        try:
            return (await client.encode(text, add_bos_token=False)).length
        except CompletionError:
            return None
