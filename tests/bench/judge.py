"""Runs programs with their tests: each in a process of its own, with limits on time and memory."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Iterable

#: Of processor time. The programs take milliseconds; those with a mistake often take for ever.
_SECONDS = 1
_WALL_SECONDS = 20.0
_BYTES = 2 << 30


def judge(programs: Iterable[str], workers: int = 2) -> dict[str, bool]:
    """Return for each distinct program whether it ends well."""
    distinct = sorted(set(programs))
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return dict(zip(distinct, pool.imap(_passes, distinct, chunksize=16), strict=True))


def _passes(program: str) -> bool:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _run(program)
            status = 0
        finally:
            os._exit(status)
    deadline = time.monotonic() + _WALL_SECONDS
    pause = 0.001
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(pause)
        pause = min(0.05, pause * 1.5)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run(program: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    sys.setrecursionlimit(2000)
    exec(compile(program, "task", "exec"), {"__name__": "task"})
