"""One client's session: brings together its settings, the engine, what else is known, and what the user is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from tabby_ls import __version__
from tabby_ls.backends.backend import Backend, BackendError
from tabby_ls.engine.outcome import Event, Outcome, Prepared, Reason
from tabby_ls.engine.shaping.tidy import with_lf
from tabby_ls.engine.switches import Scope
from tabby_ls.journal.explain import because
from tabby_ls.journal.keeper import Keeper
from tabby_ls.journal.record import name_of
from tabby_ls.languages import language_named
from tabby_ls.printable import printable
from tabby_ls.server.capabilities import initialize_result
from tabby_ls.server.client_settings import ClientSettings
from tabby_ls.server.clients import Client, describe_client
from tabby_ls.server.documents import DocumentNotOpenError, OpenDocument
from tabby_ls.server.first_run import is_first_run, welcome
from tabby_ls.server.held_requests import HeldRequests
from tabby_ls.server.logs import configure_logging
from tabby_ls.server.places import Place
from tabby_ls.server.protocol import ServerProtocol
from tabby_ls.server.registrations import Registrations
from tabby_ls.server.status import State, Status
from tabby_ls.server.text import Edit as TextEdit
from tabby_ls.server.workspace_text import WorkspaceText
from tabby_ls.settings import Problem, Settings, own_section

if TYPE_CHECKING:
    from tabby_ls.engine.engine import Engine
    from tabby_ls.engine.inflight import Edit
    from tabby_ls.engine.snapshot import Snapshot
    from tabby_ls.engine.target import Target

#: Seconds after which the workspace is learned from where a server answers: the first request has the machine alone.
_LEARN_AFTER = 0.5

logger = logging.getLogger(__name__)


class ClientSession:
    """One client's session, from `initialize` to `shutdown`."""

    def __init__(self, server: LanguageServer) -> None:
        self._protocol = cast(ServerProtocol, server.protocol)
        self._client_settings = ClientSettings(server)
        self._held = HeldRequests()
        self._registrations = Registrations(server)
        self._saw_inline_request = False
        self._problems: list[Problem] = []
        self._backends: list[Backend] = []
        #: The ends of backends that the settings no longer name: not left to a task that the next change cancels.
        self._leaving: set[asyncio.Task[None]] = set()
        self._learning: asyncio.TimerHandle | None = None
        #: The file and the language that were last asked about.
        self._last_place = ("", "")
        #: The document, its version and the position that menu items were last asked for.
        self._last_menu: tuple[str, int, types.Position] | None = None
        self._menu_by_key = False
        #: Stands for the last request for menu items: earlier ones are answered as soon as can be.
        self.menu_request: object = None
        self.client = Client()
        self.settings = Settings()
        self.text = WorkspaceText(server)
        self.status = Status(server, lambda: self.engine.standing())
        self.keeper = Keeper(self.status.warn)

    def begin(self, params: types.InitializeParams) -> None:
        """Take in what `initialize` says. Nothing slow happens here."""
        name = params.client_info.name if params.client_info else ""
        self.client = describe_client(name, self._protocol.client)
        self.status.client = self._registrations.client = self.client
        self.settings, self._problems = self._client_settings.begin(params.initialization_options)
        self.text.begin(self.client, self.settings)
        self._log()

    def initialize_result(self, client: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `initialize` is answered, for a client with these capabilities, as plain JSON."""
        return initialize_result(client, self.settings.menu_triggers)

    async def ready(self) -> None:
        """Do what the answer to `initialize` did not need."""
        logger.info(
            "tabby-ls %s serves %s", __version__, printable(self.client.name) or "a client without a name"
        )
        self.status.problems(self._problems)
        if self.client.pulls_configuration:
            await self._pull_configuration()
        await self._register_menu()
        await self.keeper.configure(self.settings)
        self.status.reconfigured(self._refusal())
        self.engine.prepare()
        if self.settings.servers[0].is_local:
            self.text.local_model()  # begins to learn before the first request
        elif self.text.is_looked_up:
            self._learning = asyncio.get_running_loop().call_later(_LEARN_AFTER, self.text.local_model)
        if not self._problems and await asyncio.to_thread(is_first_run, self.settings):
            self.status.inform(welcome(self.client.connect_command))
        if self.settings.local.index:
            await self._registrations.files()

    async def end(self) -> None:
        """Stop everything."""
        self.status.end()
        if self._learning is not None:
            self._learning.cancel()
        if "engine" in vars(self):
            await self.engine.close()
        await self.keeper.close()
        for backend in self._backends:
            await backend.close()
        if self._leaving:
            await asyncio.wait(self._leaving)
        await self.text.close()

    # Suggestions

    @cached_property
    def engine(self) -> Engine:
        """The engine, made at its first use: the answer to `initialize` does not wait for it to be imported."""
        from tabby_ls.engine.engine import Engine

        return Engine(self.settings, self._targets(), self._watch, self.text.rules)

    def _targets(self) -> list[Target]:
        from tabby_ls.engine.targets import open_targets

        targets = open_targets(self.settings, self.text.local_model)
        self._backends = [target.backend for target in targets]
        if not all(backend.is_instant for backend in self._backends):
            surroundings = self.text.surroundings()
            for target in targets:
                target.surroundings = surroundings
        return targets

    async def wait_for_settings(self, uri: str) -> Sequence[Edit]:
        """Wait until settings that are being asked for are known; return what changed in the document meanwhile."""
        return await self._held.wait(uri)

    async def suggest(
        self,
        now: Snapshot,
        *,
        invoked: bool,
        seconds: float,
        alternatives: int = 0,
        since: Sequence[Edit] = (),
    ) -> Outcome:
        """Return what to offer at a cursor, after at most so many seconds.

        `invoked` says that the user asked by key; `alternatives` is how many more are welcome then. `since` are the
        edits that were made to the document after the snapshot was taken.
        """
        from tabby_ls.engine.requests import Request

        self._last_place = (now.uri, now.language)
        with self.status.waiting.request():
            return await self.engine.suggest(Request(now, invoked, seconds, alternatives, tuple(since)))

    def _watch(self, event: Event) -> None:
        """Take note of what the engine tells."""
        if isinstance(event, BackendError):
            self.status.failed(event)
        elif isinstance(event, Prepared):
            self.status.update()
        elif isinstance(event, Outcome):
            self.keeper.ended(event)
            is_here = event.snapshot is None or event.snapshot.uri == self._last_place[0]
            self.status.ended(event, is_here=is_here)
        else:
            self.keeper.generated(event)

    # Documents

    def edited(self, document: OpenDocument, edits: Sequence[TextEdit]) -> None:
        """Tell everybody who follows a document what changed in it."""
        from tabby_ls.engine.inflight import Edit

        self.text.edited(document, edits)
        changes = [Edit(*edit.start, *edit.end, with_lf(edit.text)) for edit in edits]
        self._held.edited(document.uri, changes)
        self.engine.edited(document.uri, changes)
        self.keeper.offers.edited(document.uri, changes, document.text.after)
        self.status.edited()

    def closed(self, uri: str) -> None:
        """Let go of a document that was closed."""
        self.engine.closed(uri)
        self.keeper.offers.closed(uri)
        self.text.closed(uri)

    # The menu

    @property
    def offers_menu(self) -> bool:
        """Whether menu items are wanted: where there is no ghost text, unless the user says otherwise."""
        if self.settings.menu.show != "auto":
            return self.settings.menu.show == "on"
        return not self.client.shows_ghost_text or (
            self.client.may_not_show_it and not self._saw_inline_request
        )

    def menu_deadline(self, *, invoked: bool) -> float:
        """Seconds a menu request may take: who asked by key waits as for ghost text."""
        milliseconds = self.settings.deadline_ms if invoked else self.settings.menu.deadline_ms
        return min(milliseconds / 1000, self.client.longest_wait)

    def asked_by_key(self, context: types.CompletionContext | None, place: Place) -> bool:
        """Return whether the user asked for the menu at `place` by key.

        `Invoked` means that, and also that a word is being typed, which many clients ask about once by themselves.
        """
        now = (place.snapshot.uri, place.snapshot.version, place.position)
        again = self.client.asks_once and now == self._last_menu
        self._last_menu = now
        kind = context.trigger_kind if context else types.CompletionTriggerKind.TriggerCharacter
        if kind is not types.CompletionTriggerKind.TriggerForIncompleteCompletions:  # else as before
            before = place.snapshot.line_prefix[-1:]
            behind_word = bool(before.strip()) and before not in self.settings.menu_triggers
            is_invoked = kind is types.CompletionTriggerKind.Invoked
            self._menu_by_key = is_invoked and (again or not behind_word)
        return self._menu_by_key

    def saw_inline_request(self) -> None:
        """Take note that the client does show ghost text."""
        self._saw_inline_request = True

    async def _register_menu(self) -> None:
        """Register the menu as the settings want it, where the client allows that."""
        await self._registrations.menu(self.settings.menu_triggers if self.offers_menu else None)

    # What the user asks and turns

    def place(self, uri: str, language: str) -> tuple[str, str]:
        """Return the file and the language a command is about: those it names, else where was asked last."""
        if not uri:
            last_uri, last_language = self._last_place
            return last_uri, language or last_language
        with suppress(DocumentNotOpenError):
            language = language or self._protocol.documents.get_text_document(uri).language_id or ""
        return uri, language

    def state(self, uri: str) -> State:
        """Return the status, as it is for a file: for the one that was last asked about, if none is named."""
        self._last_place = self.place(uri, "")
        return self.status.entered(self._refusal())

    def turn(self, scope: Scope, uri: str, language: str, *, on: bool) -> str:
        """Switch suggestions on or off; return in words what that came to."""
        self.engine.turn(scope, uri, language, on=on)
        refusal = self._refusal(uri)
        self.status.reconfigured(self._refusal())
        what = {
            Scope.SESSION: "",
            Scope.LANGUAGE: f" for {language_named(language).name}",
            Scope.FILE: f" in {name_of(uri)}",
        }[scope]
        done = f"suggestions are {'on' if on else 'off'}{what}, for this session"
        return f"{done}. But: {because(refusal)}" if on and refusal else done

    def _refusal(self, uri: str = "") -> Reason | None:
        """Return why nothing at all is suggested in a file, None if something may be."""
        return self.engine.refusal(*self.place(uri, ""), invoked=True)

    # Changed settings and folders

    async def configuration_changed(self, pushed: object) -> None:
        """Put changed settings in force; they come with the notification, or are asked for."""
        if self.client.pulls_configuration:
            await self._pull_configuration()
        else:
            await self._apply(own_section(pushed))
        await self._register_menu()

    async def folders_changed(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        """Take in that the workspace has other folders."""
        await self._reconfigure()
        await self.text.folders_changed(event)

    async def _pull_configuration(self) -> None:
        with self._held.holding():
            if (answer := await self._client_settings.ask()) is not None:
                await self._apply(answer)

    async def _apply(self, workspace_settings: Mapping[str, Any]) -> None:
        settings, problems = self._client_settings.change(workspace_settings)
        self.status.problems(problems)
        if settings != self.settings:
            self.settings = settings
            self._log()
            logger.info("the settings have changed")
            await self.keeper.configure(settings)
            await self._reconfigure()

    async def _reconfigure(self) -> None:
        """Put settings and folders in force where they count."""
        await self.text.configure(self.settings)
        if "engine" in vars(self):
            former = self._backends
            self.engine.configure(self.settings, self._targets(), self.text.rules)
            self.status.reconfigured(self._refusal())
            for backend in former:
                leaving = asyncio.create_task(backend.close())
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)

    def _log(self) -> None:
        if problem := configure_logging(self.settings.log):
            self.status.warn(problem)
