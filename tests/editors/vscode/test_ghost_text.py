"""Ghost text in VS Code, from a scripted server: what appears, what becomes of it, and what is left in the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.editors.scripts import in_turn
from tests.editors.vscode.code import CodeServer, Window
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import wait_until


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
    window.wait_for_status("idle", "TabbyAPI")
    return window


@pytest.mark.parametrize(
    ("name", "before", "typed", "answer", "ghost", "after"),
    [
        pytest.param(
            "fib.py",
            "",
            "def fib(n):\n",
            "if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)\n",
            "if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)",
            "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)",
            id="several lines",
        ),
        pytest.param(
            "call.py", "", "print(", "'hello')", "'hello'", "print('hello')", id="auto-closed bracket"
        ),
        pytest.param(
            "nested.js",
            "",
            "run(items.map(",
            "x => x * 2));\n",
            "x => x * 2",
            "run(items.map(x => x * 2))",
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
    backend.reply(
        lambda prompt: answer if _before(prompt).rstrip(" \t").endswith(typed[-5:].rstrip(" ")) else ""
    )
    window.type(typed)
    window.wait_for_ghost(ghost)
    window.accept()
    assert window.saved() == after


def _before(prompt: str) -> str:
    """What is before the cursor, in a prompt of the Qwen family."""
    return prompt.split("<|fim_suffix|>")[0]


def test_typing_along_keeps_it_and_asks_nobody(window: Window, backend: ScriptedTabbyAPI) -> None:
    (window.folder / "along.py").touch()
    window.open("along.py")
    backend.reply(
        lambda prompt: "sum(x * x for x in range(10))\n" if _before(prompt).endswith("total = ") else ""
    )
    window.type("total = ")
    rest = "sum(x * x for x in range(10))"
    window.wait_for_ghost(rest)
    asked = [_before(request.body["prompt"]) for request in backend.completions]
    for character in "sum":
        window.type(character)
        rest = rest.removeprefix(character)
        window.wait_for_ghost(rest)
    window.accept()
    assert window.saved() == "total = sum(x * x for x in range(10))"
    since = [_before(request.body["prompt"]) for request in backend.completions][len(asked) :]
    assert not [before for before in since if not before.endswith("range(10))")]


def test_typing_otherwise_replaces_it_and_stops_the_server(window: Window, backend: ScriptedTabbyAPI) -> None:
    (window.folder / "otherwise.py").touch()
    window.open("otherwise.py")
    backend.reply_endlessly("number")
    window.type("first = ")
    wait_until(lambda: backend.open_streams)
    writing = backend.completions[-1]
    backend.reply("len(second)\n")
    window.type("[")
    wait_until(lambda: writing.ended == "closed by client")
    window.wait_for_ghost("len(second)")
    window.type("5")
    wait_until(lambda: window.ghost != "len(second)")


def test_a_word_or_a_line_is_taken(window: Window, backend: ScriptedTabbyAPI) -> None:
    (window.folder / "parts.py").touch()
    window.open("parts.py")
    answer = "for row in rows:\n        print(row)\n    return rows\n"
    backend.reply(lambda prompt: answer if _before(prompt).rstrip(" ").endswith("def show(rows):\n") else "")
    window.type("def show(rows):\n")
    window.wait_for_ghost("for row in rows:\n        print(row)\n    return rows")
    window.accept("Control+ArrowRight")
    window.wait_for_ghost(" row in rows:\n        print(row)\n    return rows")
    window.accept("Alt+ArrowRight")
    window.wait_for_ghost("        print(row)\n    return rows")
    assert window.saved() == "def show(rows):\n    for row in rows:\n"
    window.accept("Alt+ArrowRight")
    window.wait_for_ghost("    return rows")
    window.accept("Alt+ArrowRight")
    assert window.saved() == "def show(rows):\n    for row in rows:\n        print(row)\n    return rows"


def test_the_alternative_that_is_shown_is_taken(window: Window, backend: ScriptedTabbyAPI) -> None:
    (window.folder / "alternatives.py").touch()
    window.open("alternatives.py")
    backend.reply(in_turn("value = ", "alpha()\n", "beta()\n", "gamma()\n"))
    window.type("value = ")
    window.wait_for_ghost("alpha()")
    window.press("Alt+BracketRight")
    wait_until(lambda: window.ghost in ("beta()", "gamma()"))
    second = window.ghost
    third = "gamma()" if second == "beta()" else "beta()"
    window.press("Alt+BracketRight")
    window.wait_for_ghost(third)
    window.press("Alt+BracketLeft")
    window.wait_for_ghost(second)
    window.type(second[0])
    window.wait_for_ghost(second[1:])
    window.accept()
    assert window.saved() == f"value = {second}"


def test_escape_leaves_the_file_as_it_is_and_a_key_asks_again(
    window: Window, backend: ScriptedTabbyAPI
) -> None:
    (window.folder / "escape.py").touch()
    window.open("escape.py")
    backend.reply("compute()\n")
    window.type("value = ")
    window.wait_for_ghost("compute()")
    window.press("Escape")
    window.wait_for_no_ghost()
    assert window.saved() == "value = "
    window.press("Alt+Backslash")
    window.wait_for_ghost("compute()")


def test_a_bracket_that_the_editor_closed_is_typed_over_after_taking(
    window: Window, backend: ScriptedTabbyAPI
) -> None:
    (window.folder / "closed.py").touch()
    window.open("closed.py")
    backend.reply("alpha, beta)\n")
    window.type("value = compute(")
    window.wait_for_ghost("alpha, beta")
    window.accept()
    window.type(")")
    assert window.saved() == "value = compute(alpha, beta)"


def test_behind_a_call_over_several_lines_one_types_on(window: Window, backend: ScriptedTabbyAPI) -> None:
    """VS Code does not step over a bracket that it closed once that is on another line."""
    (window.folder / "lines.py").touch()
    window.open("lines.py")
    backend.reply(
        lambda prompt: "\n    alpha,\n    beta,\n)\n" if _before(prompt).endswith("compute(") else ""
    )
    window.type("value = compute(")
    wait_until(lambda: "beta," in window.ghost)
    window.accept()
    window.page.get_by_text("Ln 4, Col 2").wait_for()
    window.type(".first")
    assert window.saved() == "value = compute(\n    alpha,\n    beta,\n).first"


def test_behind_an_emoji_one_types_on(window: Window, backend: ScriptedTabbyAPI) -> None:
    """VS Code 1.139 counts it as one, and leaves the cursor before it."""
    (window.folder / "party.md").touch()
    window.open("party.md")
    backend.reply(lambda prompt: "ty 🎉\n" if _before(prompt).endswith("par") else "")
    window.type("par")
    window.wait_for_ghost("ty 🎉")
    window.accept()
    window.page.get_by_text("Ln 1, Col 8").wait_for()
    window.type("!")
    assert window.saved() == "party 🎉!"


def test_a_notebook_s_cell_is_completed(window: Window, backend: ScriptedTabbyAPI) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [], "execution_count": None}
    metadata = {"language_info": {"name": "python"}}
    notebook = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (window.folder / "sums.ipynb").write_text(json.dumps(notebook))
    backend.reply("range(3)\n")
    window.open_notebook("sums.ipynb")
    window.type("for number in ")
    window.wait_for_ghost("range(3)")
