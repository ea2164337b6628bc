"""A client's session ends only once nothing of it is left open."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tabby_ls.backends.local import LocalBackend
from tabby_ls.server.app import create_server
from tests.support.conversation import Conversation
from tests.support.waiting import remains


class SlowToClose(LocalBackend):
    """A backend whose connections take their time to close."""

    def __init__(self, may_close: asyncio.Event) -> None:
        self.may_close = may_close
        self.is_closed = False

    async def close(self) -> None:
        await self.may_close.wait()
        self.is_closed = True


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from the user's folders, nor written there."""
    monkeypatch.setenv("TABBY_LS_CONFIG", os.devnull)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


async def test_it_waits_for_backends_that_its_settings_no_longer_name() -> None:
    server = create_server()
    Conversation(server).initialize()
    session = server.session
    former = SlowToClose(asyncio.Event())
    assert session.engine
    session._backends = [former]
    await session._reconfigure()
    ending = asyncio.create_task(session.end())
    await remains(lambda: not ending.done())
    former.may_close.set()
    await ending
    assert former.is_closed
