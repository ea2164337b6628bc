"""Runs the command line as a user does: a process of its own, in a folder of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.home import COMMAND, at_home
from tests.support.tabbyapi import ScriptedTabbyAPI

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def server() -> Iterator[ScriptedTabbyAPI]:
    with ScriptedTabbyAPI() as scripted:
        yield scripted


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("complete", "a.py:1", stdin=..., TABBY_LS_...=...)` in an empty home."""

    def call(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env=at_home(tmp_path, **environment),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return call
