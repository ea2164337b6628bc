"""From settings to targets: the backends they name, the first choice first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tabby_ls.backends.choice import open_backend
from tabby_ls.engine.target import Target
from tabby_ls.settings import BackendSettings, Settings

if TYPE_CHECKING:
    from tabby_ls.local_model.model import LocalModel


def open_targets(settings: Settings, local_model: Callable[[], LocalModel]) -> list[Target]:
    """Return the targets the settings ask for, the local model last; nothing is connected yet.

    `local_model` is called once the local model is wanted.
    """
    servers = [server for server in settings.servers if not server.is_local]
    local = [server for server in settings.servers if server.is_local]
    if not local and settings.local.fallback:
        local = [BackendSettings(kind="local")]
    return [Target(open_backend(server, local_model), settings, server) for server in (*servers, *local)]
