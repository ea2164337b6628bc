"""The settings in force: those of the user's file and environment, with what the client says over them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from tabby_ls import settings as user_settings
from tabby_ls.settings import SECTION, Problem, Settings, Source, own_section

logger = logging.getLogger(__name__)


class ClientSettings:
    """What one client has said of settings, and what follows from it together with all that was said elsewhere."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._in_file: Mapping[str, Any] = {}
        self._initialization: Mapping[str, Any] = {}
        self._workspace: Mapping[str, Any] = {}

    def begin(self, initialization_options: object) -> tuple[Settings, list[Problem]]:
        """Return the settings with the client's `initializationOptions`, and what could not be used."""
        self._initialization = own_section(initialization_options)
        return self._resolve()

    def change(self, workspace: Mapping[str, Any]) -> tuple[Settings, list[Problem]]:
        """Return the settings once the client's own are these, and what could not be used."""
        self._workspace = workspace
        return self._resolve()

    async def ask(self) -> Mapping[str, Any] | None:
        """Return what the client answers to `workspace/configuration`; None if it gives no usable answer."""
        item = types.ConfigurationItem(section=SECTION)
        try:
            answers = await self._server.workspace_configuration_async(types.ConfigurationParams([item]))
        except Exception as error:  # the client's answer may be anything
            logger.warning("workspace/configuration failed: %s", type(error).__name__)
            return None
        return own_section(answers[0] if answers else None)

    def _resolve(self) -> tuple[Settings, list[Problem]]:
        in_file, problem = user_settings.read_config_file()
        # A file that cannot be read is being edited: what it said last stays in force.
        self._in_file = self._in_file if in_file is None else in_file
        settings, problems = user_settings.load(in_file=self._in_file)
        problems += [problem] if problem else []
        for data, source in (
            (self._initialization, Source.INITIALIZATION),
            (self._workspace, Source.WORKSPACE),
        ):
            settings, more = settings.merged(data, source)
            problems += more
        return settings, problems
