"""Keeps what the model learns from besides the document itself: saved indexes of the workspace, other open documents.

A file whose text in an index is out of date, because it is open or has changed on disk, has weight 0 there. Nothing
else is done to keep an index true until it is built again.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from urllib.parse import unquote, urlsplit

from attrs import define, frozen

from tabby_ls.local_model import index
from tabby_ls.local_model.blend import Source
from tabby_ls.local_model.files import MAX_FILE_BYTES, look, read
from tabby_ls.local_model.nearness import weights
from tabby_ls.local_model.segment import File, Segment, build_segment
from tabby_ls.private_files import is_private

#: Of a longer open document only so many characters are taken in; that takes some 40 ms.
_MAX_DOCUMENT = 100_000
#: Closed documents whose saved index is out of date, kept until the index is built anew; the latest, to bound memory.
_MOST_CLOSED = 30
#: The slash before a drive in the URI of a file on Windows: `file:///C:/a.py`.
_DRIVE = re.compile(r"/(?=[A-Za-z]:)")


def path_of(path_or_uri: str) -> str:
    """Return the path, with forward slashes, of a path or a URI (`file:///w/a.py`, `untitled:///a`)."""
    if "://" in path_or_uri:
        return _DRIVE.sub("", unquote(urlsplit(path_or_uri).path), count=1)
    return PurePath(path_or_uri).as_posix()


@define(eq=False)
class _Document:
    """A document other than the one asked about. A text of None is read from disk when it is first wanted."""

    path: str
    text: str | None
    segment: Segment | None = None

    def build(self) -> None:
        text = self.text
        if text is None:
            path = Path(self.path)
            file = look(path.parent, path.name)
            text = read(path.parent, path.name) if file and file.size <= MAX_FILE_BYTES else None
        file = File(self.path, 0, 0)
        content = (text or "").replace("\r\n", "\n")[:_MAX_DOCUMENT]
        self.segment = Segment(build_segment([(file, content)]))
        self.text = ""  # not needed again


@frozen(eq=False)
class _State:
    """All that sources depend on; replaced as a whole, so that readers need no lock."""

    documents: dict[str, _Document]
    closed: dict[str, _Document]
    roots: dict[Path, index.SavedIndex | None]


class Library:
    """Open documents and saved indexes. Safe to use from several threads."""

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._lock = threading.Lock()
        self._state = _State({}, {}, {})
        self._weights: tuple[_State, str, list[tuple[Path, Source]]] | None = None

    def open(self, path_or_uri: str, text: str) -> None:
        """Take in an open document; it is taken apart when it is first needed for another one."""
        path = path_of(path_or_uri)
        if is_private(path):
            return
        with self._lock:
            state = self._state
            closed = {name: document for name, document in state.closed.items() if name != path}
            self._state = _State({**state.documents, path: _Document(path, text)}, closed, state.roots)

    def close(self, path_or_uri: str) -> None:
        """Forget an open document. If it is in a workspace folder, its file is read instead."""
        path = path_of(path_or_uri)
        with self._lock:
            state = self._state
            documents = dict(state.documents)
            closed = dict(state.closed)
            if documents.pop(path, None) is not None and _is_unindexed(path, state.roots):
                closed[path] = _Document(path, None)
            for name in list(closed)[:-_MOST_CLOSED]:
                del closed[name]
            self._state = _State(documents, closed, state.roots)

    def add_root(self, root: Path) -> None:
        """Load the saved index of a folder, in place of the one in use; a folder without one is known all the same."""
        saved = index.load(root, self._cache_dir)
        with self._lock:
            state = self._state
            closed = state.closed
            if saved is not None:
                closed = {name: kept for name, kept in closed.items() if not Path(name).is_relative_to(root)}
            self._state = _State(state.documents, closed, {**state.roots, root: saved})

    def remove_root(self, root: Path) -> None:
        """Forget a folder."""
        with self._lock:
            state = self._state
            roots = {known: saved for known, saved in state.roots.items() if known != root}
            self._state = _State(state.documents, state.closed, roots)

    def sources(self, path: str, stop: Callable[[], bool]) -> list[Source]:
        """Return what there is to learn from for the document at `path`.

        `path` has forward slashes. Documents that have no segment yet get one, until `stop` returns True: the others
        are left out this time.
        """
        state = self._state
        sources = [source for _, source in self._indexed(state, path)]
        folder = path.rpartition("/")[0]
        for document in (*state.documents.values(), *state.closed.values()):
            if document.path == path:
                continue
            if document.segment is None:
                if stop():
                    continue
                document.build()
            assert document.segment is not None
            sources.append(Source(document.segment, weights([document.path], folder)))
        return sources

    def indexed(self, path: str) -> list[tuple[Path, Source]]:
        """Return the saved indexes with their folders, weighted for the document at `path`; open files have weight 0."""
        return self._indexed(self._state, path)

    def _indexed(self, state: _State, path: str) -> list[tuple[Path, Source]]:
        """Return the segments of all roots, weighted for `path`; remembered until either changes."""
        known = self._weights
        if known is not None and known[0] is state and known[1] == path:
            return known[2]
        sources: list[tuple[Path, Source]] = []
        elsewhere = {*state.documents, *state.closed, path}
        for root, saved in state.roots.items():
            if saved is None:
                continue
            folder = _relative(path.rpartition("/")[0], root) or "."
            ours = frozenset(filter(None, (_relative(name, root) for name in elsewhere)))
            for segment, stale in zip(saved.segments, saved.stale, strict=True):
                names = [file.name for file in segment.files]
                sources.append((root, Source(segment, weights(names, folder, stale | ours))))
        self._weights = (state, path, sources)
        return sources


def _is_unindexed(path: str, roots: Mapping[Path, index.SavedIndex | None]) -> bool:
    """Return whether a file is in a workspace folder whose index does not hold it as it is now on disk."""
    for root, saved in roots.items():
        name = _relative(path, root)
        if name is not None:
            return saved is None or look(root, name) not in saved.live_files
    return False


def _relative(path: str, root: Path) -> str | None:
    """Return `path` relative to `root` with forward slashes; None if it is elsewhere."""
    start = root.as_posix().rstrip("/")
    if os.path.normcase(path) == os.path.normcase(start):
        return "."
    inside = os.path.normcase(path).startswith(os.path.normcase(start + "/"))
    return path[len(start) + 1 :] if inside else None
