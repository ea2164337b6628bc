"""The backend for `kind = "auto"`: detects the kind of the server, then hands every request to the backend for that kind.

Detection runs in :meth:`DetectedBackend.model`, which the engine calls first, and again after the server failed: another
one may run there by then.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

import attrs

from tabby_ls.backends.backend import Backend, Infill, ModelInfo, Snippet, TextStream
from tabby_ls.backends.detect import Found, detect
from tabby_ls.backends.kinds import open_server
from tabby_ls.backends.server import Server
from tabby_ls.settings import BackendSettings


class DetectedBackend:
    """A backend that becomes the one for the kind that is detected, and takes over its attributes then."""

    kind = "auto"
    renders_prompts = False
    is_instant = False
    is_chat = False
    takes_tokens_as_text = False
    takes_snippets = False
    reads_ahead = False
    max_in_flight = 1

    def __init__(self, settings: BackendSettings) -> None:
        self.label = f"server at {urlsplit(settings.url).netloc}"
        self._settings = settings
        self._server = Server(settings, "the server you mean")
        self._inner: Backend | None = None
        #: What was found, None before.
        self.found: Found | None = None

    async def model(self) -> ModelInfo:
        """Detect what runs there, and return what it serves."""
        found = await detect(self._server)
        if self._inner is None or found.kind != self._inner.kind:
            if self._inner is not None:
                await self._inner.close()
            self._become(open_server(attrs.evolve(self._settings, kind=found.kind), found.software))
        self.found = found
        return await self._known().model()

    def _become(self, inner: Backend) -> None:
        self._inner = inner
        self.kind, self.label = inner.kind, inner.label
        self.renders_prompts, self.is_chat = inner.renders_prompts, inner.is_chat
        self.takes_tokens_as_text, self.takes_snippets = inner.takes_tokens_as_text, inner.takes_snippets
        self.reads_ahead, self.max_in_flight = inner.reads_ahead, inner.max_in_flight

    async def fills_in(self, family: str | None, *, has_template: bool) -> bool:
        """As the detected backend does."""
        return await self._known().fills_in(family, has_template=has_template)

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """As the detected backend does."""
        return self._known().stream(infill)

    async def warm(self, snippets: tuple[Snippet, ...]) -> None:
        """As the detected backend does."""
        await self._known().warm(snippets)

    async def count_tokens(self, text: str) -> int | None:
        """As the detected backend does."""
        return await self._known().count_tokens(text)

    async def close(self) -> None:
        """Close every connection."""
        await self._server.close()
        if self._inner is not None:
            await self._inner.close()

    def _known(self) -> Backend:
        if self._inner is None:
            raise RuntimeError("a backend is asked what it serves before it is asked anything else")
        return self._inner
