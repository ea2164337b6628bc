"""Keeps the local model's index of each workspace folder up to date, in child processes, and shows that it does."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from tabby_ls.local_model.indexer import BuildError, build_index
from tabby_ls.local_model.model import LocalModel
from tabby_ls.printable import printable

logger = logging.getLogger(__name__)

#: Seconds after the last change of a file before the index is brought up to date: a save, or a branch switched.
_REST = 20.0
#: Bytes below which nobody needs to be told.
_WORTH_SHOWING = 2_000_000


class Indexing:
    """The indexes of one session. Changes between two refreshes are known from open documents."""

    def __init__(
        self,
        server: LanguageServer,
        model: LocalModel,
        *,
        shows_progress: bool,
        exclude: tuple[str, ...] = (),
    ) -> None:
        """`exclude` are the user's patterns of files that nothing is learned from."""
        self._server = server
        self._model = model
        self._shows_progress = shows_progress
        self._exclude = exclude
        self._refreshes: dict[Path, asyncio.Task[None]] = {}

    def add(self, roots: Iterable[Path]) -> None:
        """Use the saved indexes of these folders at once, and bring them up to date."""
        for root in filter(_is_project, roots):
            self._schedule(root, 0.0)

    async def remove(self, roots: Iterable[Path]) -> None:
        """Stop using these folders."""
        for root in roots:
            if (refresh := self._refreshes.pop(root, None)) is not None:
                refresh.cancel()
                await asyncio.wait([refresh])
            self._model.remove_root(root)

    def changed(self, paths: Iterable[Path]) -> None:
        """Files changed on disk: bring their folders' indexes up to date when it is quiet again."""
        for root in {root for path in paths for root in self._refreshes if path.is_relative_to(root)}:
            if self._refreshes[root].done():
                self._schedule(root, _REST)

    async def leave_out(self, exclude: tuple[str, ...]) -> None:
        """Put other patterns in force, and build anew what that changes."""
        if exclude != self._exclude:
            self._exclude = exclude
            roots = list(self._refreshes)
            await self.remove(roots)
            self.add(roots)

    async def close(self) -> None:
        """End what is being built; what was saved before stays."""
        await self.remove(list(self._refreshes))

    def _schedule(self, root: Path, rest: float) -> None:
        self._refreshes[root] = asyncio.create_task(self._refresh(root, rest))

    async def _refresh(self, root: Path, rest: float) -> None:
        await asyncio.sleep(rest)
        await asyncio.to_thread(self._model.add_root, root)
        progress = _Progress(self._server, f"learning from {root.name}") if self._shows_progress else None
        try:
            await build_index(
                root, self._model.cache_dir, progress.take if progress else _ignore, self._exclude
            )
        except (BuildError, OSError) as error:
            logger.warning("the index of a workspace folder could not be built: %s", error)
        else:
            logger.info("the index of %s is up to date", printable(root.name))
        finally:
            if progress is not None:
                progress.end()
        await asyncio.to_thread(self._model.add_root, root)


class _Progress:
    """One work-done progress in the client, begun when there turns out to be something worth showing."""

    def __init__(self, server: LanguageServer, title: str) -> None:
        self._server = server
        self._title = title
        self._token = str(uuid.uuid4())
        self._creating: asyncio.Task[None] | None = None
        self._has_begun = False
        self._percentage = 0

    def take(self, report: dict[str, int]) -> None:
        """Show a report of the indexer's."""
        if report.get("of", 0) < _WORTH_SHOWING:
            return
        self._percentage = 100 * report["read"] // report["of"]
        if self._creating is None:
            self._creating = asyncio.create_task(self._create())
        elif self._has_begun:
            self._server.work_done_progress.report(
                self._token, types.WorkDoneProgressReport(percentage=self._percentage)
            )

    async def _create(self) -> None:
        try:
            await self._server.work_done_progress.create_async(self._token)
        except Exception as error:  # the client's answer may be anything
            logger.debug("the client shows no progress: %s", type(error).__name__)
            return
        begin = types.WorkDoneProgressBegin(self._title, percentage=self._percentage)
        self._server.work_done_progress.begin(self._token, begin)
        self._has_begun = True

    def end(self) -> None:
        """Take it off the screen."""
        if self._creating is not None:
            self._creating.cancel()
        if self._has_begun:
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd())


def _is_project(root: Path) -> bool:
    """Return whether a folder is worth learning from: not a home folder or a whole disk opened by accident."""
    return root.is_dir() and root not in (Path.home(), *Path.home().parents)


def _ignore(_: dict[str, int]) -> None:
    """Nobody is shown the progress."""
