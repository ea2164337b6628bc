"""One process and one backend for all tests of a file, as an editor has them all day; each opens its own documents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.editor import Editor
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def running_backend() -> Iterator[ScriptedTabbyAPI]:
    with ScriptedTabbyAPI() as server:
        yield server


@pytest.fixture
def backend(running_backend: ScriptedTabbyAPI) -> ScriptedTabbyAPI:
    running_backend.requests.clear()
    return running_backend


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(
    tmp_path_factory: pytest.TempPathFactory, running_backend: ScriptedTabbyAPI
) -> AsyncIterator[Editor]:
    # So that tests can count what was asked for, nothing else is.
    home, settings = tmp_path_factory.mktemp("home"), {"prefetch": False}
    async with Editor(home, backend=running_backend.url, settings=settings) as editor:
        yield editor


@pytest_asyncio.fixture(loop_scope="module")
async def editor(session: Editor, backend: ScriptedTabbyAPI) -> AsyncIterator[Editor]:
    yield session
    session.close_all()
    await eventually(lambda: backend.open_streams == 0)
    assert session.messages == []
