"""One process that has to live through everything a file of tests does to it, and one backend that does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.editor import Editor
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

_TIMEOUTS = {"first_token_timeout": 1.0, "progress_timeout": 1.0}


@pytest.fixture(scope="module")
def running_backend() -> Iterator[ScriptedTabbyAPI]:
    with ScriptedTabbyAPI(ping_interval=0.1) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(
    tmp_path_factory: pytest.TempPathFactory, running_backend: ScriptedTabbyAPI
) -> AsyncIterator[Editor]:
    home = tmp_path_factory.mktemp("home")
    async with Editor(home, backend=running_backend.url, settings={"backend": _TIMEOUTS}) as editor:
        yield editor


@pytest.fixture
def backend(running_backend: ScriptedTabbyAPI) -> ScriptedTabbyAPI:
    running_backend.requests.clear()
    return running_backend


@pytest_asyncio.fixture(loop_scope="module")
async def editor(session: Editor, backend: ScriptedTabbyAPI) -> AsyncIterator[Editor]:
    """The session; what the test did to it must have left nothing running, and it must still work."""
    yield session
    session.close_all()
    await eventually(lambda: backend.open_streams == 0)
    await works(session, backend)
    session.messages.clear()


async def works(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    """Assert that a well backend's suggestion is shown, without a restart of anything."""
    backend.reply("total = 1\n")
    editor.open("def well():\n    |\n")
    (item,) = await editor.ghost(invoked=True)
    assert item.insert_text == "total = 1"
    editor.close()
