"""Creating what this program keeps on disk: index, counts, trace and log.

All of it is for the user alone, whatever the umask, and nothing is written to a file that somebody else controls.
"""

from __future__ import annotations

import os
from pathlib import Path


class ForeignError(OSError):
    """A file or folder that this program would use belongs to somebody else, or others may write to it."""

    def __init__(self) -> None:
        super().__init__(None, "it belongs to another user, or another user can write to it")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, each for the user alone. Raises OSError."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(mode=0o700, exist_ok=True)


def open_to_append(path: Path) -> int:
    """Return a descriptor to append to `path` with, for the user alone if the file is new. Raises OSError.

    A link is followed, and a file used, only if it is the user's own or root's: in a folder to which everybody may
    write, another user could have put it there. Raises ForeignError, which is an OSError, otherwise.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
    if path.is_symlink() and not _is_own(path.lstat()):
        raise ForeignError
    descriptor = os.open(path, flags, 0o600)
    if not _is_own(os.fstat(descriptor)):
        os.close(descriptor)
        raise ForeignError
    return descriptor


def is_own_folder(folder: Path) -> bool:
    """Return whether a folder is the user's or root's, and nobody else can change what is in it. Raises OSError."""
    status = folder.stat()
    return _is_own(status) and (os.name != "posix" or not status.st_mode & 0o022)


def _is_own(status: os.stat_result) -> bool:
    # What is root's, as devices are, nobody else has put there.
    return os.name != "posix" or status.st_uid in (os.geteuid(), 0)
