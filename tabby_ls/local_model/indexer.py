"""Builds the index of a workspace folder in a child process, so that the server's own threads stay free."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_BUILD = "tabby_ls.local_model.build"
#: What Python and git need of the environment: not the user's keys, which may be in it under any name.
_NEEDED = re.compile(
    r"PATH|HOME|USERPROFILE|HOMEDRIVE|HOMEPATH|SYSTEMROOT|TEMP|TMP|TMPDIR|LANG|LC_\w+|XDG_CONFIG_HOME|PYTHONHOME"
    r"|PYTHONUTF8|(?:DY)?LD_LIBRARY_PATH",
    re.IGNORECASE,
)


class BuildError(Exception):
    """The index was not built. The message says why, where the child process could tell."""


async def build_index(
    root: Path, cache_dir: Path, on_progress: Callable[[dict[str, int]], None], exclude: Iterable[str] = ()
) -> None:
    """Bring the saved index of `root` up to date; `on_progress` gets what `build.py` reports.

    `exclude` are patterns of files to leave out, as in `list_files`. When cancelled, the child is ended; what was saved before stays. Raises :class:`BuildError`.
    Call :meth:`LocalModel.add_root` afterwards to use the new index.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        # Never from the folder the editor was started in: a module there could carry any name.
        *("-P", "-m", _BUILD, str(root), str(cache_dir)),
        *(f"--exclude={pattern}" for pattern in exclude),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={
            **{name: value for name, value in os.environ.items() if _NEEDED.fullmatch(name)},
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
    )
    problem = ""
    try:
        assert child.stdout is not None
        async for line in child.stdout:
            report: dict[str, Any] = json.loads(line)
            if "problem" in report:
                problem = str(report["problem"])
            else:
                on_progress(report)
        status = await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if status:
        raise BuildError(problem or f"it ended with status {status}")
