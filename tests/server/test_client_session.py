"""A client's session ends only once nothing of it is left open."""

from __future__ import annotations

import asyncio

from tabby_ls.backends.local import LocalBackend
from tabby_ls.server.app import create_server
from tests.support.conversation import Conversation


class SlowToClose(LocalBackend):
    """A backend whose connections take their time to close."""

    def __init__(self, may_close: asyncio.Event) -> None:
        self.may_close = may_close
        self.is_closed = False

    async def close(self) -> None:
        await self.may_close.wait()
        self.is_closed = True


async def test_it_waits_for_backends_that_its_settings_no_longer_name() -> None:
    server = create_server()
    Conversation(server).initialize()
    session = server.session
    former = SlowToClose(asyncio.Event())
    assert session.engine
    session._backends = [former]
    await session._reconfigure()
    ending = asyncio.create_task(session.end())
    await asyncio.sleep(0.05)
    assert not ending.done()
    former.may_close.set()
    await asyncio.wait_for(ending, 10)
    assert former.is_closed
