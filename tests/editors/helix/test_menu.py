"""Suggestions in Helix' menu, from the key to the file on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.helix.helix import Helix
from tests.editors.scripts import going_on_to
from tests.editors.workspace import Workspace
from tests.support.tabbyapi import ScriptedTabbyAPI

ADD = "def add(a, b):\n    \n\nx = 1\n"
#: Where a word is typed at the beginning of a line. Behind a space, Helix would ask at once, and would not ask again
#: for what is typed until that is answered.
TOP = "x = 1\n"
PRINT = going_on_to("print(add(1, 2))\n")
SHOWN = "print(add(1, 2)) text"


@pytest.mark.parametrize(
    ("name", "before", "keys", "answer", "shown", "after"),
    [
        pytest.param(
            "block.py", ADD, "jAif a:", "    if a:\n        return a\n", "return a …",
            "def add(a, b):\n    if a:\n        return a\n\nx = 1\n",
            id="several lines",
        ),
        pytest.param(
            "emoji.py", "s = '😀🎉' + \n", "Af(", "'😀🎉' + f(x, y)\n", "x, y)",
            "s = '😀🎉' + f(x, y)\n",
            id="emoji before the cursor, and the bracket that closed itself",
        ),
        pytest.param(
            "tabs.c", "int f(int x)\n{\n\t\n}\n", "jjAreturn ", "\treturn x;\n", "x;",
            "int f(int x)\n{\n\treturn x;\n}\n",
            id="tabs",
        ),
        pytest.param(
            "tabs.go", "func f() {\n\tfor x := range y\n}\n", "jA ", "\tfor x := range y {\n\t\tg(x)\n\t}\n", "{ …",
            "func f() {\n\tfor x := range y {\n\t\tg(x)\n\t}\n}\n",
            id="several lines with tabs",
        ),
        pytest.param(
            "crlf.py", "x = 1\r\n\r\ny = 2\r\n", "jAfor x in y:", "for x in y:\n    print(x)\n", "print(x)",
            "x = 1\r\nfor x in y:\r\n    print(x)\r\ny = 2\r\n",
            id="CRLF",
        ),
    ],
)  # fmt: skip
def test_taking_an_item_leaves_exactly_what_was_promised(
    workspace: Workspace, backend: ScriptedTabbyAPI, name: str, before: str, keys: str, answer: str, shown: str, after: str
) -> None:  # fmt: skip
    workspace.write(name, before)
    backend.reply(going_on_to(answer))
    with Helix(workspace, name) as helix:
        helix.type(keys)
        helix.wait_for_text(shown)
        helix.keys("Tab", "Enter")
        assert helix.save() == after


def test_typing_along_keeps_it_and_typing_otherwise_ends_it(
    workspace: Workspace, backend: ScriptedTabbyAPI, images: Path
) -> None:
    workspace.write("sum.py", TOP)
    backend.reply(PRINT)
    with Helix(workspace, "sum.py") as helix:
        helix.type("opr")
        helix.wait_for_text(SHOWN)
        helix.type("in")
        helix.wait_for_text(SHOWN)
        helix.keys("Tab")
        helix.wait_for_text("2  print(add(1, 2))")
        helix.terminal.save_svg(images / "helix.svg", "A suggestion in Helix' menu, with Tab pressed")
        helix.keys("Enter")
        helix.keys("Escape")
        helix.wait_for_text(" NOR ")
        # Helix takes no request back: the edit that contradicts it ends it, and closes its connection.
        backend.reply_endlessly("1 + ")
        helix.type("ox = ")
        helix.terminal.wait_for(lambda: backend.open_streams)
        stream = backend.completions[-1]
        backend.reply("2\n")
        helix.type("y = ")
        helix.terminal.wait_for(lambda: stream.ended == "closed by client")
        assert not workspace.sent("$/cancelRequest")


def test_behind_a_space_it_is_there_however_fast_one_types(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    """Helix asks at the space and not again for the letters behind it: the one answer has to be of use for them."""
    workspace.write("sum.py", TOP)
    backend.reply(going_on_to("total = compute(1)\n"))
    with Helix(workspace, "sum.py") as helix:
        helix.type("ototal = co")
        helix.wait_for_text("compute(1) text")
        helix.keys("Tab", "Enter")
        assert helix.save() == f"{TOP}total = compute(1)\n"


def test_several_cursors_and_a_repetition(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("three.py", "a = 1\nb = 1\nc = 2\n")
    backend.reply(going_on_to("größe(x)\n"))
    with Helix(workspace, "three.py") as helix:
        helix.type("%s1\rcgr")
        helix.wait_for_text("größe(x) text")
        helix.keys("Tab", "Enter", "Escape")
        helix.wait_for_text(" NOR ")
        helix.type(",/2\r.")
        assert helix.save() == "a = größe(x)\nb = größe(x)\nc = größe(x)\n"


@pytest.mark.parametrize("before", ["", "\t", "x = ", "to"])
def test_only_by_key(workspace: Workspace, backend: ScriptedTabbyAPI, before: str) -> None:
    """Behind a word Helix asks by itself too."""
    workspace.write("../.config/tabby-ls/config.toml", f'trigger = "manual"\nbackend.url = "{backend.url}"\n')
    workspace.write("sum.py", TOP)
    backend.reply(lambda prompt: "tal(1)\n" if "to<" in prompt else "total(1)\n")
    with Helix(workspace, "sum.py") as helix:
        helix.type(f"o{before}")
        if before == "to":
            helix.terminal.wait_for(lambda: workspace.answers("textDocument/completion"))
        assert not backend.completions
        helix.keys("C-x")
        helix.wait_for_text("total(1) text")


def test_a_backend_that_dies_and_comes_back(tmp_path: Path) -> None:
    with ScriptedTabbyAPI() as first:
        port = int(first.url.rpartition(":")[2])
        workspace = Workspace(tmp_path, first.url)
        workspace.write("sum.py", TOP)
        first.reply(PRINT)
        helix = Helix(workspace, "sum.py")
        helix.__enter__()
        helix.type("opr")
        helix.wait_for_text(SHOWN)
    with helix:
        helix.keys("Escape")
        helix.wait_for_text(" NOR ")
        helix.type("oxyz = 1 + 2 + 3 + 4 + 5")  # each key takes a message away
        helix.wait_for_text("tabby-ls: ")
        helix.wait_for_text(f"127.0.0.1:{port}")
        helix.type(" + ")
        with ScriptedTabbyAPI(port=port) as second:
            second.reply("1\n")

            def said() -> bool:
                helix.keys("C-x")
                return any(
                    "answers again" in shown["message"]
                    for shown in workspace.sent("window/showMessage", by="server")
                )

            helix.terminal.wait_for(said)


def test_a_server_that_died_is_restarted_by_hand(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", TOP)
    backend.reply(PRINT)
    with Helix(workspace, "sum.py") as helix:
        helix.kill_server()
        helix.command("lsp-restart")
        helix.terminal.wait_for(lambda: len(workspace.sent("initialize")) == 2)
        helix.terminal.wait_for(lambda: len(workspace.sent("textDocument/didOpen")) == 2)
        helix.type("opr")
        helix.wait_for_text(SHOWN)


def test_its_commands(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", TOP)
    backend.reply(PRINT)
    with Helix(workspace, "sum.py") as helix:
        helix.type("opr")
        helix.wait_for_text(SHOWN)
        helix.command("lsp-workspace-command tabby-ls.why")
        helix.wait_for_text("text came")  # as its message of one line did not tell any more
        helix.command("buffer-close")
        helix.wait_for_text("sum.py")
        helix.command('lsp-workspace-command tabby-ls.toggle {"scope":"file"}')
        helix.wait_for_text("suggestions are off in sum.py")
        helix.command("lsp-workspace-command tabby-ls.stats")
        helix.wait_for_text("characters kept")


def test_the_local_model_needs_no_server(local_workspace: Workspace) -> None:
    text = "def area(width, height):\n    return width * height\n\n\n" * 4
    local_workspace.write("shapes.py", text)
    with Helix(local_workspace, "shapes.py") as helix:
        helix.type("geodef area(wi")
        helix.wait_for_text("width, height) text")
        helix.keys("Tab", "Enter")
        assert helix.save() == text + "def area(width, height)\n"
