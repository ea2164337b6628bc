"""Requests that wait for the client's settings: released in their order, with what was typed in their document since."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.engine.inflight import Edit
from tabby_ls.server import held_requests
from tabby_ls.server.held_requests import HeldRequests
from tests.support.waiting import eventually

HERE, ELSEWHERE = "file:///work/a.py", "file:///work/b.py"
KEY = Edit(0, 0, 0, 0, "x")


async def test_none_waits_when_the_settings_are_known() -> None:
    assert await HeldRequests().wait(HERE) == ()


async def test_each_learns_what_was_typed_in_its_own_document_meanwhile() -> None:
    held = HeldRequests()
    with held.holding():
        first, second = asyncio.create_task(held.wait(HERE)), asyncio.create_task(held.wait(ELSEWHERE))
        await asyncio.sleep(0)
        held.edited(HERE, [KEY])
        third = asyncio.create_task(held.wait(HERE))
        await asyncio.sleep(0)
        assert not any(task.done() for task in (first, second, third))
    assert [list(await task) for task in (first, second, third)] == [[KEY], [], []]


async def test_they_go_on_in_the_order_in_which_they_came() -> None:
    held, released = HeldRequests(), []

    async def ask(number: int) -> None:
        await held.wait(HERE)
        released.append(number)

    with held.holding():
        asking = [asyncio.create_task(ask(number)) for number in range(5)]
        await asyncio.sleep(0)
    asking.append(asyncio.create_task(ask(5)))  # it comes while the others go on
    await asyncio.gather(*asking)
    assert released == [0, 1, 2, 3, 4, 5]


async def test_a_client_that_never_answers_holds_none_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_requests, "_LONGEST", 0.01)
    held = HeldRequests()
    with held.holding():
        asking = [asyncio.create_task(held.wait(HERE)) for _ in range(3)]
        await eventually(lambda: all(task.done() for task in asking))
        monkeypatch.setattr(held_requests, "_LONGEST", 60.0)
        assert await asyncio.wait_for(held.wait(HERE), 10) == (), "it is waited for once"
