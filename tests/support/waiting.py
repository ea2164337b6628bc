"""The one way tests wait: until something holds, or for a while in which it must go on to hold.

    await eventually(lambda: backend.open_streams == 0)
    items = await eventually(editor.ghost)  # what has to be awaited is asked again and again
    await remains(lambda: not ending.done())

and without an event loop `wait_until` and `wait_and_see`. The limit is much longer than anything takes, so that a
busy machine fails no test. Where it passes, the error says what was waited for, and what was there instead:

    waited 60 s for `len(editor.messages) == 2`, and `editor.messages` is ['tabby-ls: the server ...']
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from types import CodeType
from typing import Any

#: How long to wait for anything.
SECONDS = 60.0
#: How long nothing may change where nothing must: long enough for what would be a mistake.
A_WHILE = 0.5


async def eventually(
    condition: Callable[[], Any], show: Callable[[], object] | None = None, *, seconds: float = SECONDS
) -> Any:
    """Wait until `condition()`, awaited where it has to be, is true, and return it.

    Everything that runs in this event loop gets its turn first. `show()` is printed too when it never is.
    """
    deadline, turn = time.monotonic() + seconds, 0
    while not (result := await _result(condition)):
        if time.monotonic() > deadline:
            raise AssertionError(_complaint(f"waited {seconds:.3g} s for", condition, result, show))
        turn += 1
        await asyncio.sleep(0 if turn < 200 else 0.002)
    return result


async def remains(condition: Callable[[], object], *, seconds: float = A_WHILE) -> None:
    """Assert that `condition()` holds, and goes on to."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), _complaint("it did not remain so:", condition, False, None)
        await asyncio.sleep(0.01)


def wait_until(
    condition: Callable[[], Any], show: Callable[[], object] | None = None, *, seconds: float = SECONDS
) -> Any:
    """The same as `eventually`, for tests without an event loop: they block."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(_complaint(f"waited {seconds:.3g} s for", condition, result, show))
        time.sleep(0.01)
    return result


def wait_and_see(condition: Callable[[], object], *, seconds: float = A_WHILE) -> None:
    """The same as `remains`, for tests without an event loop."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), _complaint("it did not remain so:", condition, False, None)
        time.sleep(0.01)


async def _result(condition: Callable[[], Any]) -> Any:
    result = condition()
    return await result if isinstance(result, Awaitable) else result


# What the error says


def _complaint(
    waited: str, condition: Callable[[], Any], result: object, show: Callable[[], object] | None
) -> str:
    text = _source(getattr(condition, "__code__", None))
    there = dict(_there(condition, text)) if text else {}
    name = text or getattr(condition, "__qualname__", repr(condition))
    said = [f"{waited} `{name}`", *(f"`{part}` is {_shown(value)}" for part, value in there.items())]
    if not there:
        said.append(f"it is {_shown(result)}")
    if show is not None:
        said.append(f"this was there:\n{show()}")
    return ", and ".join(said)


def _shown(value: object) -> str:
    return f"\n{value}" if isinstance(value, str) and "\n" in value else f"{value!r:.2000}"


def _source(code: CodeType | None) -> str:
    """What a lambda computes, as it is written; "" for other functions, which have names."""
    if code is None or code.co_name != "<lambda>":
        return ""
    places = [
        (line, column, last_line, last_column)
        for line, last_line, column, last_column in code.co_positions()
        if line and last_line and column is not None and last_column
    ]
    (line, column), (last_line, last_column) = min(p[:2] for p in places), max(p[2:] for p in places)
    lines = [text.encode() for text in linecache.getlines(code.co_filename)[line - 1 : last_line]]
    lines[-1:] = [text[:last_column] for text in lines[-1:]]
    lines[:1] = [text[column:] for text in lines[:1]]
    return " ".join(b"".join(lines).decode().split())


def _there(condition: Callable[[], Any], text: str) -> Iterator[tuple[str, object]]:
    """The parts of a condition that say why it does not hold, with their values; none where that cannot be said."""
    names = dict(inspect.getclosurevars(condition).nonlocals)
    names |= {name: it.default for name, it in inspect.signature(condition).parameters.items()}
    with suppress(Exception):
        for part in _parts(ast.parse(text, mode="eval").body):
            value = eval(compile(ast.Expression(part), "condition", "eval"), condition.__globals__, names)
            if inspect.iscoroutine(value):
                value.close()
            elif repr(value) != ast.unparse(part):
                yield ast.unparse(part), value


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Constant():
            return
        case ast.BoolOp(values=inner):
            pass
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = [operand]
        case ast.Compare(left=left, comparators=right):
            inner = [left, *right]
        case ast.Call(func=ast.Name(id="len" | "any" | "all" | "list" | "set"), args=[argument]):
            inner = [argument]
        case ast.GeneratorExp(generators=[first, *_]) | ast.ListComp(generators=[first, *_]):
            inner = [first.iter]
        case _:
            yield node
            return
    for part in inner:
        yield from _parts(part)
