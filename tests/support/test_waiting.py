"""Waiting in vain ends with an error that says what was waited for and what was there instead."""

from __future__ import annotations

import pytest

from tests.support.waiting import eventually, remains, wait_and_see, wait_until

SHORT = 0.01


class Screen:
    text = "line 1\nline 2"
    messages = ("one", "two")


async def asked() -> list[str]:
    return []


async def test_what_comes_true_is_returned() -> None:
    left = [3, 2, 1]
    assert await eventually(lambda: left.pop() == 3 and "here") == "here"

    async def answer() -> list[int]:
        return left.copy() or [7]

    assert await eventually(answer) == [7]


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        (lambda: len(Screen.messages) == 3, "`len(Screen.messages) == 3`, and `Screen.messages` is ('one', 'two')"),
        (lambda: "line 3" in Screen.text, "`\"line 3\" in Screen.text`, and `Screen.text` is \nline 1\nline 2"),
        (lambda: any(it == "x" for it in Screen.messages), "`Screen.messages` is ('one', 'two')"),
        (lambda: not Screen.messages and Screen.text, "`Screen.messages` is ('one', 'two'), and `Screen.text` is"),
        (lambda: [][0:1], "waited 0.01 s for `[][0:1]`, and `[][0:1]` is []"),
        (
            lambda: Screen.messages[0] == "😀"
            or Screen.messages[1] == "three",
            '`Screen.messages[0] == "😀" or Screen.messages[1] == "three"`, and `Screen.messages[0]` is \'one\'',
        ),
        (Screen.__subclasses__, "waited 0.01 s for `Screen.__subclasses__`, and it is []"),
    ],
)  # fmt: skip
def test_what_was_waited_for_and_what_was_there(condition, complaint: str) -> None:
    with pytest.raises(AssertionError) as error:
        wait_until(condition, seconds=SHORT)
    assert complaint in str(error.value)


async def test_so_it_is_in_an_event_loop() -> None:
    local = ["a"]
    with pytest.raises(
        AssertionError, match=r"for `local == \[\]`, and `local` is \['a'\], and this was there:\nx"
    ):
        await eventually(lambda: local == [], lambda: "x", seconds=SHORT)
    with pytest.raises(AssertionError, match=r"for `asked`, and it is \[\]"):
        await eventually(asked, seconds=SHORT)
    with pytest.raises(AssertionError, match=r"for `asked\(\)`, and it is \[\]"):
        await eventually(lambda: asked(), seconds=SHORT)


async def test_what_must_not_change_for_a_while() -> None:
    turns = iter([True, True, False])
    with pytest.raises(AssertionError, match="it did not remain so: `next"):
        await remains(lambda: next(turns))
    turns = iter([True, True, False])
    with pytest.raises(AssertionError, match="it did not remain so: `next"):
        wait_and_see(lambda: next(turns))
