"""What the user sees and is told: each cause once, in one sentence, never once a keystroke."""

from __future__ import annotations

import asyncio
import logging
import textwrap
from collections.abc import Callable
from typing import Literal

from attrs import asdict, frozen
from lsprotocol import types
from pygls.lsp.server import LanguageServer

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.engine.outcome import Outcome, Reason, Standing
from tabby_ls.journal.explain import because
from tabby_ls.server.clients import Client
from tabby_ls.server.long_messages import is_long, show_document
from tabby_ls.server.lull import Lull
from tabby_ls.server.waiting import Waiting
from tabby_ls.settings import Problem

logger = logging.getLogger(__name__)

#: The notification for clients that declare `experimental["tabby-ls"].status`: docs/protocol.md.
STATUS = "tabby-ls/status"


@frozen
class State:
    """What a status bar shows. `message` says why, in a sentence, for `error` and `off`; else it is ""."""

    state: Literal["idle", "thinking", "error", "off"]
    backend: str
    message: str = ""


class Status:
    """Keeps the status of the server, and tells the client and the user of changes and problems.

    A client that shows a status is notified when it changes. Any other is told of each kind of trouble once,
    and once that all is well again.
    """

    def __init__(self, server: LanguageServer, standing: Callable[[], Standing]) -> None:
        """`standing` is asked who answers, each time that something has happened."""
        self._server = server
        self._standing = standing
        self._told: set[str] = set()
        self._troubles: set[Trouble] = set()
        self._answering = ""
        self._refusal: Reason | None = None
        self._shown: State | None = None
        self._showing: set[asyncio.Task[None]] = set()
        self._lull = Lull(self._show_now)
        #: `shows_status`: whether it shows what it is notified of.
        self.client = Client()
        self.waiting = Waiting(self.update)

    def problems(self, problems: list[Problem]) -> None:
        """Name settings that could not be used, each once a session."""
        for problem in map(str, problems):
            self.warn(problem)

    def warn(self, problem: str) -> None:
        """Tell the user of a problem, once a session."""
        if problem not in self._told:
            self._told.add(problem)
            self._show(types.MessageType.Warning, problem)

    def inform(self, sentence: str) -> None:
        """Tell the user something that is no problem.

        Some clients stop at a long message until a key is pressed: they show its beginning, and log all of it.
        """
        longest = self.client.longest_message
        if longest and len(sentence) > longest:
            self._server.window_log_message(types.LogMessageParams(types.MessageType.Info, sentence))
            sentence = textwrap.shorten(sentence, longest, placeholder="…")
        self._show(types.MessageType.Info, sentence)

    def tell(self, sentence: str) -> None:
        """Tell the user what a command of theirs came to, unless the client has its own place for it."""
        if self.client.shows_status:
            return
        if self.client.has_message_line and self.client.opens_documents and is_long(sentence):
            showing = asyncio.create_task(show_document(self._server, sentence))
            self._showing.add(showing)
            showing.add_done_callback(self._showing.discard)
        else:
            self._show_now(types.MessageType.Info, sentence)

    def edited(self) -> None:
        """Take note that the user types."""
        self._lull.edited()

    def end(self) -> None:
        """Say nothing any more."""
        self._lull.end()

    def failed(self, error: BackendError) -> None:
        """Take note of a backend's failure."""
        is_new = error.trouble not in self._troubles
        logger.log(logging.WARNING if is_new else logging.DEBUG, "backend: %s", error.message)
        self.update()
        if is_new:
            self._troubles.add(error.trouble)
            if not self.client.shows_status:
                self._show(types.MessageType.Warning, self._with_stand_in(error))

    def ended(self, outcome: Outcome, *, is_here: bool = True) -> None:
        """Take note of a request's end; `is_here`: in the file that the user is in, as far as one knows."""
        logger.debug("request: %s %s %s", outcome.reason, outcome.origin or "", outcome.timings)
        if is_here:
            is_off = outcome.is_refusal and outcome.reason is not Reason.MANUAL_ONLY
            self._refusal = outcome.reason if is_off else None
        self.update()

    def entered(self, refusal: Reason | None) -> State:
        """Return the status in the file that the client names as the user's, where requests are refused or not.

        What it is notified of from now on is about that file too.
        """
        self._refusal = refusal
        self._shown = self.state(refusal)
        return self._shown

    def reconfigured(self, refusal: Reason | None) -> None:
        """Take note of other settings or switches: why nothing at all is suggested now, None if something is."""
        self._refusal = refusal
        if self._standing().error is None:
            self._troubles.clear()  # not because it answered again: there is nothing to tell
        self.update()

    def state(self, refusal: Reason | None) -> State:
        """Return the status of a place where requests are refused for that reason, or not at all."""
        standing = self._standing()
        if refusal is not None:
            return State("off", standing.backend, because(refusal))
        if standing.error is not None:
            return State("error", standing.backend, self._with_stand_in(standing.error))
        return State("thinking" if self.waiting.is_long else "idle", standing.backend)

    def update(self) -> None:
        """Tell the client if the status is not what it was."""
        standing = self._standing()
        if standing.backend != self._answering:
            self._answering = standing.backend
            logger.info("suggestions come from %s", standing.backend)
        if self._troubles and standing.error is None:
            self._troubles.clear()
            logger.warning("backend: %s answers again", standing.backend)
            if not self.client.shows_status:
                self._show(types.MessageType.Info, f"{standing.backend} answers again")
        if self.client.shows_status and (state := self.state(self._refusal)) != self._shown:
            self._shown = state
            self._server.protocol.notify(STATUS, asdict(state))

    def _with_stand_in(self, error: BackendError) -> str:
        """Return the complaint, and who answers in the meantime."""
        standing, message = self._standing(), error.message
        if error.key_from and error.key_from == self.client.key_variable:
            message = f"{error.complaint}. Give it with the command {self.client.key_command}."
        return f"{message} (meanwhile: {standing.backend})" if standing.is_stand_in else message

    def _show(self, kind: types.MessageType, text: str) -> None:
        """Show what the user has not asked for just now."""
        if self.client.has_message_line:
            self._lull.say(kind, text)
        else:
            self._show_now(kind, text)

    def _show_now(self, kind: types.MessageType, text: str) -> None:
        whom = "" if self.client.names_server else "tabby-ls: "
        self._server.window_show_message(types.ShowMessageParams(kind, whom + text))
