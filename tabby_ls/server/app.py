"""The language server: features registered, lifecycle, settings in. Each handler is a few lines."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from attrs import evolve
from lsprotocol import types
from pygls.lsp.server import LanguageServer

from tabby_ls import __version__
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.server.client_session import ClientSession
from tabby_ls.server.documents import DocumentNotOpenError, OpenDocument, snapshot
from tabby_ls.server.items import inline_item, menu_item
from tabby_ls.server.protocol import ServerProtocol

logger = logging.getLogger(__name__)

_INLINE = types.TEXT_DOCUMENT_INLINE_COMPLETION
_MENU = types.TEXT_DOCUMENT_COMPLETION


class TabbyLanguageServer(LanguageServer):
    """A language server for one client; `session` is what it knows of it."""

    protocol: ServerProtocol

    def __init__(self, overrides: Mapping[str, Any]) -> None:
        """`overrides` are settings from the command line, which win over every other source."""
        super().__init__(
            "tabby-ls",
            __version__,
            protocol_cls=ServerProtocol,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            notebook_document_sync=types.NotebookDocumentSyncOptions(
                notebook_selector=[types.NotebookDocumentFilterWithNotebook(notebook="*")]
            ),
        )
        self.session = ClientSession(self, overrides)
        self.protocol.on_edit = self.session.edited

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong in a handler; pygls would open a message box for each."""
        logger.error("%s in %s", type(error).__name__, getattr(source, "__name__", source))


def create_server(overrides: Mapping[str, Any] | None = None) -> TabbyLanguageServer:
    """Return a server with all features registered, ready for a transport."""
    server = TabbyLanguageServer(overrides or {})
    for method, (handler, options) in _FEATURES.items():
        server.feature(method, options)(handler)
    return server


# Lifecycle


def _initialize(server: TabbyLanguageServer, params: types.InitializeParams) -> None:
    server.session.begin(params)
    # pygls computes the capabilities after this handler.
    if server.session.client.registers_completion:
        del server.protocol.fm.features[_MENU]
    else:
        server.protocol.fm.feature_options[_MENU] = server.session.menu_options()


async def _initialized(server: TabbyLanguageServer, _: types.InitializedParams) -> None:
    if server.session.client.registers_completion:
        server.feature(_MENU)(_completion)
    await server.session.ready()


async def _configuration_changed(
    server: TabbyLanguageServer, params: types.DidChangeConfigurationParams
) -> None:
    await server.session.configuration_changed(params.settings)


# Documents


def _opened(server: TabbyLanguageServer, params: types.DidOpenTextDocumentParams) -> None:
    server.session.learn(server.protocol.documents.get_text_document(params.text_document.uri))


def _saved(server: TabbyLanguageServer, params: types.DidSaveTextDocumentParams) -> None:
    server.session.learn(server.protocol.documents.get_text_document(params.text_document.uri))


def _closed(server: TabbyLanguageServer, params: types.DidCloseTextDocumentParams) -> None:
    server.session.forget(params.text_document.uri)


# Completion


async def _inline_completion(
    server: TabbyLanguageServer, params: types.InlineCompletionParams
) -> types.InlineCompletionList | None:
    """Answer with ghost text; with null if a newer request is here already, which keeps what is on the screen."""
    session = server.session
    session.saw_inline_request()
    selected = params.context.selected_completion_info
    try:
        document = server.protocol.documents.get_text_document(params.text_document.uri)
        now = snapshot(document, params.position)
        if selected is not None:
            now = _with_selected(now, document, params.position, selected)
    except DocumentNotOpenError:
        return types.InlineCompletionList([])
    invoked = params.context.trigger_kind is types.InlineCompletionTriggerKind.Invoked
    outcome = await session.suggest(now, invoked=invoked, seconds=session.settings.deadline_ms / 1000)
    if outcome.superseded:
        return None
    if outcome.suggestion is None:
        return types.InlineCompletionList([])
    return types.InlineCompletionList(
        [inline_item(outcome.suggestion, document, params.position, now.line_ending, selected)]
    )


async def _completion(server: TabbyLanguageServer, params: types.CompletionParams) -> types.CompletionList:
    """Answer with a menu item. What is asked while typing is `Invoked` here, and no wish for more."""
    session = server.session
    nothing = types.CompletionList(is_incomplete=False, items=[])
    if not session.offers_menu:
        return nothing
    try:
        document = server.protocol.documents.get_text_document(params.text_document.uri)
        now = snapshot(document, params.position)
    except DocumentNotOpenError:
        return nothing
    outcome = await session.suggest(now, invoked=False, seconds=session.menu_deadline)
    if outcome.suggestion is None:
        return nothing
    item = menu_item(outcome.suggestion, now, document, params.position, session.client)
    return types.CompletionList(is_incomplete=not outcome.complete, items=[item]) if item else nothing


def _with_selected(
    now: Snapshot, document: OpenDocument, position: types.Position, selected: types.SelectedCompletionInfo
) -> Snapshot:
    """Return the snapshot as if the client's selected menu item had been inserted."""
    line, cursor = document.locate(position)
    start_line, start = document.locate(selected.range.start)
    end_line, end = document.locate(selected.range.end)
    if start_line != line or end_line != line or not start <= cursor <= end:
        return now
    prefix = now.prefix[: len(now.prefix) - (cursor - start)] + selected.text
    return evolve(now, prefix=prefix, suffix=now.suffix[end - cursor :])


_FEATURES: dict[str, tuple[Any, Any]] = {
    types.INITIALIZE: (_initialize, None),
    types.INITIALIZED: (_initialized, None),
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: (_configuration_changed, None),
    types.TEXT_DOCUMENT_DID_OPEN: (_opened, None),
    types.TEXT_DOCUMENT_DID_SAVE: (_saved, types.SaveOptions(include_text=False)),
    types.TEXT_DOCUMENT_DID_CLOSE: (_closed, None),
    # Without options pygls does not advertise it.
    _INLINE: (_inline_completion, types.InlineCompletionOptions(work_done_progress=False)),
    _MENU: (_completion, None),
}
