"""The extension's package, made anew when anything in it has changed."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_PROJECT = Path(__file__).parents[3]
EXTENSION = _PROJECT / "editors" / "vscode"
_MADE = {"node_modules", "bundled", "dist", "out", "__pycache__"}


def packaged() -> Path:
    """Return the path of a package that is not older than its sources."""
    vsix = EXTENSION / "tabby-ls.vsix"
    with (EXTENSION / ".package.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not vsix.exists() or vsix.stat().st_mtime < max(file.stat().st_mtime for file in _sources()):
            if not (EXTENSION / "node_modules").exists():
                _npm("ci", "--no-audit", "--no-fund")
            _npm("run", "package")
    return vsix


def _sources() -> Iterator[Path]:
    yield _PROJECT / "pyproject.toml"
    for folder in (_PROJECT / "tabby_ls", EXTENSION):
        for place, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if name not in _MADE]
            yield from (Path(place, name) for name in files if not name.startswith(".") and name != "LICENSE")


def _npm(*arguments: str) -> None:
    environment = {**os.environ, "PYTHON": os.environ.get("PYTHON", sys.executable)}
    done = subprocess.run(
        ["npm", *arguments],
        cwd=EXTENSION,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
