"""Text besides the document being completed: what the local model learns from, and what a server may be shown of it.

Both come from the open documents and from the files of the workspace, and both leave out what the user keeps private.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from tabby_ls.server.clients import Client
from tabby_ls.server.documents import OpenDocument
from tabby_ls.server.protocol import ServerProtocol
from tabby_ls.server.text import Edit
from tabby_ls.settings import Settings

if TYPE_CHECKING:
    from tabby_ls.context.privacy import FileRules
    from tabby_ls.context.surroundings import Surroundings
    from tabby_ls.local_model.blend import Source as IndexSource
    from tabby_ls.local_model.model import LocalModel
    from tabby_ls.server.indexing import Indexing

_IGNORE_FILES = (".gitignore", ".tabbyignore")


class WorkspaceText:
    """The local model, the index of the workspace and the surroundings: each is made when it is first needed."""

    def __init__(self, server: LanguageServer) -> None:
        """`server`'s protocol is a `ServerProtocol`, whose open documents and folders are used."""
        self._server = server
        self._protocol = cast(ServerProtocol, server.protocol)
        self._client = Client()
        self._settings = Settings()
        self._rules: FileRules | None = None
        self._local_model: LocalModel | None = None
        self._indexing: Indexing | None = None
        self._surroundings: Surroundings | None = None

    def begin(self, client: Client, settings: Settings) -> None:
        """Put the first settings in force, before anything else is asked of this."""
        self._client, self._settings = client, settings

    @property
    def rules(self) -> FileRules:
        """Which documents are left alone, and which do not leave the machine."""
        if self._rules is None:
            from tabby_ls.context.privacy import FileRules

            self._rules = FileRules(self._settings.exclude, self._folders())
        return self._rules

    async def configure(self, settings: Settings) -> None:
        """Put settings in force, and the folders of the workspace as they are now."""
        self._settings = settings
        self._rules = None
        if self._indexing is not None:
            await self._indexing.leave_out(settings.exclude)

    async def close(self) -> None:
        """Stop what runs."""
        if self._indexing is not None:
            await self._indexing.close()
        if self._surroundings is not None:
            await self._surroundings.close()

    # What the local model learns from

    @property
    def is_looked_up(self) -> bool:
        """Whether the local model's index is used to find what to show the server."""
        context = self._settings.context
        return context.snippets and "workspace" in context.sources and self._settings.local.index

    def local_model(self) -> LocalModel:
        """Return the local model, which begins to learn when it is first asked for."""
        if self._local_model is None:
            from tabby_ls.local_model.model import LocalModel

            self._local_model = LocalModel()
            for document in self._protocol.documents.text_documents.values():
                self.learn(cast(OpenDocument, document))
            self._index(self._local_model)
        return self._local_model

    def learn(self, document: OpenDocument) -> None:
        """Take in the text of a document that was opened or saved, unless nothing may be learned from it."""
        if self._local_model is not None and self.rules.rule_for(document.uri) is None:
            self._local_model.open_document(document.uri, document.source)

    def _index(self, model: LocalModel) -> None:
        """Learn from the files of the workspace too, if the user wants that."""
        if self._settings.local.index and self._indexing is None:
            from tabby_ls.server.indexing import Indexing

            self._indexing = Indexing(
                self._server,
                model,
                shows_progress=self._client.shows_progress,
                exclude=self._settings.exclude,
            )
            self._indexing.add(self._folders())

    # What a server may be shown

    def surroundings(self) -> Surroundings | None:
        """Return what finds the text that a server may be shown; None if the settings want none to be shown."""
        if not self._settings.context.snippets:
            return None
        sources = self._settings.context.sources
        if self._surroundings is None:
            from tabby_ls.context.surroundings import Surroundings

            self._surroundings = Surroundings(indexed=self._indexed, rules=self.rules, sources=sources)
            for document in self._protocol.documents.text_documents.values():
                self._surround(cast(OpenDocument, document))
        else:
            self._surroundings.configure(self.rules, sources)
        return self._surroundings

    def _indexed(self, uri: str) -> list[tuple[Path, IndexSource]]:
        return self._local_model.indexed(uri) if self._local_model is not None else []

    def _surround(self, document: OpenDocument) -> None:
        if self._surroundings is not None and self.rules.rule_for(document.uri) is None:
            self._surroundings.opened(document.uri, document.language_id or "", lambda: document.lines)

    # Documents, files and folders

    def opened(self, document: OpenDocument) -> None:
        """Take in a document that was opened."""
        self.learn(document)
        self._surround(document)

    def edited(self, document: OpenDocument, edits: Sequence[Edit]) -> None:
        """Take note of what changed in a document."""
        if self._surroundings is not None:
            for edit in edits:
                self._surroundings.edited(document.uri, edit.start[0], edit.end[0], edit.text)

    def closed(self, uri: str) -> None:
        """Let go of a document."""
        if self._surroundings is not None:
            self._surroundings.closed(uri)
        if self._local_model is not None:
            self._local_model.close_document(uri)

    def files_changed(self, uris: Iterable[str]) -> None:
        """Take note of files that changed on disk, by whatever program."""
        uris = list(uris)
        if any(uri.endswith(_IGNORE_FILES) for uri in uris):
            self.rules.ignore_files.changed()
        if self._indexing is not None:
            self._indexing.changed(_paths(uris))

    async def folders_changed(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        """Learn from the folders that the workspace has now."""
        if self._indexing is not None:
            await self._indexing.remove(_paths(folder.uri for folder in event.removed))
            self._indexing.add(_paths(folder.uri for folder in event.added))

    def _folders(self) -> list[Path]:
        workspace = self._protocol.documents
        return _paths(list(workspace.folders) or [workspace.root_uri])


def _paths(uris: Iterable[str | None]) -> list[Path]:
    """Return the paths of those URIs that name files of this machine."""
    return [Path(path) for uri in uris if uri and (path := to_fs_path(uri))]
