"""Files that are never read for a prompt nor completed in: secrets by name, and what the user excludes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import unquote, urlsplit

from pathspec import GitIgnoreSpec


@cache
def _private_names() -> GitIgnoreSpec:
    patterns = tomllib.loads(files(__package__).joinpath("private_files.toml").read_text("utf-8"))["patterns"]
    return GitIgnoreSpec.from_lines(patterns)


class FileRules:
    """The rules in force; `exclude` are the user's patterns in the style of .gitignore."""

    def __init__(self, exclude: Iterable[str] = ()) -> None:
        self._excluded = GitIgnoreSpec.from_lines(exclude)
        # Asked at every keystroke, about few files.
        self.is_private = lru_cache(maxsize=256)(self._is_private)
        self.is_excluded = lru_cache(maxsize=256)(self._is_excluded)

    def _is_private(self, uri: str) -> bool:
        return _private_names().match_file(_path_of(uri).lower())

    def _is_excluded(self, uri: str) -> bool:
        return self._excluded.match_file(_path_of(uri))


def _path_of(uri: str) -> str:
    """Return the path of a document's URI, relative to the root of its file system."""
    return unquote(urlsplit(uri).path).lstrip("/")
