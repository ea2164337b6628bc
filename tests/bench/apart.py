"""A scripted backend in a process of its own, so that it and the bench do not wait for each other's turn in Python."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.managers import BaseManager

from tests.support.scripted_server import Request
from tests.support.tabbyapi import ScriptedTabbyAPI


class Backend(ScriptedTabbyAPI):
    """What the bench asks of it across the border between the processes: methods only, and values that are copied."""

    def start(self) -> str:
        """Begin to serve, and return the URL."""
        self.__enter__()
        return self.url

    def stop(self) -> None:
        """End."""
        self.__exit__(None, None, None)

    def seen(self, since: int = 0) -> list[Request]:
        """The requests for completions, in the order they came, without the first `since`. Times are monotonic."""
        return self.completions[since:]

    def streams(self) -> int:
        """How many streams are open."""
        return self.open_streams


class _Manager(BaseManager):
    """Holds the backend's process."""


_Manager.register(
    "Backend", Backend, exposed=("start", "stop", "seen", "streams", "reply", "reply_endlessly")
)


@contextmanager
def backend_apart() -> Iterator[tuple[Backend, str]]:
    """A backend that serves, and its URL."""
    with _Manager(ctx=multiprocessing.get_context("spawn")) as manager:
        backend: Backend = manager.Backend()  # type: ignore[attr-defined]
        url = backend.start()
        try:
            yield backend, url
        finally:
            backend.stop()
