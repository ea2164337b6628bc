"""What the user sees and is told: each cause once, in one sentence, never once a keystroke."""

from __future__ import annotations

import logging

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.engine.outcome import Origin, Outcome, Reason
from tabby_ls.settings import Problem

logger = logging.getLogger(__name__)

STATUS = "tabby-ls/status"
#: Ends that a backend in trouble cannot bring about.
_ANSWERS = frozenset({Reason.SHOWN, Reason.ALREADY_THERE, Reason.NOTHING_TO_SAY})


class Status:
    """The voice of the server.

    Each kind of trouble is told once, until the backend has answered again.
    """

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._told: set[str] = set()
        self._troubles: set[Trouble] = set()

    def problems(self, problems: list[Problem]) -> None:
        """Name settings that could not be used, each once a session."""
        for problem in map(str, problems):
            self.tell(problem)

    def tell(self, problem: str) -> None:
        """Tell the user of a problem, once a session."""
        if problem not in self._told:
            self._told.add(problem)
            self._show(types.MessageType.Warning, problem)

    def watch(self, event: Outcome | BackendError) -> None:
        """Take note of a request's end or of a failure of the backend."""
        if isinstance(event, BackendError):
            logger.warning("backend: %s", event.message)
            if event.trouble not in self._troubles:
                self._troubles.add(event.trouble)
                self._show(types.MessageType.Warning, event.message)
                self._notify("error", event.message)
            return
        logger.debug("request: %s %s %s", event.reason, event.origin or "", event.timings)
        is_answer = event.reason in _ANSWERS and event.origin is not Origin.MEMORY
        if self._troubles and is_answer and event.backend != "local":
            self._troubles.clear()
            self._notify("ready", "")
            logger.warning("backend: answers again")

    def _show(self, kind: types.MessageType, text: str) -> None:
        self._server.window_show_message(types.ShowMessageParams(kind, f"tabby-ls: {text}"))

    def _notify(self, state: str, message: str) -> None:
        """Tell clients that show a status; others ignore the notification."""
        self._server.protocol.notify(STATUS, {"state": state, "message": message})
