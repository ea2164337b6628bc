"""What the server knows of its client, and what follows from it: settings in force, engine, local model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from tabby_ls import settings as user_settings
from tabby_ls.backends.backend import Backend, BackendError
from tabby_ls.engine.outcome import Event, Outcome, Prepared, Reason
from tabby_ls.engine.shaping.tidy import with_lf
from tabby_ls.engine.switches import Scope
from tabby_ls.journal.explain import because
from tabby_ls.journal.keeper import Keeper
from tabby_ls.journal.record import name_of
from tabby_ls.languages import language_named
from tabby_ls.server.capabilities import initialize_result
from tabby_ls.server.clients import Client, describe_client
from tabby_ls.server.connection import settle
from tabby_ls.server.documents import DocumentNotOpenError, OpenDocument
from tabby_ls.server.first_run import WELCOME, is_first_run
from tabby_ls.server.logs import configure_logging
from tabby_ls.server.protocol import ServerProtocol
from tabby_ls.server.status import State, Status
from tabby_ls.server.text import Edit as TextEdit
from tabby_ls.settings import SECTION, Problem, Settings, Source, own_section

if TYPE_CHECKING:
    from tabby_ls.context.privacy import FileRules
    from tabby_ls.context.surroundings import Surroundings
    from tabby_ls.engine.engine import Engine
    from tabby_ls.engine.inflight import Edit
    from tabby_ls.engine.snapshot import Snapshot
    from tabby_ls.engine.target import Target
    from tabby_ls.local_model.blend import Source as IndexSource
    from tabby_ls.local_model.model import LocalModel
    from tabby_ls.server.indexing import Indexing

logger = logging.getLogger(__name__)

_REGISTRATION = "tabby-ls-menu"
_WATCHERS = "tabby-ls-files"
_IGNORE_FILES = (".gitignore", ".tabbyignore")
#: How long requests wait for the client to tell its settings; it may never do.
_SETTINGS_SECONDS = 1.0


class ClientSession:
    """One client's session, from `initialize` to `shutdown`."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._protocol = cast(ServerProtocol, server.protocol)
        self._in_file: Mapping[str, Any] = {}
        self._initialization: Mapping[str, Any] = {}
        self._workspace_settings: Mapping[str, Any] = {}
        self._settings_known = asyncio.Event()
        self._settings_known.set()
        self._queue = asyncio.Lock()
        #: By document, the changes that requests have missed which wait for the settings.
        self._missed: list[tuple[str, list[Edit]]] = []
        self._saw_inline_request = False
        self._registering = asyncio.Lock()
        self._registered: types.CompletionRegistrationOptions | None = None
        self.client = Client()
        self.settings = Settings()
        self.status = Status(server, lambda: self.engine.standing())
        self.keeper = Keeper(self.status.warn)
        #: The file and the language that were last asked about.
        self._last_place = ("", "")
        self._problems: list[Problem] = []
        self._backends: list[Backend] = []
        self._local_model: LocalModel | None = None
        self._indexing: Indexing | None = None
        self._surroundings: Surroundings | None = None
        self._rules: FileRules | None = None

    def begin(self, params: types.InitializeParams) -> None:
        """Take in what `initialize` says. Nothing slow happens here."""
        self.client = describe_client(params)
        self.status.client = self.client
        self._initialization = own_section(params.initialization_options)
        self.settings, self._problems = self._resolve()
        self._log()

    def initialize_result(self, client: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `initialize` is answered, for a client with these capabilities, as plain JSON."""
        return initialize_result(client, self.settings.menu.trigger_characters)

    def _log(self) -> None:
        if problem := configure_logging(self.settings.log):
            self.status.warn(problem)

    @cached_property
    def engine(self) -> Engine:
        """The engine, made at its first use: the answer to `initialize` does not wait for it to be imported."""
        from tabby_ls.engine.engine import Engine

        return Engine(self.settings, self._targets(), self._watch, self.rules)

    @property
    def rules(self) -> FileRules:
        """Which documents are left alone, and which do not leave the machine."""
        if self._rules is None:
            from tabby_ls.context.privacy import FileRules

            self._rules = FileRules(self.settings.exclude, self._roots())
        return self._rules

    async def suggest(
        self,
        now: Snapshot,
        *,
        invoked: bool,
        seconds: float,
        alternatives: int = 0,
        since: Sequence[Edit] = (),
    ) -> Outcome:
        """Return what to offer at a cursor, after at most so many seconds; `since` has the document changed so."""
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
            self.status.ended(event)
        else:
            self.keeper.generated(event)

    def edited(self, document: OpenDocument, edits: Sequence[TextEdit]) -> None:
        """Tell the engine what changed in a document."""
        from tabby_ls.engine.inflight import Edit

        if self._surroundings is not None:
            for edit in edits:
                self._surroundings.edited(document.uri, edit.start[0], edit.end[0], edit.text)
        changes = [Edit(*edit.start, *edit.end, with_lf(edit.text)) for edit in edits]
        for uri, missed in self._missed:
            if uri == document.uri:
                missed += changes
        self.engine.edited(document.uri, changes)
        self.keeper.offers.edited(document.uri, changes, document.text.after)

    async def ready(self) -> None:
        """Do what the answer to `initialize` did not need."""
        self.status.problems(self._problems)
        if self.client.pulls_configuration:
            await self._pull_configuration()
        await self._register_menu()
        await self.keeper.configure(self.settings)
        self.status.reconfigured(self._refusal())
        self.engine.warm_up()
        if self.settings.servers[0].is_local or self._looks_things_up:
            self._the_local_model()  # begin to learn before the first request
        if await asyncio.to_thread(is_first_run, self.settings):
            self.status.inform(WELCOME)
        settle()  # what was imported since `initialize` stays for good
        await self._watch_files()

    async def end(self) -> None:
        """Stop everything."""
        if "engine" in vars(self):
            await self.engine.close()
        await self.keeper.close()
        for backend in self._backends:
            await backend.close()
        if self._indexing is not None:
            await self._indexing.close()
        if self._surroundings is not None:
            await self._surroundings.close()

    # What the user sees and turns

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
        return self.status.state(self._refusal(uri))

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

    def said(self, sentence: str) -> str:
        """Return a command's answer, having shown it where the client has no place for it."""
        self.status.tell(sentence)
        return sentence

    # Settings

    async def configuration_changed(self, pushed: Any) -> None:
        """Put changed settings in force; they come with the notification, or are asked for."""
        if self.client.pulls_configuration:
            await self._pull_configuration()
        else:
            await self._apply_workspace_settings(own_section(pushed))
        await self._register_menu()

    async def settled(self, uri: str) -> Sequence[Edit]:
        """Wait until settings that are being asked for are known: they may forbid what a request is about.

        Requests go on in the order in which they came. Returns what has changed in their document meanwhile.
        """
        if self._settings_known.is_set() and not self._queue.locked():
            return ()
        missed: list[Edit] = []
        self._missed.append((uri, missed))
        try:
            async with self._queue:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_SETTINGS_SECONDS):
                        await self._settings_known.wait()
                self._settings_known.set()
        finally:
            self._missed = [(of, edits) for of, edits in self._missed if edits is not missed]
        return missed

    async def _pull_configuration(self) -> None:
        self._settings_known.clear()
        try:
            if (answer := await self._ask_for_configuration()) is not None:
                await self._apply_workspace_settings(answer)
        finally:
            self._settings_known.set()

    async def _ask_for_configuration(self) -> Mapping[str, Any] | None:
        item = types.ConfigurationItem(section=SECTION)
        try:
            answers = await self._server.workspace_configuration_async(types.ConfigurationParams([item]))
        except Exception as error:  # the client's answer may be anything
            logger.warning("workspace/configuration failed: %s", type(error).__name__)
            return None
        return own_section(answers[0] if answers else None)

    async def _apply_workspace_settings(self, data: Mapping[str, Any]) -> None:
        self._workspace_settings = data
        settings, problems = self._resolve()
        self.status.problems(problems)
        if settings != self.settings:
            self.settings = settings
            self._log()
            await self.keeper.configure(self.settings)
            await self._reconfigure()

    async def _reconfigure(self) -> None:
        """Put settings and folders in force where they count."""
        self._rules = None
        if self._indexing is not None:
            await self._indexing.leave_out(self.settings.exclude)
        if "engine" in vars(self):
            former = self._backends
            self.engine.configure(self.settings, self._targets(), self.rules)
            self.status.reconfigured(self._refusal())
            for backend in former:
                await backend.close()

    def _resolve(self) -> tuple[Settings, list[Problem]]:
        in_file, problem = user_settings.read_config_file()
        # A file that cannot be read is being edited: what it said last stays in force.
        self._in_file = self._in_file if in_file is None else in_file
        settings, problems = user_settings.load(in_file=self._in_file)
        problems += [problem] if problem else []
        for data, source in (
            (self._initialization, Source.INITIALIZATION),
            (self._workspace_settings, Source.WORKSPACE),
        ):
            settings, more = settings.merged(data, source)
            problems += more
        return settings, problems

    def _targets(self) -> list[Target]:
        from tabby_ls.engine.targets import open_targets

        targets = open_targets(self.settings, self._the_local_model)
        self._backends = [target.backend for target in targets]
        surroundings = self._the_surroundings()
        for target in targets:
            target.surroundings = surroundings
        return targets

    # What the server is shown besides the document

    def _the_surroundings(self) -> Surroundings | None:
        """Return what other text the server may see; None where no server is asked."""
        if all(backend.is_instant for backend in self._backends) or not self.settings.context.snippets:
            return None
        sources = self.settings.context.sources
        if self._surroundings is None:
            from tabby_ls.context.surroundings import Surroundings

            self._surroundings = Surroundings(indexed=self._indexed, rules=self.rules, sources=sources)
            for document in self._protocol.documents.text_documents.values():
                self._show(cast(OpenDocument, document))
        else:
            self._surroundings.configure(self.rules, sources)
        return self._surroundings

    @property
    def _looks_things_up(self) -> bool:
        """Whether the local model's index is used to find what to show the server."""
        context = self.settings.context
        return context.snippets and "workspace" in context.sources and self.settings.local.index

    def _indexed(self, uri: str) -> list[tuple[Path, IndexSource]]:
        return self._local_model.indexed(uri) if self._local_model is not None else []

    def _show(self, document: OpenDocument) -> None:
        if self._surroundings is not None and self.rules.rule_for(document.uri) is None:
            self._surroundings.opened(document.uri, document.language_id or "", lambda: document.lines)

    # The menu

    @property
    def offers_menu(self) -> bool:
        """Whether menu items are wanted: where there is no ghost text, unless the user says otherwise."""
        if self.settings.menu.show != "auto":
            return self.settings.menu.show == "on"
        return not self.client.shows_ghost_text or (
            self.client.may_not_show_it and not self._saw_inline_request
        )

    @property
    def menu_deadline(self) -> float:
        """Seconds a menu request may take."""
        return min(self.settings.menu.deadline_ms / 1000, self.client.longest_wait)

    def saw_inline_request(self) -> None:
        """The client does show ghost text."""
        self._saw_inline_request = True

    async def _register_menu(self) -> None:
        """Register the menu anew where the client allows it, when what it is told has changed."""
        if not self.client.registers_completion:
            return
        async with self._registering:
            triggers = list(self.settings.menu.trigger_characters)
            options = types.CompletionRegistrationOptions(trigger_characters=triggers, resolve_provider=False)
            wanted = options if self.offers_menu else None
            if wanted == self._registered:
                return
            try:
                if self._registered is not None:
                    gone = types.Unregistration(_REGISTRATION, types.TEXT_DOCUMENT_COMPLETION)
                    await self._server.client_unregister_capability_async(types.UnregistrationParams([gone]))
                if wanted is not None:
                    new = types.Registration(_REGISTRATION, types.TEXT_DOCUMENT_COMPLETION, wanted)
                    await self._server.client_register_capability_async(types.RegistrationParams([new]))
            except Exception as error:  # the client's answer may be anything
                logger.warning("the menu could not be registered: %s", type(error).__name__)
            self._registered = wanted

    # What the local model learns from

    def _the_local_model(self) -> LocalModel:
        if self._local_model is None:
            from tabby_ls.local_model.model import LocalModel

            self._local_model = LocalModel()
            for document in self._protocol.documents.text_documents.values():
                self.learn(cast(OpenDocument, document))
            self._index(self._local_model)
        return self._local_model

    def _index(self, model: LocalModel) -> None:
        """Learn from the workspace too, if the user wants that."""
        if self.settings.local.index and self._indexing is None:
            from tabby_ls.server.indexing import Indexing

            self._indexing = Indexing(
                self._server, model, shows_progress=self.client.shows_progress, exclude=self.settings.exclude
            )
            self._indexing.add(self._roots())

    async def _watch_files(self) -> None:
        """Ask the client to tell of files that change on disk."""
        if not self.client.registers_watchers or not self.settings.local.index:
            return
        everything = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher("**/*")])
        watch = types.Registration(_WATCHERS, types.WORKSPACE_DID_CHANGE_WATCHED_FILES, everything)
        try:
            await self._server.client_register_capability_async(types.RegistrationParams([watch]))
        except Exception as error:  # the client's answer may be anything
            logger.warning("files are not watched: %s", type(error).__name__)

    def _roots(self) -> list[Path]:
        workspace = self._protocol.documents
        uris = list(workspace.folders) or [workspace.root_uri]
        return [Path(path) for path in map(_path_of, uris) if path]

    async def folders_changed(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        """The workspace has other folders."""
        await self._reconfigure()
        if self._indexing is not None:
            await self._indexing.remove([Path(path) for f in event.removed if (path := _path_of(f.uri))])
            self._indexing.add([Path(path) for f in event.added if (path := _path_of(f.uri))])

    def files_changed(self, uris: Iterable[str]) -> None:
        """Files changed on disk, by whatever program."""
        uris = list(uris)
        if any(uri.endswith(_IGNORE_FILES) for uri in uris):
            self.rules.ignore_files.changed()
        if self._indexing is not None:
            self._indexing.changed([Path(path) for path in map(_path_of, uris) if path])

    def learn(self, document: OpenDocument) -> None:
        """Take in the text of a document that was opened or saved, unless nothing may be learned from it."""
        if self._local_model is not None and self.rules.rule_for(document.uri) is None:
            self._local_model.open_document(document.uri, document.source)

    def opened(self, document: OpenDocument) -> None:
        """Take in a document."""
        self.learn(document)
        self._show(document)

    def forget(self, uri: str) -> None:
        """A document was closed."""
        self.engine.closed(uri)
        self.keeper.offers.closed(uri)
        if self._surroundings is not None:
            self._surroundings.closed(uri)
        if self._local_model is not None:
            self._local_model.close_document(uri)


def _path_of(uri: str | None) -> str | None:
    return to_fs_path(uri) if uri else None
