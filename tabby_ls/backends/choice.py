"""From settings to a backend. Each kind's module is imported only when it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tabby_ls.backends.backend import Backend
from tabby_ls.settings import Settings

if TYPE_CHECKING:
    from tabby_ls.local_model.model import LocalModel


def open_backends(settings: Settings, local_model: Callable[[], LocalModel]) -> list[Backend]:
    """Return the backends the settings ask for, the first choice first; nothing is connected yet.

    `local_model` is called once the local model is wanted.
    """
    kind = settings.backend.kind_in_use
    backends: list[Backend] = []
    if kind == "tabbyapi":
        from tabby_ls.backends.tabbyapi import TabbyAPIBackend

        backends.append(TabbyAPIBackend(settings.backend))
    if kind == "local" or settings.local.fallback:
        from tabby_ls.backends.local import LocalBackend

        backends.append(LocalBackend(local_model))
    return backends
