"""The base of every backend that asks a server: what most kinds have in common, so that a kind's module says the rest."""

from __future__ import annotations

from tabby_ls.backends.backend import Snippet
from tabby_ls.backends.server import Server
from tabby_ls.settings import BackendSettings


class RemoteBackend:
    """Part of a :class:`~tabby_ls.backends.backend.Backend`: `kind`, `label`, `model` and `stream` are missing.

    The attributes are as there; a kind that differs says so.
    """

    kind: str
    label: str
    renders_prompts = False
    is_instant = False
    is_chat = False
    takes_tokens_as_text = False
    takes_snippets = False
    #: Only where reading that was begun can be ended does it not delay the next request, and only where it is free.
    reads_ahead = False
    max_in_flight = 2

    def __init__(self, settings: BackendSettings, *, software: str = "", url: str = "") -> None:
        """`software` is the server's name in messages, and `url` its address, where they are not the usual ones."""
        self.server = Server(settings, software or self.label, url=url)

    async def fills_in(self, family: str | None, *, has_template: bool) -> bool:
        """Return whether it never needs a template: no server is asked."""
        return self.renders_prompts

    async def warm(self, snippets: tuple[Snippet, ...]) -> None:
        """Nothing."""

    async def count_tokens(self, text: str) -> int | None:
        """Return None: there is no tokenizer that could be asked."""
        return None

    async def close(self) -> None:
        """Close every connection."""
        await self.server.close()
