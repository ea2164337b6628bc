"""From settings to a backend. Each kind's module is imported only when it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tabby_ls.backends.backend import Backend
from tabby_ls.settings import Settings

if TYPE_CHECKING:
    from tabby_ls.local_model.model import LocalModel


def open_backend(settings: Settings, local_model: Callable[[], LocalModel]) -> Backend:
    """Return the backend the settings ask for; nothing is connected yet. `local_model` is called if it is wanted."""
    kind = settings.backend.kind
    if kind == "auto":
        kind = "tabbyapi" if settings.backend.url else "local"
    if kind == "tabbyapi":
        from tabby_ls.backends.tabbyapi import TabbyAPIBackend

        return TabbyAPIBackend(settings.backend)
    from tabby_ls.backends.local import LocalBackend

    return LocalBackend(local_model())
