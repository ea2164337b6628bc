"""An editor for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.editor import Editor
from tests.support.tabbyapi import ScriptedTabbyAPI


@pytest.fixture
async def editor(tmp_path: Path, backend: ScriptedTabbyAPI) -> AsyncIterator[Editor]:
    """An editor that shows ghost text, and the backend at work."""
    async with Editor(tmp_path, backend=backend.url) as editor:
        yield editor
