"""Reads .gitignore and .tabbyignore files as git does: nested files, negation, excluded folders.

Two differences: the file that git's setting core.excludesFile names is not read, only that setting's default. And git
forgets its rules for files that it tracks already; this does not, because telling would take git's index at every file.
A tracked file that a rule matches counts as ignored; `!name` in a .tabbyignore undoes that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from attrs import define
from cachetools import LRUCache

from tabby_ls.ignore_rules import compile_rules, read_rules

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

GITIGNORE, TABBYIGNORE = ".gitignore", ".tabbyignore"
#: Seconds that a verdict holds before it is looked whether an ignore file has changed.
_LOOK_EVERY = 2.0
#: Ignore files (there may be none at that path), folders and verdicts that are remembered, those used last.
_MOST_FOLDERS, _MOST_PATHS = 2048, 4096


@define(eq=False)
class _Rules:
    """The rules of one file as it was at `stamp` (time and size), None if there is none."""

    stamp: tuple[int, int] | None
    spec: GitIgnoreSpec | None


class IgnoreFiles:
    """All ignore files under the session's folders, read when first needed and again when they change.

    A verdict is a dictionary look-up, and every two seconds some `stat` calls. A file outside of all folders is
    judged by the rules of the git repository it is in, if it is in one.
    """

    def __init__(self, roots: Iterable[Path] = ()) -> None:
        self._rules: LRUCache[Path, _Rules] = LRUCache(_MOST_FOLDERS)
        self._verdicts: LRUCache[str, tuple[float, str]] = LRUCache(_MOST_PATHS)
        self._tops: LRUCache[Path, Path | None] = LRUCache(_MOST_FOLDERS)
        self._roots = tuple(roots)

    def changed(self) -> None:
        """Read every ignore file anew when it is needed next, and not after two seconds: one was saved."""
        self._rules.clear()
        self._verdicts.clear()
        self._tops.clear()

    def ignored_by(self, path: str) -> str:
        """Return the kind of file whose rules exclude `path` (absolute): `.gitignore`, `.tabbyignore`, or "" if none."""
        now = monotonic()
        known = self._verdicts.get(path)
        if known is not None and now - known[0] < _LOOK_EVERY:
            return known[1]
        verdict = self._judge(Path(path))
        self._verdicts[path] = (now, verdict)
        return verdict

    def _judge(self, path: Path) -> str:
        top = self._top_of(path.parent)
        if top is None:
            return ""
        folders = [folder for folder in reversed(path.parents) if folder.is_relative_to(top)]
        by_tabby, by_git = False, False
        for number, child in enumerate((*folders[1:], path), 1):
            is_folder, above = number < len(folders), folders[:number]
            excluded = self._verdict(child, above, TABBYIGNORE, is_folder=is_folder)
            if excluded is not None:
                by_tabby = excluded
                if not excluded:  # `!name`: what git leaves out, the user wants completed
                    by_git = False
                    continue
            if by_tabby:
                return TABBYIGNORE
            by_git = by_git or bool(self._verdict(child, above, GITIGNORE, is_folder=is_folder))
        return GITIGNORE if by_git else ""

    def _verdict(self, child: Path, above: Sequence[Path], name: str, *, is_folder: bool) -> bool | None:
        """Return whether the rules exclude a folder or file by itself; None if none speaks of it.

        The deepest file that speaks of it decides, in it the last such line.
        """
        files = [(folder, folder / name) for folder in reversed(above)]
        if name == GITIGNORE:
            files += [(above[0], file) for file in _git_excludes(above[0])]
        for folder, file in files:
            spec = self._spec(file)
            if spec is not None:
                inside = child.relative_to(folder).as_posix() + ("/" if is_folder else "")
                verdict = _says(spec, inside)
                if verdict is not None:
                    return verdict
        return None

    def _spec(self, file: Path) -> GitIgnoreSpec | None:
        known = self._rules.get(file)
        try:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_size)
        except OSError:
            stamp = None
        if known is not None and known.stamp == stamp:
            return known.spec
        spec = None
        if stamp is not None:
            with suppress(OSError):  # git goes on without a file that cannot be read, too
                spec = compile_rules(read_rules(file))
        self._rules[file] = _Rules(stamp, spec)
        return spec

    def _top_of(self, folder: Path) -> Path | None:
        """Return the folder that rules begin to count at: the repository's, else the session's; None outside of both."""
        if folder not in self._tops:
            repository = next((it for it in (folder, *folder.parents) if (it / ".git").exists()), None)
            root = next((it for it in sorted(self._roots, key=_length) if folder.is_relative_to(it)), None)
            self._tops[folder] = min(filter(None, (repository, root)), key=_length, default=None)
        return self._tops[folder]


def _says(spec: GitIgnoreSpec, inside: str) -> bool | None:
    """Return whether rules exclude exactly this file or folder (which ends with `/`); None if none speaks of it.

    pathspec also lets a rule for a folder speak of what is in it. That is decided at the folder itself.
    """
    from pathspec.pattern import RegexPattern

    for pattern in reversed(spec.patterns):
        if isinstance(pattern, RegexPattern) and pattern.include is not None and pattern.regex:
            for match in pattern.regex.finditer(inside):
                # The group is the slash after a folder that the rule is about.
                if match.groupdict().get("ps_d") is None or match.end("ps_d") == len(inside):
                    return pattern.include
    return None


def _git_excludes(top: Path) -> Iterator[Path]:
    """Yield what git reads besides .gitignore: the repository's own list, and the user's where it is by default."""
    yield top / ".git" / "info" / "exclude"
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    yield Path(config) / "git" / "ignore"


def _length(folder: Path) -> int:
    return len(folder.parts)
