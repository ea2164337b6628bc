"""Lists and reads the files of a workspace that are worth learning from: no secrets, machine output or binaries."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from tabby_ls.foreign_files import read_file
from tabby_ls.ignore_rules import compile_rules, read_rules, simplify
from tabby_ls.local_model.segment import File
from tabby_ls.private_files import is_private

#: Larger files are data or generated, seldom written by hand.
MAX_FILE_BYTES = 512 * 1024
#: Characters of a line on average above which a file is minified or data.
_MAX_MEAN_LINE = 300
#: Characters at the start of a file in which generators leave their marks: a line or two, maybe below a short licence.
_MARKS_WITHIN = 600
#: Seconds that git may take for its list, on a slow disk too; after that the folder is walked.
_GIT_SECONDS = 30.0
#: Ignore files that count besides git's own, which git reads itself.
_IGNORE_FILES = (".ignore", ".tabbyignore")
#: A repository's own configuration can name programs for git to run. None is: no monitor of files, and no transport
#: to fetch what is missing with.
_GIT_RUNS_NOTHING = ("-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
_GIT_ENVIRONMENT = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_OPTIONAL_LOCKS": "0"}


@cache
def _skipped() -> dict[str, list[str]]:
    return tomllib.loads(files(__package__).joinpath("skipped_files.toml").read_text("utf-8"))


@cache
def _spec(kind: str) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(_skipped()[kind])


def list_files(root: Path, exclude: Iterable[str] = ()) -> list[File]:
    """Return the files under `root` that may be learned from, the most recently changed first.

    `exclude` are patterns in the style of .gitignore for whole paths, which begin at the root of the file system.
    """
    excluded = GitIgnoreSpec.from_lines(map(simplify, exclude))
    here = root.absolute().as_posix().lstrip("/")
    names = _listed_by_git(root)
    rules = _Ignored(root, _IGNORE_FILES if names is not None else (".gitignore", *_IGNORE_FILES))
    found: list[File] = []
    inside = _Inside(root)
    for name in _walk(root, rules) if names is None else names:
        if is_private(name) or _spec("generated").match_file(name) or rules.match(name):
            continue
        if excluded.match_file(f"{here}/{name}") or not inside.holds(name):
            continue
        file = look(root, name)
        if file is not None and 0 < file.size <= MAX_FILE_BYTES:
            found.append(file)
    return sorted(found, key=lambda file: (-file.mtime_ns, file.name))


def look(root: Path, name: str) -> File | None:
    """Return the size and time of a regular file, links not followed; None if there is none."""
    try:
        status = (root / name).lstat()
    except OSError:
        return None
    return File(name, status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def read(root: Path, name: str) -> str | None:
    """Return a file's text with LF line ends; None if it cannot be read, is no UTF-8 or was written by a machine."""
    try:
        text = read_file(root / name, MAX_FILE_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    if "\0" in text or len(text) > _MAX_MEAN_LINE * (text.count("\n") + 1):
        return None
    if any(mark in text[:_MARKS_WITHIN] for mark in _skipped()["marks"]):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _listed_by_git(root: Path) -> list[str] | None:
    """Return the names of tracked and of new files; None if there is no git, or `root` is in no repository of it."""
    git = shutil.which("git")
    # Windows also looks into the folder that the process is in, which may be a project.
    if git is None or not Path(git).is_absolute():
        return None
    listing_of = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    command = [git, "-C", str(root), *_GIT_RUNS_NOTHING, *listing_of]
    # Git's own variables, where a hook of git started the editor, are of another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        listing = subprocess.run(  # noqa: S603 - a fixed command, the folder is an argument of its own
            command,
            check=True,
            capture_output=True,
            timeout=_GIT_SECONDS,
            stdin=subprocess.DEVNULL,
            env={**environment, **_GIT_ENVIRONMENT},
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return sorted({os.fsdecode(name) for name in listing.split(b"\0") if name})


def _walk(root: Path, rules: _Ignored) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root).as_posix()
        prefix = "" if here == "." else here + "/"
        folders[:] = sorted(
            name
            for name in folders
            if not _spec("folders").match_file(name + "/") and not rules.match(f"{prefix}{name}/")
        )
        yield from (prefix + name for name in sorted(names))


class _Inside:
    """Which files are in a tree: git may list some whose folder has become a link to elsewhere."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._is_inside = cache(self._look)

    def holds(self, name: str) -> bool:
        return self._is_inside(name.rpartition("/")[0])

    def _look(self, folder: str) -> bool:
        return (self._root / folder).resolve().is_relative_to(self._root)


class _Ignored:
    """The ignore files of a tree; those of a deeper folder win."""

    def __init__(self, root: Path, names: tuple[str, ...]) -> None:
        self._root = root
        self._names = names
        self._specs: dict[str, GitIgnoreSpec | None] = {}

    def match(self, name: str) -> bool:
        ignored = False
        for folder in reversed(PurePosixPath(name).parents):
            here = folder.as_posix()
            spec = self._spec_of(here)
            if spec is not None:
                inside = name if here == "." else name[len(here) + 1 :]
                verdict = spec.check_file(inside).include
                ignored = ignored if verdict is None else verdict
        return ignored

    def _spec_of(self, folder: str) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            lines: list[str] = []
            for name in self._names:
                with suppress(OSError):  # most folders have none
                    lines += read_rules(self._root / folder / name)
            self._specs[folder] = compile_rules(lines)
        return self._specs[folder]
