"""Ghost text: what is offered at a cursor (`|`), and the buffer after taking it."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from tests.support.editor import Editor
from tests.support.profiles import GHOST_TEXT, with_encoding
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def whole(editor: Editor) -> types.InlineCompletionItem | None:
    """The suggestion, None if more of it is to come: on a busy machine the first lines of a block may come alone."""
    (item,) = await editor.ghost()
    assert item.command is not None
    (argument,) = item.command.arguments or ()
    return None if argument.get("more") else item


@pytest.mark.parametrize(
    ("before", "answer", "after"),
    [
        pytest.param(
            "def add(a, b):\n    return |\n",
            "a + b\n\n\ndef sub(a, b):\n",
            "def add(a, b):\n    return a + b|\n",
            id="the rest of a line, and no more",
        ),
        pytest.param(
            "def total(items):\n|",
            "    result = 0\n    for item in items:\n        result += item\n    return result\n\n\ndef x():\n",
            "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result|",
            id="a block where one begins, to its end",
        ),
        pytest.param("print(a, |)\n", "b)\n", "print(a, b|)\n", id="a bracket the editor had closed already"),
        pytest.param("print(|)\n", "len(items)", "print(len(items)|)\n", id="a bracket that is still needed"),
        pytest.param("x = ['|']\n", "a', 'b']\n", "x = ['a', 'b|']\n", id="a quote and a bracket"),
        pytest.param(
            "x = 1\r\nif x:\r\n|",
            "    y = 2\n    z = 3\n",
            "x = 1\r\nif x:\r\n    y = 2\r\n    z = 3|",
            id="CRLF",
        ),
        pytest.param(
            "x = 1\rif x:\r|", "    y = 2\n    z = 3\n", "x = 1\rif x:\r    y = 2\r    z = 3|", id="CR"
        ),
        pytest.param("if x:\n\t|\n", "y = 2\n\tz = 3\n", "if x:\n\ty = 2\n\tz = 3|\n", id="tabs"),
        pytest.param("|", "import os\nimport sys\n", "import os|", id="an empty document"),
    ],
)
async def test_taking_it_leaves_the_buffer_as_promised(
    editor: Editor, backend: ScriptedTabbyAPI, before: str, answer: str, after: str
) -> None:
    backend.reply(answer)
    editor.open(before)
    editor.accept(await eventually(lambda: whole(editor)))
    assert editor.shown == after


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_positions_are_right_after_any_character(
    tmp_path: Path, backend: ScriptedTabbyAPI, encoding: str
) -> None:
    backend.reply("a + b)")
    async with Editor(tmp_path, with_encoding(GHOST_TEXT, encoding), backend=backend.url) as editor:
        assert editor.capabilities.position_encoding == encoding
        editor.open("page = '\f'\n'😀é\u2028\v\x85' + str(|)\nend = 1\n")
        (item,) = await editor.ghost()
        assert (
            backend.completions[-1].body["prompt"].count("'😀é\u2028\v\x85' + str(<|fim_suffix|>)\nend") == 1
        )
        editor.accept(item)
        assert editor.shown == "page = '\f'\n'😀é\u2028\v\x85' + str(a + b|)\nend = 1\n"
        editor.type("😀\u2028")
        editor.backspace()
        editor.type(" + 𝒳 + ")
        await editor.ghost()
        assert "str(a + b😀 + 𝒳 + <|fim_suffix|>)\nend" in backend.completions[-1].body["prompt"]


@pytest.mark.parametrize("answer", ["", "\n", "   \n\n", "<|endoftext|>", "print(1)\n"])
async def test_nothing_to_say_is_an_empty_list(
    editor: Editor, backend: ScriptedTabbyAPI, answer: str
) -> None:
    backend.reply([answer])
    editor.open("x = 1\n|\nprint(1)\n")
    assert await editor.ghost() == []


async def test_no_special_token_reaches_the_buffer(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply(["a +", " b<|fim", "_pad|>", "c"])
    editor.open("x = |\n")
    (item,) = await editor.ghost()
    assert item.insert_text == "a + b"


async def test_special_tokens_in_the_users_text_are_no_tokens_in_the_prompt(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("1")
    editor.open("# <|fim_middle|> <|fim_suffix|> <|fim_prefix|> <|endoftext|>\nx = ^\n", cursor="^")
    await editor.ghost()
    prompt = backend.completions[0].body["prompt"]
    for token in ("<|fim_middle|>", "<|fim_suffix|>", "<|fim_prefix|>"):
        assert prompt.count(token) == 1
    assert "<|endoftext|>" not in prompt


async def test_asking_by_key_gives_more_than_a_line(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("1\ny = 2\nz = 3\n")
    editor.open("x = |")
    assert [item.insert_text for item in await editor.ghost()] == ["1"]
    assert [item.insert_text for item in await editor.ghost(invoked=True)] == ["1\ny = 2\nz = 3", "1"]


async def test_ghost_text_goes_on_from_the_menu_item_that_is_selected(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("(items)\n")
    editor.open("n = le|\n")
    line = types.Range(types.Position(0, 4), types.Position(0, 6))
    (item,) = await editor.ghost(selected=types.SelectedCompletionInfo(line, "length"))
    assert "n = length<|fim_suffix|>" in backend.completions[0].body["prompt"]
    assert item.insert_text == "length(items)"
    assert item.range == line
    editor.accept(item)
    assert editor.shown == "n = length(items)|\n"


async def test_it_has_the_range_of_a_selected_item_that_replaces_what_is_behind(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("(items)\n")
    editor.open("n = le|ft\n")
    line = types.Range(types.Position(0, 4), types.Position(0, 8))
    (item,) = (await editor.ask_ghost(selected=types.SelectedCompletionInfo(line, "length"))).items
    assert (item.insert_text, item.range) == ("length(items)", line)


# --- which documents ---


@pytest.mark.parametrize(
    "uri",
    [
        "file:///home/user/.env",
        "file:///home/user/.env.local",
        "file:///home/user/%2Eenv",
        "file:///c%3A/Users/user/.ssh/id_ed25519",
        "file:///home/user/server.pem",
    ],
)
async def test_files_with_secrets_are_never_sent(editor: Editor, backend: ScriptedTabbyAPI, uri: str) -> None:
    editor.open("API_TOKEN = |\n", uri=uri)
    assert await editor.ghost() == []
    assert await editor.ghost(invoked=True) == []
    assert backend.completions == []


async def test_a_document_that_is_not_open_has_no_ghost_text(
    editor: Editor, backend: ScriptedTabbyAPI, tmp_path: Path
) -> None:
    (tmp_path / "on_disk.py").write_text("x = \n")
    editor.show("x = |\n", "python", (tmp_path / "on_disk.py").as_uri())
    assert await editor.ghost() == []
    editor.open("x = |\n")
    editor.close()
    assert await editor.ghost() == []
    assert backend.completions == []


@pytest.mark.parametrize(
    "uri", ["untitled:Untitled-1", "file:///c%3A/work/a%20b.py", "vscode-vfs://github/o/r/a.py", "x"]
)
async def test_documents_need_not_be_files(editor: Editor, backend: ScriptedTabbyAPI, uri: str) -> None:
    backend.reply("1")
    editor.open("x = |\n", uri=uri)
    (item,) = await editor.ghost()
    assert item.insert_text == "1"


async def test_a_notebooks_cell_sees_the_cells_around_it(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("range(rows)\n")
    cells = [("cell-1", "rows = 3"), ("cell-2", "for row in "), ("cell-3", "print(row)")]
    editor.client.notebook_document_did_open(
        types.DidOpenNotebookDocumentParams(
            types.NotebookDocument(
                "file:///home/user/n.ipynb",
                "jupyter-notebook",
                1,
                [
                    types.NotebookCell(types.NotebookCellKind.Code, f"vscode-notebook-cell:n#{c}")
                    for c, _ in cells
                ],
            ),
            [types.TextDocumentItem(f"vscode-notebook-cell:n#{c}", "python", 1, text) for c, text in cells],
        )
    )
    editor.show("for row in |", "python", "vscode-notebook-cell:n#cell-2")
    (item,) = await editor.ghost()
    assert item.insert_text == "range(rows)"
    assert "rows = 3\nfor row in <|fim_suffix|>\nprint(row)" in backend.completions[0].body["prompt"]


async def test_an_edited_cell_is_completed_as_it_is_now(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("range(rows)\n")
    cell = "vscode-notebook-cell:n#1"
    notebook = "file:///home/user/n.ipynb"
    editor.client.notebook_document_did_open(
        types.DidOpenNotebookDocumentParams(
            types.NotebookDocument(
                notebook, "jupyter-notebook", 1, [types.NotebookCell(types.NotebookCellKind.Code, cell)]
            ),
            [types.TextDocumentItem(cell, "python", 1, "for row i")],
        )
    )
    at_end = types.Range(types.Position(0, 9), types.Position(0, 9))
    editor.client.notebook_document_did_change(
        types.DidChangeNotebookDocumentParams(
            types.VersionedNotebookDocumentIdentifier(2, notebook),
            types.NotebookDocumentChangeEvent(
                cells=types.NotebookDocumentCellChanges(
                    text_content=[
                        types.NotebookDocumentCellContentChanges(
                            types.VersionedTextDocumentIdentifier(2, cell),
                            [types.TextDocumentContentChangePartial(range=at_end, text="n ")],
                        )
                    ]
                )
            ),
        )
    )
    editor.show("for row in |", "python", cell)
    (item,) = await editor.ghost()
    assert item.insert_text == "range(rows)"


async def test_each_of_several_folders_has_suggestions(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    backend.reply("1")
    folders = [{"uri": f"file:///home/user/{name}", "name": name} for name in ("one", "two")]
    profile = {**GHOST_TEXT, "rootUri": None, "workspaceFolders": folders}
    async with Editor(tmp_path, profile, backend=backend.url) as editor:
        for folder in folders:
            editor.open("x = |\n", uri=f"{folder['uri']}/a.py")
            (item,) = await editor.ghost()
            assert item.insert_text == "1"


async def test_documents_are_kept_apart(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply(lambda prompt: "first\n" if "in_first" in prompt else "second\n")
    one = editor.open("in_first = |\n", uri="file:///home/user/one.py")
    two = editor.open("in_second = |\n", uri="file:///home/user/two.py")
    editor.switch(one)
    asked_in_one = editor.ask_ghost()
    editor.switch(two)
    asked_in_two = editor.ask_ghost()
    assert (await asked_in_one).items[0].insert_text == "first"
    assert (await asked_in_two).items[0].insert_text == "second"
