"""The command line as a user runs it, what looks through everything that it left on disk, and an index to tamper with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tabby_ls.local_model.build import refresh
from tabby_ls.local_model.index import load
from tests.commands.conftest import Run, run

__all__ = ["Run", "run"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    root.mkdir()
    for number in range(6):
        (root / f"{number}.py").write_text(f"connection = open_connection(settings.host, {number})\n" * 3)
    return root


@pytest.fixture
def cache(tmp_path: Path, root: Path) -> Path:
    refresh(root, tmp_path / "cache", lambda _: None)
    assert load(root, tmp_path / "cache") is not None
    return tmp_path / "cache"


@pytest.fixture
def learned(tmp_path: Path) -> Callable[[str], bool]:
    """Whether a word is in the index that a command has built: words stand in it as they are."""

    def look(word: str) -> bool:
        segments = list((tmp_path / ".cache" / "tabby-ls").rglob("*.segment"))
        assert segments, "there is no index"
        return any(word.encode() in segment.read_bytes() for segment in segments)

    return look
