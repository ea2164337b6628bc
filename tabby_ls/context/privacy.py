"""Documents that are never read for a prompt nor completed in: secrets by name, and what the user excludes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from pathspec import GitIgnoreSpec

from tabby_ls.private_files import is_private


class FileRules:
    """The rules in force; `exclude` are the user's patterns in the style of .gitignore."""

    def __init__(self, exclude: Iterable[str] = ()) -> None:
        self._excluded = GitIgnoreSpec.from_lines(exclude)
        # Asked at every keystroke, about few files.
        self.is_excluded = lru_cache(maxsize=256)(self._is_excluded)

    def is_private(self, uri: str) -> bool:
        """Return whether a document holds secrets by its name."""
        return is_private(_path_of(uri))

    def _is_excluded(self, uri: str) -> bool:
        return self._excluded.match_file(_path_of(uri))


def _path_of(uri: str) -> str:
    """Return the path of a document's URI, relative to the root of its file system."""
    return unquote(urlsplit(uri).path).lstrip("/")
