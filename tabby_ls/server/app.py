"""The language server: a handler for each request and notification of the protocol.

What they do is mostly `ClientSession`'s; here the protocol's types are taken apart and put together.
"""

from __future__ import annotations

import linecache
import logging
from collections.abc import Callable
from contextlib import suppress
from inspect import isawaitable
from time import monotonic
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from tabby_ls import __version__
from tabby_ls.server.client_session import ClientSession
from tabby_ls.server.commands import COMMANDS, Arguments, Command
from tabby_ls.server.documents import DocumentNotOpenError
from tabby_ls.server.items import inline_item, is_worth_a_row, menu_item
from tabby_ls.server.places import place_of, typed_on
from tabby_ls.server.protocol import ServerProtocol, make_converter

logger = logging.getLogger(__name__)

#: Ghost texts besides the best one for a request by key, through which editors let the user cycle.
_ALTERNATIVES = 2


class TabbyLanguageServer(LanguageServer):
    """A language server for one client, whose settings and state are its `session`."""

    protocol: ServerProtocol

    def __init__(self) -> None:
        super().__init__(
            "tabby-ls",
            __version__,
            protocol_cls=ServerProtocol,
            converter_factory=make_converter,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
        )
        self.session = ClientSession(self)
        self.protocol.on_edit = self.session.edited
        self.protocol.advertise = self.session.initialize_result

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong in a handler; pygls would open a message box for each."""
        logger.error("%s in %s", type(error).__name__, getattr(source, "__name__", source))


def create_server() -> TabbyLanguageServer:
    """Return a server with all features registered, ready for a transport."""
    # attrs keeps the source of each method it makes, for tracebacks: 2 MB of lsprotocol's.
    linecache.clearcache()
    server = TabbyLanguageServer()
    for method, handler in _FEATURES.items():
        server.feature(method)(handler)
    for name, command in COMMANDS.items():
        server.command(name)(_runner(command))
    return server


def _runner(command: Command) -> Callable[..., Any]:
    async def run(server: TabbyLanguageServer, *arguments: Any) -> Any:
        result = command(server.session, Arguments(arguments))
        return await result if isawaitable(result) else result

    return run


# Lifecycle


def _initialize(server: TabbyLanguageServer, params: types.InitializeParams) -> None:
    server.session.begin(params)


async def _initialized(server: TabbyLanguageServer, _: types.InitializedParams) -> None:
    await server.session.ready()


async def _configuration_changed(
    server: TabbyLanguageServer, params: types.DidChangeConfigurationParams
) -> None:
    await server.session.configuration_changed(params.settings)


# Documents


def _opened(server: TabbyLanguageServer, params: types.DidOpenTextDocumentParams) -> None:
    server.session.text.opened(server.protocol.documents.get_text_document(params.text_document.uri))


def _saved(server: TabbyLanguageServer, params: types.DidSaveTextDocumentParams) -> None:
    server.session.text.files_changed([params.text_document.uri])
    with suppress(DocumentNotOpenError):
        server.session.text.learn(server.protocol.documents.get_text_document(params.text_document.uri))


async def _folders_changed(
    server: TabbyLanguageServer, params: types.DidChangeWorkspaceFoldersParams
) -> None:
    await server.session.folders_changed(params.event)


def _files_changed(server: TabbyLanguageServer, params: types.DidChangeWatchedFilesParams) -> None:
    server.session.text.files_changed(change.uri for change in params.changes)


def _closed(server: TabbyLanguageServer, params: types.DidCloseTextDocumentParams) -> None:
    server.session.closed(params.text_document.uri)


# Completion


async def _inline_completion(
    server: TabbyLanguageServer, params: types.InlineCompletionParams
) -> types.InlineCompletionList | None:
    """Answer with ghost text; with null if a newer request is here already, which keeps what is on the screen."""
    session = server.session
    session.saw_inline_request()
    try:
        place = place_of(server.protocol.documents, params)
    except DocumentNotOpenError:
        return types.InlineCompletionList([])
    since = await session.wait_for_settings(place.snapshot.uri)
    invoked = params.context.trigger_kind is types.InlineCompletionTriggerKind.Invoked
    seconds = session.settings.deadline_ms / 1000
    outcome = await session.suggest(
        place.snapshot,
        invoked=invoked,
        seconds=seconds,
        alternatives=_ALTERNATIVES if invoked else 0,
        since=since,
    )
    if outcome.is_superseded:
        return None
    if outcome.suggestion is None:
        return types.InlineCompletionList([])
    lead = place.selected.text if place.selected else ""
    items = []
    for number, suggestion in enumerate((outcome.suggestion, *outcome.alternatives)):
        offer = session.keeper.offers.made(outcome, suggestion, lead=lead, alternative=number)
        more = not number and not outcome.complete
        items.append(inline_item(suggestion, place, session.client, offer, more=more))
    return types.InlineCompletionList(items)


async def _completion(server: TabbyLanguageServer, params: types.CompletionParams) -> types.CompletionList:
    """Answer with a menu item.

    Helix does not ask again for letters that are typed while it waits, if it shows the items of other servers. So
    where such letters contradict what was to come, the answer is for them, and has as much time as it would have had.
    For ever is too long: if no menu is open, Helix does not ask the others about a new word meanwhile.
    """
    session = server.session
    session.menu_request = this = object()
    nothing = types.CompletionList(is_incomplete=False, items=[])
    try:
        place = place_of(server.protocol.documents, params)
    except DocumentNotOpenError:
        return nothing
    since = await session.wait_for_settings(place.snapshot.uri)
    if not session.offers_menu:
        session.keeper.journal.menu_was_silent = True
        return nothing
    invoked = session.asked_by_key(params.context, place)
    seconds = session.menu_deadline(invoked=invoked)
    last_moment = monotonic() + min(2 * seconds, session.client.longest_wait)
    outcome = await session.suggest(place.snapshot, invoked=invoked, seconds=seconds, since=since)
    while outcome.is_superseded and session.menu_request is this:
        behind = typed_on(server.protocol.documents, params, place)
        seconds = min(seconds, last_moment - monotonic())
        if behind is None or seconds <= 0:
            break
        place = behind
        outcome = await session.suggest(place.snapshot, invoked=invoked, seconds=seconds)
    if outcome.suggestion is None or not (invoked or is_worth_a_row(outcome.suggestion)):
        return nothing
    item = menu_item(
        outcome.suggestion, place, session.client, session.keeper.offers.made(outcome, outcome.suggestion)
    )
    return types.CompletionList(is_incomplete=not outcome.complete, items=[item]) if item else nothing


_FEATURES: dict[str, Callable[..., Any]] = {
    types.INITIALIZE: _initialize,
    types.INITIALIZED: _initialized,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: _configuration_changed,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: _folders_changed,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: _files_changed,
    types.TEXT_DOCUMENT_DID_OPEN: _opened,
    types.TEXT_DOCUMENT_DID_SAVE: _saved,
    types.TEXT_DOCUMENT_DID_CLOSE: _closed,
    types.TEXT_DOCUMENT_INLINE_COMPLETION: _inline_completion,
    types.TEXT_DOCUMENT_COMPLETION: _completion,
}
