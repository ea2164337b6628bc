"""What is registered with the client after `initialize`: the menu, which comes and goes, and files to watch.

A client that does not support dynamic registration is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from tabby_ls.server.clients import Client

logger = logging.getLogger(__name__)

_MENU = "tabby-ls-menu"
_FILES = "tabby-ls-files"


class Registrations:
    """The dynamic registrations of one session (LSP 3.17, `client/registerCapability`)."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._changing = asyncio.Lock()
        self._menu: types.CompletionRegistrationOptions | None = None
        #: `registers_completion`, `registers_watchers`: what may be registered.
        self.client = Client()

    async def menu(self, trigger_characters: Sequence[str] | None) -> None:
        """Have the client ask for menu items, also at these characters; with None not to ask for any."""
        if not self.client.registers_completion:
            return
        async with self._changing:
            wanted = None
            if trigger_characters is not None:
                wanted = types.CompletionRegistrationOptions(
                    trigger_characters=list(trigger_characters), resolve_provider=False
                )
            if wanted == self._menu:
                return
            try:
                if self._menu is not None:
                    former = types.Unregistration(_MENU, types.TEXT_DOCUMENT_COMPLETION)
                    await self._server.client_unregister_capability_async(
                        types.UnregistrationParams([former])
                    )
                if wanted is not None:
                    await self._register(types.Registration(_MENU, types.TEXT_DOCUMENT_COMPLETION, wanted))
            except Exception as error:  # the client's answer may be anything
                logger.warning("the menu could not be registered: %s", type(error).__name__)
            self._menu = wanted

    async def files(self) -> None:
        """Have the client tell of every file that changes on disk."""
        if not self.client.registers_watchers:
            return
        everything = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher("**/*")])
        try:
            await self._register(
                types.Registration(_FILES, types.WORKSPACE_DID_CHANGE_WATCHED_FILES, everything)
            )
        except Exception as error:  # the client's answer may be anything
            logger.warning("files are not watched: %s", type(error).__name__)

    async def _register(self, registration: types.Registration) -> None:
        await self._server.client_register_capability_async(types.RegistrationParams([registration]))
