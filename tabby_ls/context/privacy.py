"""Decides which documents may be completed in, and which may leave the machine: secret, excluded and ignored files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from tabby_ls.context.ignore_files import GITIGNORE, TABBYIGNORE, IgnoreFiles
from tabby_ls.ignore_rules import compile_rules, simplify
from tabby_ls.private_files import is_private

#: A notebook's cells are as private as their notebook.
_FILE_SCHEMES = ("file", "vscode-notebook-cell")
#: Before the letter of a Windows drive the path of a URI has a slash: `file:///c:/a.py`.
_DRIVE = re.compile(r"/(?=[A-Za-z]:)")


class Rule(Enum):
    """What is not done with a document, and because of what."""

    #: Secret by its name: nothing is done with it.
    PRIVATE = "private"
    #: The user's setting `exclude`: nothing is done with it.
    EXCLUDED = "excluded"
    #: A .tabbyignore: nothing is done with it.
    TABBYIGNORE = ".tabbyignore"
    #: A .gitignore: it stays on this machine, where the local model may complete in it.
    GITIGNORE = ".gitignore"

    @property
    def forbids_all(self) -> bool:
        """Whether not even the local model completes in the document."""
        return self is not Rule.GITIGNORE


class FileRules:
    """The rules in force; `exclude` are the user's patterns in the style of .gitignore, `roots` the open folders."""

    def __init__(self, exclude: Iterable[str] = (), roots: Iterable[Path] = ()) -> None:
        self._excluded = compile_rules(map(simplify, exclude))
        self._roots = tuple(roots)
        self.ignore_files = IgnoreFiles(self._roots)
        # Asked at every keystroke, about few files.
        self.is_excluded = lru_cache(maxsize=256)(self._is_excluded)
        self.shown_path = lru_cache(maxsize=256)(self._shown_path)

    def rule_for(self, uri: str) -> Rule | None:
        """Return the strictest rule that holds for a document, None if everything may be done with it."""
        if self.is_private(uri):
            return Rule.PRIVATE
        if self.is_excluded(uri):
            return Rule.EXCLUDED
        path = file_path(uri)
        ignored = self.ignore_files.ignored_by(path) if path else ""
        return {TABBYIGNORE: Rule.TABBYIGNORE, GITIGNORE: Rule.GITIGNORE}.get(ignored)

    def is_private(self, uri: str) -> bool:
        """Return whether a document holds secrets by its name."""
        return is_private(_path_of(uri))

    def _is_excluded(self, uri: str) -> bool:
        return self._excluded is not None and self._excluded.match_file(_path_of(uri))

    def _shown_path(self, uri: str) -> str:
        """Return what the model sees of where a document is: from the session's folder on, or the name alone."""
        path = PurePosixPath(file_path(uri) or _path_of(uri))
        for root in self._roots:
            if path.is_relative_to(root.as_posix()):
                return path.relative_to(root.as_posix()).as_posix()
        return path.name or "untitled"


def file_path(uri: str) -> str:
    """Return the path of a file's URI with forward slashes, "" for a document that is no file."""
    parts = urlsplit(uri)
    return _DRIVE.sub("", unquote(parts.path), count=1) if parts.scheme in _FILE_SCHEMES else ""


def _path_of(uri: str) -> str:
    """Return the path of a document's URI, relative to the root of its file system."""
    return unquote(urlsplit(uri).path).lstrip("/")
