"""A user's home, and a real `tabby-ls` that runs there."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support.waiting import SECONDS

_ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tabby_ls")


def at_home(home: Path, **environment: str) -> dict[str, str]:
    """The environment of somebody who lives in `home`: of the one outside, nothing that says where things are."""
    outside = {name: it for name, it in os.environ.items() if not name.startswith(("TABBY_LS_", "XDG_"))}
    return {**outside, "HOME": str(home), "PYTHONPATH": str(_ROOT), **environment}


@asynccontextmanager
async def listening(
    *options: str, home: Path, **environment: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, int]]:
    """A server that listens, by `options`; yields it with the host and port it says on standard error."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *options, stderr=asyncio.subprocess.PIPE, env=at_home(home, **environment)
    )
    try:
        assert process.stderr is not None
        line = (await asyncio.wait_for(process.stderr.readline(), SECONDS)).decode()
        address = re.search(r"listening on (.*):(\d+)$", line.strip())
        assert address is not None, line
        yield process, address[1], int(address[2])
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
