"""Ghost text in VS Code, from a scripted server: what appears, what becomes of it, and what is left in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.editors.vscode.code import CodeServer, Window, wait_for
from tests.support.tabbyapi import ScriptedTabbyAPI


@pytest.fixture(scope="module")
def backend() -> Iterator[ScriptedTabbyAPI]:
    with ScriptedTabbyAPI() as server:
        yield server


@pytest.fixture(scope="module")
def window(
    code_server: CodeServer,
    backend: ScriptedTabbyAPI,
    open_window: Callable[[Path], Window],
    tmp_path_factory: pytest.TempPathFactory,
) -> Window:
    code_server.configure({"backend.url": backend.url, "local.fallback": False})
    window = open_window(tmp_path_factory.mktemp("workspace"))
    window.wait_for_status("idle")
    return window


@pytest.mark.parametrize(
    ("name", "before", "typed", "answer", "ghost", "after"),
    [
        pytest.param(
            "fib.py",
            "",
            "def fib(n",
            "):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)\n",
            "):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)",
            "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)",
            id="several lines over an auto-closed bracket",
        ),
        pytest.param(
            "call.py", "", "print(", "'hello')", "'hello'", "print('hello')", id="auto-closed bracket"
        ),
        pytest.param(
            "nested.js",
            "",
            "run(items.map((x",
            ") => x * 2));",
            ") => x * 2));",
            "run(items.map((x) => x * 2));",
            id="auto-closed brackets",
        ),
        pytest.param("text.py", "", "name = 'Al", "ice'", "ice", "name = 'Alice'", id="auto-closed quote"),
        pytest.param(
            "main.go",
            "package main\n\nfunc main() {\n\tx := 1\n}\n",
            "\n\nfunc half(x int) int {\n",
            "return x / 2\n}",
            "return x / 2",
            "package main\n\nfunc main() {\n\tx := 1\n}\n\n\nfunc half(x int) int {\n\treturn x / 2\n}",
            id="tabs",
        ),
        pytest.param(
            "crlf.py",
            "a = 1\r\n",
            "def one():",
            "\n    return 1\n",
            "\n    return 1",
            "a = 1\r\ndef one():\r\n    return 1",
            id="CRLF",
        ),
        pytest.param(
            "emoji.py",
            "",
            "s = '😀🎉' + ",
            "str(len('😀'))",
            "str(len('😀'))",
            "s = '😀🎉' + str(len('😀'))",
            id="emoji",
        ),
    ],
)
def test_accepted_it_leaves_what_the_model_meant(
    window: Window,
    backend: ScriptedTabbyAPI,
    name: str,
    before: str,
    typed: str,
    answer: str,
    ghost: str,
    after: str,
) -> None:
    (window.folder / name).write_bytes(before.encode())
    window.open(name)
    backend.reply(lambda prompt: answer if _line_before(prompt).endswith(typed.splitlines()[-1][-5:]) else "")
    window.type(typed)
    window.wait_for_ghost(ghost)
    window.accept()
    assert window.saved() == after


def _line_before(prompt: str) -> str:
    """The line of the cursor, up to it, in a prompt of the Qwen family."""
    return prompt.split("<|fim_suffix|>")[0].splitlines()[-1]
