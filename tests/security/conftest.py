"""The command line as a user runs it, and what looks through everything that it left on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.conftest import Run, run

__all__ = ["Run", "run"]


@pytest.fixture
def learned(tmp_path: Path) -> Callable[[str], bool]:
    """Whether a word is in the index that a command has built: words stand in it as they are."""

    def look(word: str) -> bool:
        segments = list((tmp_path / ".cache" / "tabby-ls").rglob("*.segment"))
        assert segments, "there is no index"
        return any(word.encode() in segment.read_bytes() for segment in segments)

    return look
