"""Ghost text in Vim, from the key to the file on disk."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.editors.scripts import going_on_to, in_turn
from tests.editors.vim.vim import PLUGIN, Vim
from tests.editors.workspace import Workspace
from tests.support import debian
from tests.support.tabbyapi import ScriptedTabbyAPI

ADD = "def add(a, b):\n    \n\nx = 1\n"
#: Closes brackets as plugins do.
PAIRS = "inoremap ( ()<Left>\n"


@pytest.mark.parametrize(
    ("name", "before", "keys", "answer", "shown", "after"),
    [
        pytest.param(
            "block.py", ADD, "jAif a:", "    if a:\n        return a\n", "        return a",
            "def add(a, b):\n    if a:\n        return a\n\nx = 1\n",
            id="several lines",
        ),
        pytest.param(
            "emoji.py", "s = '😀🎉' + \nt = 1\n", "Af(", "'😀🎉' + f(x, y)\n", "f(x, y)",
            "s = '😀🎉' + f(x, y)\nt = 1\n",
            id="emoji before the cursor, and the bracket that closed itself",
        ),
        pytest.param(
            "inside.py", "print(1)\n", "f1s", "print(add(1, 2))\n", "print(add(1, 2))",
            "print(add(1, 2))\n",
            id="inside of brackets",
        ),
        pytest.param(
            "tabs.c", "int f(int x)\n{\n\t\n}\n", "jjAif", "\tif (x) {\n\t\treturn x;\n\t}\n", "                return x;",
            "int f(int x)\n{\n\tif (x) {\n\t\treturn x;\n\t}\n}\n",
            id="tabs",
        ),
        pytest.param(
            "crlf.py", "x = 1\r\n\r\ny = 2\r\n", "jAfor x in y:", "for x in y:\n    print(x)\n", "print(x)",
            "x = 1\r\nfor x in y:\r\n    print(x)\r\ny = 2\r\n",
            id="CRLF",
        ),
        pytest.param(
            "last.py", "x = 1", "ofor", "for y in x:\n    print(y)\n", "print(y)",
            "x = 1\nfor y in x:\n    print(y)\n",
            id="behind the last line, which has no end",
        ),
    ],
)  # fmt: skip
def test_taking_it_leaves_exactly_what_was_shown(
    workspace: Workspace, backend: ScriptedTabbyAPI, name: str, before: str, keys: str, answer: str, shown: str, after: str
) -> None:  # fmt: skip
    workspace.write(name, before)
    backend.reply(going_on_to(answer))
    with Vim(workspace, name, vimrc=f"{PAIRS}set tabstop=8 fixendofline\n") as vim:
        vim.type(keys)
        vim.wait_for_text(shown)
        vim.keys("Tab")
        assert vim.save() == after


def test_it_is_shown_and_typed_along_and_taken(
    workspace: Workspace, backend: ScriptedTabbyAPI, images: Path
) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("    if a > b:\n        a = b\n        return a\n"))
    with Vim(workspace, "sum.py") as vim:
        vim.type("jA")
        vim.wait_for_text("return a")
        vim.type("if ")
        vim.wait_for_text("  2     if a > b:\n            a = b\n            return a\n  3\n")
        assert vim.terminal.cursor == (11, 1), "the cursor stands before it"
        vim.terminal.save_svg(images / "vim.svg", "Ghost text in Vim")
        for typed in "a > b":
            vim.type(typed)
            vim.wait_for_text("  2     if a > b:\n            a = b\n")
        assert len(backend.completions) == 1
        vim.keys("Tab")
        assert vim.save() == "def add(a, b):\n    if a > b:\n        a = b\n        return a\n\nx = 1\n"
        assert [sent["command"] for sent in workspace.sent("workspace/executeCommand")] == [
            "tabby-ls.accepted"
        ]
        vim.type("u")
        assert vim.save() == "def add(a, b):\n    if a > b\n\nx = 1\n", "one step undoes it"
        vim.type("u")
        assert vim.save() == ADD
        assert "return a" not in vim.terminal.screen, "undo does not bring back what was drawn"


def test_typing_otherwise_ends_it_and_takes_the_request_back(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("    return a + b\n"))
    with Vim(workspace, "sum.py") as vim:
        vim.type("jAre")
        vim.wait_for_text("return a + b")
        backend.reply_endlessly("1 + ")
        vim.type("x")
        vim.wait_for_no_text("return a + b")
        vim.terminal.wait_for(lambda: backend.open_streams)
        stream = backend.completions[-1]
        backend.reply("")
        vim.type("y")
        vim.terminal.wait_for(lambda: stream.ended == "closed by client")


def test_by_word_and_by_line_the_rest_stays(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("    for 😀 in a:\n        b += 😀\n        c += b\n"))
    with Vim(workspace, "sum.py") as vim:
        vim.type("jAfor")
        vim.wait_for_text("        c += b\n")
        vim.keys("M-Right")
        vim.keys("M-Right")
        vim.terminal.wait_for(lambda: vim.terminal.cursor == (17, 1))  # behind `in`; an emoji has two columns
        vim.wait_for_text("  2     for 😀 in a:\n            b += 😀\n")
        vim.keys("M-C-Right")
        vim.keys("M-C-Right")
        vim.wait_for_text("  3         b += 😀\n            c += b\n")
        assert vim.save() == "def add(a, b):\n    for 😀 in a:\n        b += 😀\n\nx = 1\n"
    taken = [
        sent["arguments"][0]
        for sent in workspace.sent("workspace/executeCommand")
        if sent["command"] == "tabby-ls.partiallyAccepted"
    ]
    lengths = [
        len(f"{text}".encode("utf-16-le")) // 2
        for text in (" 😀", " 😀 in", " 😀 in a:", " 😀 in a:\n        b += 😀")
    ]
    assert [argument["length"] for argument in taken] == lengths


def test_there_are_others_by_key(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", "\n")
    backend.reply(in_turn("x = ", "1\n", "2\n", "3\n"))
    with Vim(workspace, "sum.py", vimrc="let g:tabby_ls_auto = v:false\n") as vim:
        vim.type("ix = ")
        vim.keys("C-x", "C-a")
        vim.wait_for_text("x = 1")
        vim.keys("C-x", "C-a")
        vim.wait_for_text("x = 2")
        vim.keys("C-]")
        vim.wait_for_no_text("x = 2")
        assert vim.save() == "x = \n"


def test_keys_do_what_they_did_where_nothing_is_shown(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    workspace.write("notes.txt", "\n")
    backend.reply("")
    with Vim(workspace, "notes.txt", vimrc="set noexpandtab\n") as vim:
        vim.type("ia")
        vim.keys("Tab")
        vim.type("b")
        assert vim.save() == "a\tb\n"


def test_beside_vims_own_menu_nothing_is_shown(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", "additive = 1\nadding = 2\n\n")
    backend.reply(going_on_to("additional\n"))
    with Vim(workspace, "sum.py") as vim:
        vim.type("jjiadd")
        vim.wait_for_text("additional")
        vim.keys("C-n")
        vim.wait_for_no_text("additional")
        vim.keys("C-e")
        vim.type("i")
        vim.wait_for_text("additional")


def test_the_server_knows_the_text_whatever_changes_it(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    workspace.write("long.py", "".join(f"line {number}\n" for number in range(1, 10)))
    backend.reply("")
    with Vim(workspace, "long.py") as vim:
        changes = [
            "ddp",
            "3GyyP",
            "ggJ",
            "GAx\x1b",
            ":2,4d\r",
            ":g/8/t.\r",
            ":%s/line/🎉/\r",
            "uu",
            "\x12",
            "ggdG",
            "u",
        ]
        reread = [":write\r", "ggdd", ":edit!\r", ":set filetype=c\r", "ggyyP"]
        for keys in [*changes, *reread]:
            vim.terminal.type(keys)
        vim.type("Gonew")
        text = vim.save()
    assert known_by_server(workspace) == text


def known_by_server(workspace: Workspace) -> str:
    """The text of the one document that is open, as its opening and all changes since have made it."""
    text = ""
    for by, message in workspace.messages:
        if by == "editor" and message.get("method") == "textDocument/didOpen":
            text = message["params"]["textDocument"]["text"]
        if by == "editor" and message.get("method") == "textDocument/didChange":
            for change in message["params"]["contentChanges"]:
                lines = text.splitlines(keepends=True)
                first, last = (change["range"][end]["line"] for end in ("start", "end"))
                text = "".join([*lines[:first], change["text"], *lines[last:]])
    return text


def test_what_the_first_start_says_does_not_hide_what_is_typed(local_workspace: Workspace) -> None:
    local_workspace.write("new.py", "")
    with Vim(local_workspace, "new.py") as vim:
        vim.wait_for(
            lambda: "nothing leaves this machine" in "\n".join(vim.terminal.screen.splitlines()[12:])
        )


def test_a_backend_that_dies_is_told_once_and_the_status_says_so(tmp_path: Path) -> None:
    with ScriptedTabbyAPI() as first:
        port = int(first.url.rpartition(":")[2])
        workspace = Workspace(tmp_path, first.url)
        workspace.write("sum.py", "x = 1\n")
        first.reply(going_on_to("print(1)\n"))
        vim = Vim(workspace, "sum.py")
        vim.__enter__()
        vim.type("opr")
        vim.wait_for_text("print(1)")
    with vim:
        vim.type("xy")
        vim.wait_for_text(f"127.0.0.1:{port}")
        vim.wait_for_text("Tabby!")
        with ScriptedTabbyAPI(port=port) as second:
            second.reply(going_on_to("z = 1\n"))
            vim.type("\rz")
            vim.keys("C-x", "C-a")  # by key it is asked at once, whatever it did before
            vim.wait_for_text("z = 1")
            vim.wait_for_no_text("Tabby!")


def test_a_server_that_dies_is_told_and_started_again(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    workspace.write("sum.py", "x = 1\n")
    backend.reply(going_on_to("print(1)\n"))
    with Vim(workspace, "sum.py") as vim:
        vim.command("call job_stop(job_info()[0], 'kill')")
        vim.wait_for_text("tabby-ls ended")
        vim.command("TabbyLs restart")
        vim.terminal.wait_for(lambda: len(workspace.sent("textDocument/didOpen")) == 2)
        vim.type("opr")
        vim.wait_for_text("print(1)")


def test_commands_say_what_they_did(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", "x = 1\n")
    backend.reply(going_on_to("print(1)\n"))
    with Vim(workspace, "sum.py") as vim:
        vim.type("opr")
        vim.wait_for_text("print(1)")
        vim.command("TabbyLs toggle language")
        vim.wait_for_text("off for Python")
        vim.type("Sprin")
        vim.command("TabbyLs why")
        vim.wait_for_text("off")


def test_the_status_is_about_the_file_one_is_in(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", "x = 1\n")
    workspace.write("other.py", "y = 2\n")
    backend.reply(going_on_to("print(1)\n"))
    with Vim(workspace, "sum.py") as vim:
        vim.type("opr")
        vim.wait_for_text("print(1)")
        vim.command("TabbyLs toggle file")
        vim.wait_for_text("off in sum.py")
        vim.type("Sprin")
        vim.wait_for_text("Tabby:off")
        vim.command("write | edit other.py")
        vim.wait_for_no_text("Tabby:off")
        vim.command("edit sum.py")
        vim.wait_for_text("Tabby:off")


def test_every_function_compiles(tmp_path: Path) -> None:
    """Vim compiles one when it is first called: too late for a mistake to be seen."""
    shutil.copytree(PLUGIN, tmp_path / "vim")
    scripts = sorted((tmp_path / "vim/autoload").rglob("*.vim"))
    for script in scripts:
        script.write_text(f"{script.read_text('utf-8')}\ndefcompile\n", "utf-8")
    command = [
        debian.vim(),
        "-u",
        "NONE",
        "-i",
        "NONE",
        "-n",
        "-es",
        "-V1",
        "--cmd",
        f"set rtp^={tmp_path / 'vim'}",
    ]
    for script in scripts:
        command += ["-c", f"source {script}"]
    done = subprocess.run([*command, "-c", "qa!"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (0, "")
