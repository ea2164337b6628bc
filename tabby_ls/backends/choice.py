"""Opens the backend for one server's settings: the local model, a server of a given kind, or one to be detected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tabby_ls.backends.backend import Backend
from tabby_ls.backends.kinds import open_server
from tabby_ls.settings import BackendSettings

if TYPE_CHECKING:
    from tabby_ls.local_model.model import LocalModel


def open_backend(settings: BackendSettings, local_model: Callable[[], LocalModel]) -> Backend:
    """Return the backend that `settings` describe; nothing is connected yet.

    `local_model` is called when the local model is first wanted: loading it takes time.
    """
    if settings.is_local:
        from tabby_ls.backends.local import LocalBackend

        return LocalBackend(local_model)
    if settings.kind == "auto":
        from tabby_ls.backends.detected import DetectedBackend

        return DetectedBackend(settings)
    return open_server(settings)
