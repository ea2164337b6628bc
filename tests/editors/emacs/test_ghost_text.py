"""Ghost text in Emacs, from the key to the file on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.emacs.emacs import Emacs
from tests.editors.scripts import going_on_to, in_turn
from tests.editors.workspace import Workspace
from tests.support.tabbyapi import ScriptedTabbyAPI

USE = "(require 'tabby-ls)\n(global-tabby-ls-mode)\n"
#: `def` with a body that is open at its end, and what follows.
ADD = "def add(a, b):\n    \n\nx = 1\n"


def test_it_is_shown_and_typed_along_and_taken(
    workspace: Workspace, backend: ScriptedTabbyAPI, images: Path
) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("return a + b\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("re")
        emacs.wait_for_ghost("turn a + b")
        emacs.terminal.wait_for_text("    return a + b")
        assert emacs.terminal.cursor == (6, 1)
        emacs.terminal.save_svg(images / "emacs.svg", "Ghost text in Emacs")
        for typed in "turn":
            emacs.type(typed)
            emacs.wait_for(lambda: emacs.text.partition("|")[0].endswith(typed))  # noqa: B023
            assert emacs.text.partition("|")[0].splitlines()[-1] + emacs.ghost == "    return a + b"
        assert len(backend.completions) == 1
        emacs.keys("Tab")
        emacs.wait_for_text("def add(a, b):\n    return a + b|\n\nx = 1\n")
        assert emacs.save() == "def add(a, b):\n    return a + b\n\nx = 1\n"


def test_typing_otherwise_replaces_it_and_takes_the_request_back(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("return a + b\n", "pass\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("r")
        emacs.wait_for_ghost("eturn a + b")
        emacs.keys("BSpace")
        emacs.type("p")
        emacs.wait_for_ghost("ass")
        # A request that is still under way is taken back by the next key, and its connection closed.
        backend.reply_endlessly("1 + ")
        emacs.type("x")
        emacs.wait_for(lambda: backend.open_streams)
        stream = backend.completions[-1]
        backend.reply(going_on_to("px!\n"))
        emacs.type("!")
        emacs.wait_for(lambda: stream.ended == "closed by client")
        assert workspace.sent("$/cancelRequest")
        emacs.quit()
        emacs.wait_for_ghost("")
        assert emacs.text == "def add(a, b):\n    px!|\n\nx = 1\n"


def test_an_answer_that_comes_too_late_is_not_shown(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply("late\n", delay_before_first=0.5)
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("a = ")
        emacs.wait_for(lambda: backend.completions)
        emacs.keys("C-b")
        emacs.wait_for(lambda: all(request.ended for request in backend.completions))
        assert emacs.ghost == ""


@pytest.mark.parametrize(
    ("name", "before", "typed", "answer", "after"),
    [
        pytest.param(
            "block.py",
            "\n",
            "for x in y:",
            "for x in y:\n    if x:\n        print(x)\n",
            "for x in y:\n    if x:\n        print(x)|\n",
            id="several lines",
        ),
        pytest.param(
            "emoji.py",
            "s = '😀🎉' + \n",
            "f(",
            "'😀🎉' + f(x)\n",
            "s = '😀🎉' + f(x)|\n",
            id="emoji before the cursor, and the bracket that closed itself",
        ),
        pytest.param(
            "tabs.c",
            "int f(int x)\n{\n\t\n}\n",
            "if (x) {",
            "\tif (x) {\n\t\tg(x);\n\t\treturn x;\n\t}\n",
            "int f(int x)\n{\n\tif (x) {\n\t\tg(x);\n\t\treturn x;\n\t}|\n}\n",
            id="tabs",
        ),
        pytest.param(
            "crlf.py",
            "x = 1\r\n\r\ny = 2\r\n",
            "for x in y:",
            "for x in y:\n    print(x)\n",
            "x = 1\r\nfor x in y:\r\n    print(x)|\r\ny = 2\r\n",
            id="CRLF",
        ),
    ],
)
def test_taking_it_leaves_exactly_what_was_promised(
    workspace: Workspace, backend: ScriptedTabbyAPI, name: str, before: str, typed: str, answer: str, after: str
) -> None:  # fmt: skip
    workspace.write(name, before)
    backend.reply(going_on_to(answer))
    more = '(setq c-default-style "linux")\n' if name == "tabs.c" else "(electric-pair-mode)\n"
    with Emacs(workspace, name, init=USE + more) as emacs:
        emacs.wait_until_open()
        line = {"tabs.c": 3, "crlf.py": 2}.get(name, 1)
        emacs.evaluate(f"(progn (goto-line {line}) (end-of-line))")
        emacs.type(typed)
        emacs.wait_for(lambda: emacs.ghost)
        emacs.keys("Tab")
        emacs.wait_for_text(after.replace("\r\n", "\n"))
        assert emacs.save() == after.replace("|", "")


def test_typing_along_over_a_bracket_that_closes_itself(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    """The bracket stands inside the suggestion then: it is taken for the one that was promised."""
    workspace.write("sum.py", "\n")
    backend.reply(going_on_to("if x:\n    print(x)\n    print(y)\n"))
    with Emacs(workspace, "sum.py", init=USE + "(electric-pair-mode)\n") as emacs:
        emacs.wait_until_open()
        emacs.type("if x:")
        emacs.wait_for_ghost("\n    print(x)\n    print(y)")
        emacs.keys("Enter")
        emacs.type("print(")
        emacs.wait_for_text("if x:\n    print(|)\n")
        assert emacs.ghost == "x)\n    print(y"  # the last bracket is there already
        emacs.terminal.wait_for_text("if x:\n    print(x)\n    print(y)\n")
        assert len(backend.completions) == 1
        emacs.keys("Tab")
        emacs.wait_for_text("if x:\n    print(x)\n    print(y)|\n")


def test_undoing_takes_one_step(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("if a:\n        return a\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("if a:")
        emacs.wait_for_ghost("\n        return a")
        emacs.keys("Tab")
        emacs.wait_for_text("def add(a, b):\n    if a:\n        return a|\n\nx = 1\n")
        emacs.keys("C-_")
        emacs.wait_for_text("def add(a, b):\n    if a:|\n\nx = 1\n")


def test_the_cursor_stays_before_a_line_break(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("if a:\n        return a\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("if a:")
        emacs.wait_for_ghost("\n        return a")
        emacs.terminal.wait_for_text("    if a:\n        return a\n")
        assert emacs.terminal.cursor == (len("    if a:"), 1)


def test_lines_below_the_window_are_scrolled_into_it(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    """Nobody can judge what is not on the screen."""
    workspace.write("sum.py", "\n" * 60)
    body = "".join(f"\n    print({number})" for number in range(5))
    backend.reply(going_on_to(f"for x in y:{body}\n"))
    with Emacs(workspace, "sum.py", init=USE + "(setq scroll-conservatively 101)\n") as emacs:
        emacs.wait_until_open()
        emacs.evaluate("(progn (goto-line 40) (recenter -1))")
        emacs.terminal.wait_for(lambda: emacs.terminal.cursor == (0, 21))
        emacs.type("for x in y:")
        emacs.terminal.wait_for_text(f"for x in y:{body}\n")
        assert emacs.terminal.cursor == (len("for x in y:"), 21 - 5)
        emacs.keys("Tab")
        emacs.terminal.wait_for(lambda: emacs.terminal.cursor == (len("    print(4)"), 21))


def test_it_is_taken_by_words_and_lines(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", "\n")
    text = "for x in y:\n    print(x)\n"
    backend.reply(going_on_to(text))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.type("for x in y:")
        emacs.wait_for_ghost("\n    print(x)")
        for key, left in (("M-f", "(x)"), ("M-f", "x)"), ("C-e", "")):
            emacs.keys(key)
            emacs.wait_for_ghost(left)
        assert emacs.text == "for x in y:\n    print(x)|\n"
        emacs.wait_for(lambda: len(emacs.commands) == 3)
        told = [(call["command"], call["arguments"][0].get("length")) for call in emacs.commands]
        assert told == [
            ("tabby-ls.partiallyAccepted", len("\n    print")),
            ("tabby-ls.partiallyAccepted", len("\n    print(")),
            ("tabby-ls.accepted", None),
        ]


def test_the_alternative_that_is_shown_is_taken(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", "\n")
    backend.reply(in_turn("value = ", "alpha()\n", "beta()\n", "gamma()\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.type("value = ")
        emacs.wait_for_ghost("alpha()")
        emacs.keys("M-n")
        emacs.wait_for(lambda: emacs.ghost in ("beta()  2/3", "gamma()  2/3"))
        second = emacs.ghost.partition(" ")[0]
        third = "gamma()" if second == "beta()" else "beta()"
        for key, shown in (
            ("M-n", f"{third}  3/3"),
            ("M-n", "alpha()  1/3"),
            ("M-p", f"{third}  3/3"),
            ("M-p", f"{second}  2/3"),
        ):
            emacs.keys(key)
            emacs.wait_for_ghost(shown)
        emacs.type(second[0])
        emacs.wait_for(lambda: emacs.ghost.startswith(f"{second[1:]} "))
        emacs.keys("Tab")
        emacs.wait_for_text(f"value = {second}|\n")
        emacs.wait_for(lambda: emacs.commands)
        (taken,) = emacs.commands
        offered = {
            item["insertText"]: item["command"]["arguments"]
            for answer in workspace.answers("textDocument/inlineCompletion")
            for item in (answer.get("result") or {"items": []})["items"]
        }
        assert (taken["command"], taken["arguments"]) == ("tabby-ls.accepted", offered[second])


def test_it_is_shown_in_one_window_only(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("return a + b\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("C-x", "2", "Down", "C-e")
        emacs.type("ret")
        emacs.terminal.wait_for_text("    return a + b")
        assert emacs.terminal.screen.count("return a + b") == 1
        emacs.keys("C-x", "o")
        emacs.wait_for_ghost("")


def test_the_rest_of_a_long_suggestion_comes_as_it_is_written(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    workspace.write("sum.py", ADD)
    body = "".join(f"\n        total += numbers[{index}]" for index in range(6))
    backend.reply(going_on_to(f"for number in numbers:{body}\n"), delay_between=0.04)
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("for")
        emacs.wait_for_ghost(f" number in numbers:{body}")
        answers = [answer.get("result") for answer in workspace.answers("textDocument/inlineCompletion")]
        items = [item for answer in answers if answer for item in answer["items"]]
        assert any(item["command"]["arguments"][0].get("more") for item in items)
        assert len(backend.completions) == 1
        emacs.keys("BSpace", "BSpace", "BSpace")
        backend.reply(going_on_to(f"while number in numbers:{body}\n"), delay_between=0.04)
        emacs.type("whi")
        emacs.wait_for(lambda: emacs.ghost)
        emacs.type("le nu")
        emacs.wait_for_ghost(f"mber in numbers:{body}")


def test_nothing_is_suggested_while_a_macro_is_recorded(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("return a + b\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e", "C-x", "(")
        emacs.type("re")
        emacs.wait_for_text(ADD.replace("    ", "    re|"))
        assert emacs.evaluate("(or tabby-ls--timer tabby-ls--pending tabby-ls-ghost-active)") == "nil"
        emacs.keys("C-x", ")")
        emacs.wait_for(lambda: emacs.evaluate("defining-kbd-macro") == "nil")
        emacs.type("t")
        emacs.wait_for_ghost("urn a + b")


def test_what_a_program_does_to_the_text_is_seen(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    """As `auto-revert-mode` does after a checkout; no command follows it."""
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("return a + b\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.wait_for_ghost("urn a + b")
        emacs.evaluate('(save-excursion (goto-char (point-min)) (insert "# Sums\\n"))')
        emacs.terminal.wait_for_text("# Sums\ndef add(a, b):\n    return a + b\n")
        emacs.evaluate("(revert-buffer t t t)")
        emacs.wait_for_ghost("")
        emacs.terminal.wait_for_text("def add(a, b):\n\n\nx = 1\n")


def test_what_is_formatted_on_saving_asks_for_nothing(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("return a + b\n"))
    tidy = """
      (setq tabby-ls-idle-delay 0)
      (add-hook 'before-save-hook (lambda () (save-excursion (goto-char (point-max)) (insert "# tidy\n"))))
    """
    with Emacs(workspace, "sum.py", init=USE + tidy) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.wait_for_ghost("urn a + b")
        emacs.quit()
        emacs.wait_for_ghost("")
        asked = len(workspace.sent("textDocument/inlineCompletion"))
        assert emacs.save().endswith("# tidy\n")
        emacs.wait_for(lambda: workspace.sent("textDocument/didSave"))
        assert emacs.evaluate("(or tabby-ls--timer tabby-ls--pending)") == "nil"
        assert len(workspace.sent("textDocument/inlineCompletion")) == asked


@pytest.mark.parametrize("key", ["C-s", "C-Space", "M-:"])
def test_it_goes_when_keys_insert_no_more(workspace: Workspace, backend: ScriptedTabbyAPI, key: str) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("return a + b\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.wait_for_ghost("urn a + b")
        emacs.keys(key)
        emacs.wait_for(lambda: "urn a + b" not in emacs.terminal.screen)


def test_a_key_dismisses_it_and_another_asks_again(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("return a + b\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.wait_for_ghost("urn a + b")
        emacs.quit()
        emacs.wait_for_ghost("")
        emacs.keys("C-c", "\\", "\\")
        emacs.wait_for_ghost("urn a + b")


def test_the_local_model_needs_no_server(local_workspace: Workspace) -> None:
    local_workspace.write("shapes.py", "def area(width, height):\n    return width * height\n" * 4 + "\n")
    with Emacs(local_workspace, "shapes.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("M->")
        emacs.type("def area(wi")
        emacs.wait_for(lambda: emacs.ghost.startswith("dth, height)"))
        emacs.keys("C-e")
        emacs.wait_for(lambda: "def area(width, height):|" in emacs.text)
