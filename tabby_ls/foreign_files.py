"""Reading what a project holds: only ordinary files, and never more of them than was asked for.

A project may come from a stranger. A link to a device has no end, a pipe never begins, and a file can be another one
by the time it is opened.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_file(path: Path, most: int, *, follow: bool = False) -> bytes:
    """Return at most `most` bytes of an ordinary file; raises OSError for all else, and for links unless `follow`."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(None, "it is no ordinary file")
        return file.read(most)
