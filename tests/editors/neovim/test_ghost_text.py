"""The plugin's ghost text, as a person sees and takes it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.editors.neovim.conftest import Start
from tests.editors.scripts import going_on_to
from tests.editors.workspace import Workspace
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import wait_and_see

BLOCK = "total = 0\n    for item in items:\n        total += item\n    return total"
BLOCK_LINES = BLOCK.split("\n")


def test_typing_along_keeps_it_and_asks_nobody(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("a + b\n")
    nvim = start(workspace, "sum.py", "def add(a, b):\n    ")
    nvim.insert_at_end("return ")
    nvim.wait_for_ghost("a + b")
    asked = len(backend.completions)
    for typed, rest in (("a", " + b"), (" ", "+ b"), ("+", " b")):
        nvim.type(typed)
        nvim.wait_for_ghost(rest)
        assert "return a + b" in nvim.terminal.screen
    # What comes behind all of it may be asked for ahead.
    prompts = [request.body["prompt"] for request in backend.completions[asked:]]
    assert [prompt for prompt in prompts if "return a + b<|fim_suffix|>" not in prompt] == []


def test_ghost_text_never_flickers_while_it_is_typed(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha + beta + gamma + delta\n")
    nvim = start(workspace, "sum.py", "x = ")
    nvim.insert_at_end()
    nvim.wait_for_ghost("alpha + beta + gamma + delta")
    for letter in "alpha + beta + gam":
        nvim.type(letter)
        for _ in range(3):
            assert nvim.terminal.screen.startswith("x = alpha + beta + gamma + delta")


def test_typing_otherwise_replaces_it_and_the_backend_sees_the_cancel(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("a + b\n")
    nvim = start(workspace, "sum.py", "def add(a, b):\n    ")
    nvim.insert_at_end("return ")
    nvim.wait_for_ghost("a + b")
    backend.reply(["z", "ip", "(a, b)"], delay_between=30, times=1)
    nvim.type("x")
    nvim.wait_for_ghost()  # at once, not when there is something new
    nvim.wait_for(lambda: backend.open_streams == 1)
    backend.reply("zip(a, b)\n")
    nvim.type("y ")
    nvim.wait_for(lambda: "closed by client" in [request.ended for request in backend.completions])
    nvim.wait_for_ghost("zip(a, b)")


def test_a_request_is_cancelled_when_nobody_waits_for_it_any_more(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha\n", delay_before_first=60)
    nvim = start(workspace, "x.py", "x = ")
    nvim.insert_at_end()
    nvim.wait_for(lambda: backend.open_streams == 1)
    (asked,) = [
        said for by, said in workspace.messages if said.get("method") == "textDocument/inlineCompletion"
    ]
    nvim.keys("Escape")
    nvim.wait_for(lambda: {"id": asked["id"]} in workspace.sent("$/cancelRequest"))
    nvim.wait_for(lambda: backend.completions[-1].ended == "closed by client")
    (answer,) = workspace.answers("textDocument/inlineCompletion")
    assert answer["error"]["code"] == -32800


@pytest.mark.parametrize(
    ("before", "typed", "answer", "after"),
    [
        pytest.param("def f(items):\n    ", "", BLOCK + "\n", f"def f(items):\n    {BLOCK}\n", id="several lines"),
        pytest.param("x = compute()\n", "$i", "alpha, beta)", "x = compute(alpha, beta)\n", id="bracket"),
        pytest.param("func f() {\n\t", "", "a := 1\n\treturn a\n}\n", "func f() {\n\ta := 1\n\treturn a\n}\n", id="tabs"),
        pytest.param("a = 1\r\ndef f():\r\n    ", "", "b = 2\n    return b\n", "a = 1\r\ndef f():\r\n    b = 2\r\n    return b\r\n", id="CRLF"),
        pytest.param("s = '😀é漢'; t = ", "", "s + '🎉'\n", "s = '😀é漢'; t = s + '🎉'\n", id="emoji"),
        pytest.param("x = [1, 2] # 😀\n", "f1i", "0, ", "x = [0, 1, 2] # 😀\n", id="within a line"),
    ],
)  # fmt: skip
def test_accepting_leaves_exactly_what_was_shown(
    start: Start,
    workspace: Workspace,
    backend: ScriptedTabbyAPI,
    before: str,
    typed: str,
    answer: str,
    after: str,
) -> None:
    backend.reply(answer)
    name = "code.go" if "func" in before else "code.py"
    nvim = start(workspace, name, before)
    if typed:
        nvim.type(typed)
    else:
        nvim.insert_at_end()
    nvim.wait_for(lambda: nvim.ghost is not None)
    nvim.keys("Tab", "Escape")
    nvim.type(":write\r")
    expected = after if after.endswith("\n") else after + "\n"
    nvim.wait_for(lambda: workspace.read(name) == expected)


def test_several_lines_are_shown_below_and_the_rest_of_the_line_with_them(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("\n    alpha,\n    beta,\n)")
    nvim = start(workspace, "call.py", "x = compute()\n")
    nvim.type("f)i")
    nvim.wait_for(lambda: nvim.ghost is not None)
    screen = [line.rstrip() for line in nvim.terminal.screen.split("\n")[:4]]
    assert screen == ["x = compute(", "    alpha,", "    beta,", ")"]
    nvim.keys("Tab")
    nvim.wait_for(lambda: nvim.lines == screen)
    assert nvim.cursor == (4, 1)


def test_tabs_are_as_wide_as_they_will_be(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("a := 1 //\tone\n\tb := 2\n\t\tc := 3\n}\n")
    nvim = start(workspace, "code.go", "func f() {\n\t")
    nvim.run("set tabstop=3 vartabstop=3,20,7")
    nvim.insert_at_end()
    nvim.wait_for_ghost("a := 1 //           one", "   b := 2", "                       c := 3", "}")
    nvim.wait_for(lambda: nvim.terminal.screen.split("\n")[4].rstrip() == "}")
    shown = nvim.terminal.screen.split("\n")[:5]
    nvim.keys("Tab", "Escape")
    nvim.wait_for_ghost()
    nvim.wait_for(lambda: nvim.terminal.screen.split("\n")[:5] == shown)


def test_at_the_end_of_a_file_there_is_room_for_all_of_it(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply(BLOCK + "\n")
    nvim = start(workspace, "f.py", "x = 1\n" * 100 + "def f(items):\n    ")
    nvim.insert_at_end()
    nvim.wait_for_ghost(*BLOCK_LINES)
    nvim.terminal.wait_for_text(BLOCK_LINES[-1])
    assert "def f(items):" in nvim.terminal.screen


def test_the_rest_of_a_long_suggestion_comes_as_it_is_written(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply(f"{BLOCK}\n", delay_between=0.06)
    nvim = start(workspace, "total.py", "def total(items):\n    ")
    nvim.insert_at_end()
    nvim.wait_for_ghost(*BLOCK_LINES)
    answers = [answer.get("result") for answer in workspace.answers("textDocument/inlineCompletion")]
    items = [item for answer in answers if answer for item in answer["items"]]
    assert any(item["command"]["arguments"][0].get("more") for item in items)
    assert len(backend.completions) == 1


def test_word_by_word_and_line_by_line(start: Start, workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    backend.reply(BLOCK + "\n")
    nvim = start(workspace, "f.py", "def f(items):\n    ")
    nvim.insert_at_end()
    nvim.wait_for_ghost(*BLOCK_LINES)
    asked = len(backend.completions)
    for taken, rest in (("total", " = 0"), ("total =", " 0")):
        nvim.keys("M-Right")
        nvim.wait_for(lambda: nvim.lines[1] == f"    {taken}")  # noqa: B023
        nvim.wait_for_ghost(rest, *BLOCK_LINES[1:])
    nvim.keys("M-C-Right")
    nvim.wait_for(lambda: nvim.lines[1] == "    total = 0")
    nvim.keys("M-C-Right")
    nvim.wait_for(lambda: nvim.lines[2:] == ["    for item in items:"])
    nvim.wait_for_ghost("", *BLOCK_LINES[2:])
    nvim.keys("Tab")
    nvim.wait_for(lambda: nvim.lines == ["def f(items):", f"    {BLOCK_LINES[0]}", *BLOCK_LINES[1:]])
    nvim.wait_for(lambda: len(_commands(workspace)) == 5)
    said = _commands(workspace)
    assert [name for name, _ in said] == ["tabby-ls.partiallyAccepted"] * 4 + ["tabby-ls.accepted"]
    lengths = [argument["length"] for _, argument in said[:4]]
    assert lengths[0] == len("total")
    assert all(0 < length < len(BLOCK) for length in lengths)
    assert all("error" not in answer for answer in workspace.answers("workspace/executeCommand"))
    assert [r.body["prompt"] for r in backend.completions[asked:] if "total" not in r.body["prompt"]] == []


def _commands(workspace: Workspace) -> list[tuple[str, dict[str, Any]]]:
    return [(sent["command"], sent["arguments"][0]) for sent in workspace.sent("workspace/executeCommand")]


def test_alternatives_are_asked_for_by_key(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    answers = iter(["alpha\n", "beta\n", "gamma\n", *["delta\n"] * 20])
    backend.reply(lambda _: next(answers))
    nvim = start(workspace, "x.py", "")
    nvim.insert_at_end("x = ")
    nvim.wait_for_ghost("alpha")
    nvim.keys("M-]")
    nvim.wait_for(
        lambda: any(s["context"]["triggerKind"] == 1 for s in workspace.sent("textDocument/inlineCompletion"))
    )
    nvim.wait_for(lambda: nvim.ghost is not None and "(2/" in nvim.ghost[0])
    assert nvim.ghost is not None
    second = nvim.ghost[0].partition(" ")[0]
    assert second != "alpha"
    nvim.keys("M-[")
    nvim.wait_for(lambda: nvim.ghost is not None and nvim.ghost[0].startswith("alpha (1/"))
    nvim.keys("M-]")
    nvim.wait_for(lambda: nvim.ghost is not None and nvim.ghost[0].startswith(f"{second} (2/"))
    nvim.type(second[:2])
    nvim.wait_for_ghost(second[2:])
    nvim.keys("Tab")
    nvim.wait_for(lambda: nvim.lines == [f"x = {second}"])


def test_undo_takes_back_the_suggestion_alone(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply(lambda prompt: BLOCK + "\n" if "def g(items):" in prompt else "\n")
    nvim = start(workspace, "f.py", "")
    nvim.insert_at_end("def g(items):")
    nvim.keys("Enter")
    nvim.wait_for_ghost(*BLOCK_LINES)
    nvim.keys("Tab")
    nvim.wait_for(lambda: len(nvim.lines) == 5)
    nvim.type("!")
    nvim.keys("Escape")
    nvim.type("u")
    nvim.wait_for(lambda: nvim.lines[-1] == "    return total")
    nvim.type("u")
    nvim.wait_for(lambda: nvim.lines == ["def g(items):", "    "])


def test_what_was_taken_is_repeated_with_what_was_typed(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI, version: str
) -> None:
    backend.reply(going_on_to("alpha + beta\n", "with beta:\n    gamma()\n    delta()\n"))
    text = ["a", "b", "c"]
    nvim = start(workspace, "x.py", "\n".join(text))

    def accepted(keys: str, suggested: str, *after: str) -> list[str]:
        nvim.type(keys)
        nvim.wait_for(lambda: (nvim.ghost or [""])[0] == suggested)
        nvim.keys("Tab")
        nvim.wait_for_ghost()
        nvim.keys(*after, "Escape", ".")
        nvim.type(":let g:repeated = 1\r")
        nvim.wait_for(lambda: nvim.lua("return vim.g.repeated") == 1)
        lines = nvim.lines
        nvim.type(":unlet g:repeated | edit!\r")
        nvim.wait_for(lambda: nvim.lines == text)
        return lines

    assert accepted("ggA = al", "pha + beta", "!", "Escape", "j") == [
        "a = alpha + beta!",
        "b = alpha + beta!",
        "c",
    ]
    twice = " = alpha + beta = alpha + beta"
    assert accepted("gg2A = al", "pha + beta", "Escape", "j") == [f"a{twice}", f"b{twice}", "c"]
    block = ["with beta:", "    gamma()", "    delta()"]
    lines = accepted("ggowith", " beta:", "Escape", "g", "g")
    if version == "0.10":  # which indents again what it repeats
        assert [line.strip() for line in lines] == ["a", *2 * ["with beta:", "gamma()", "delta()"], "b", "c"]
    else:
        assert lines == ["a", *block, *block, "b", "c"]


def test_dismissed_it_is_gone_until_the_next_key(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha beta\n")
    nvim = start(workspace, "x.py", "x = ")
    nvim.insert_at_end()
    nvim.wait_for_ghost("alpha beta")
    nvim.keys("C-]")
    nvim.wait_for_ghost()
    wait_and_see(lambda: nvim.ghost is None)
    nvim.type("a")
    nvim.wait_for_ghost("lpha beta")
    nvim.keys("Escape")
    nvim.wait_for_ghost()
    assert nvim.lines == ["x = a"]


def test_only_by_key_if_the_user_wants_that(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.py", "", init="require('tabby_ls').setup { auto = false, keymaps = true }")
    nvim.insert_at_end("x = ")
    wait_and_see(lambda: workspace.sent("textDocument/inlineCompletion") == [])
    nvim.keys("M-\\")
    nvim.wait_for(lambda: (nvim.ghost or [""])[0].startswith("alpha"))
    (asked,) = workspace.sent("textDocument/inlineCompletion")
    assert asked["context"]["triggerKind"] == 1


def test_keys_do_what_they_did_before_where_nothing_is_suggested(start: Start, workspace: Workspace) -> None:
    init = """
    vim.keymap.set('i', '<C-]>', 'from before')
    vim.keymap.set('i', '<M-Right>', function() return 'by ' .. 'expression' end, { expr = true })
    require('tabby_ls').setup { keymaps = true, auto = false }
    """
    nvim = start(workspace, "x.txt", "", init=init)
    nvim.insert_at_end("a")
    nvim.keys("Tab")
    nvim.type("b ")
    nvim.keys("C-]")
    nvim.type(" ")
    nvim.keys("M-Right")
    nvim.type(".")
    nvim.wait_for(lambda: nvim.lines == ["a\tb from before by expression."])


def test_what_a_key_did_before_is_found_again_as_it_was(start: Start, workspace: Workspace) -> None:
    workspace.write(
        "maps.vim",
        "function s:Again()\nreturn 'again'\nendfunction\n"
        "inoremap <expr> <C-]> <SID>Again()\n"
        "imap <buffer> <C-l> only here\n",
    )
    init = """
    vim.cmd.source('maps.vim')
    for _ = 1, 2 do
      require('tabby_ls').setup { keymaps = { dismiss = '<C-]>', accept = '<C-l>', next = '<M-]>' }, auto = false }
    end
    """
    nvim = start(workspace, "x.txt", "", init=init)
    nvim.type(":enew\r")
    nvim.insert_at_end("a")
    nvim.keys("C-]", "C-l", "M-]")
    nvim.type("b")
    nvim.wait_for(lambda: nvim.lines == ["aagain\x0cb"])


def test_a_menu_with_a_selected_entry_comes_first(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply(lambda prompt: "ular\n")
    nvim = start(
        workspace,
        "x.txt",
        "tabula\ntabulate\ntabulation\n",
        init="vim.o.completeopt = 'menuone,noselect'\nrequire('tabby_ls').setup { keymaps = true }",
    )
    nvim.type("otab")
    nvim.wait_for_ghost("ular")
    nvim.keys("C-n")
    nvim.wait_for(lambda: nvim.lua("return vim.fn.pumvisible()") == 1)
    nvim.keys("C-n")
    nvim.wait_for(lambda: nvim.lua("return vim.fn.complete_info({'selected'}).selected") == 0)
    nvim.wait_for_ghost()
    nvim.keys("C-e")
    nvim.wait_for_ghost("ular")
    assert nvim.lines[1] == "tab"
    nvim.keys("C-n")  # open, nothing selected: the suggestion can be taken
    nvim.wait_for(lambda: nvim.lua("return vim.fn.pumvisible()") == 1)
    nvim.wait_for_ghost("ular")
    nvim.keys("Tab")
    nvim.wait_for(lambda: nvim.lines[1] == "tabular")
    assert nvim.lua("return vim.fn.pumvisible()") == 0  # a menu that stayed would replace what was taken


def test_macros_do_the_same_each_time(start: Start, workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.txt", "1\n2\n")
    nvim.type("qqA = ")
    nvim.keys("Tab")
    nvim.type("b")
    nvim.keys("Escape")
    nvim.type("jq")
    nvim.type("@q")
    nvim.wait_for(lambda: nvim.lines == ["1 = \tb", "2 = \tb"])
    assert workspace.sent("textDocument/inlineCompletion") == []


def test_nothing_in_replace_mode_nor_after_leaving_the_window(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.py", "x = 1\ny = \n")
    nvim.type("Rz")
    wait_and_see(lambda: nvim.ghost is None)
    nvim.keys("Escape")
    nvim.type(":split\rGA")
    nvim.wait_for_ghost("alpha")
    assert nvim.lua("return #vim.api.nvim_list_wins()") == 2
    nvim.keys("C-o", "C-w", "w")
    nvim.keys("Escape")
    nvim.wait_for_ghost()
    nvim.type("ggA")
    nvim.wait_for_ghost("alpha")
    nvim.keys("Tab")
    nvim.wait_for(lambda: nvim.lines[0].endswith("alpha"))


def test_it_goes_and_comes_with_insert_mode(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.py", "x = ")
    nvim.insert_at_end()
    nvim.wait_for_ghost("alpha")
    nvim.keys("IC")  # replace mode
    nvim.wait_for_ghost()
    nvim.keys("IC")
    nvim.wait_for_ghost("alpha")
    nvim.keys("C-o")
    nvim.wait_for_ghost()
    nvim.type(":")
    nvim.keys("Escape")
    nvim.wait_for_ghost("alpha")
    nvim.keys("C-c")
    nvim.wait_for_ghost()
    assert nvim.mode == "n"


def test_nothing_where_no_key_could_take_it(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.py", "x = ")
    nvim.run("set paste")
    nvim.insert_at_end("y + ")
    wait_and_see(lambda: workspace.sent("textDocument/inlineCompletion") == [])
    nvim.run("set nopaste")
    nvim.type("z + ")
    nvim.wait_for_ghost("alpha")


def test_a_buffer_can_be_left_alone(start: Start, workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.py", "")
    nvim.lua("vim.b.tabby_ls_enabled = false")
    nvim.insert_at_end("x = ")
    wait_and_see(lambda: workspace.sent("textDocument/inlineCompletion") == [])
    nvim.lua("vim.b.tabby_ls_enabled = true")
    nvim.type("y ")
    nvim.wait_for_ghost("alpha")


def test_nothing_where_no_file_is_written(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("alpha\n")
    nvim = start(workspace, "x.py", "")
    clients = "return #vim.lsp.get_clients({ bufnr = 0 })"
    for command in ("help", "edit .", "new | set filetype=python buftype=nofile"):
        nvim.type(f":{command}\r")
        nvim.wait_for(lambda: nvim.lua("return vim.fn.expand('%')") != "x.py")
        nvim.wait_for(lambda: nvim.lua(clients) == 0)
    nvim.insert_at_end("x = ")
    wait_and_see(lambda: workspace.sent("textDocument/inlineCompletion") == [])


def test_a_bracket_closed_by_the_editor_is_typed_along(
    start: Start, workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("(alpha, beta)\n")
    pairs = "vim.keymap.set('i', '(', '()<Left>')\nrequire('tabby_ls').setup { keymaps = true }"
    nvim = start(workspace, "x.py", "x = compute", init=pairs)
    nvim.insert_at_end()
    nvim.wait_for_ghost("(alpha, beta)")
    nvim.type("(")
    nvim.wait_for_ghost("alpha, beta")
    assert nvim.terminal.screen.startswith("x = compute(alpha, beta)")
    nvim.keys("Tab")
    nvim.wait_for(lambda: nvim.lines == ["x = compute(alpha, beta)"])
    assert nvim.cursor == (1, len("x = compute(alpha, beta)"))


def test_the_local_model_suggests_what_the_project_says(start: Start, local_workspace: Workspace) -> None:
    workspace = local_workspace
    workspace.write("shapes.py", _SHAPES)
    nvim = start(
        workspace, "main.py", "from shapes import check\n\n\ndef describe(rectangle):\n    if rectangle.wid"
    )
    nvim.insert_at_end()

    def types_until_it_is_known() -> bool:
        nvim.type("t", pause=0.3)
        nvim.keys("BSpace")
        rests_until = time.monotonic() + 1
        while nvim.ghost is None and time.monotonic() < rests_until:
            time.sleep(0.02)
        return nvim.ghost is not None

    nvim.wait_for(types_until_it_is_known)
    expected = "th <= 0 or rectangle.height <= 0:"
    nvim.wait_for_ghost(expected)
    nvim.keys("Tab")
    nvim.wait_for(lambda: nvim.lines[-1] == f"    if rectangle.wid{expected}")


_SHAPES = """\
def check(rectangle):
    if rectangle.width <= 0 or rectangle.height <= 0:
        raise ValueError("no area")
    return rectangle


def area(rectangle):
    if rectangle.width <= 0 or rectangle.height <= 0:
        raise ValueError("no area")
    return rectangle.width * rectangle.height
"""
