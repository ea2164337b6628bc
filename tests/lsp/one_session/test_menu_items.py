"""Menu items in the shape that each editor inserts right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol.types import CompletionItem, InlineCompletionOptions, InsertTextFormat, InsertTextMode

from tests.support.editor import Editor
from tests.support.profiles import MENU_ONLY, VS_CODE, recorded
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

EDITORS: dict[str, Mapping[str, Any]] = {
    "Neovim": recorded("nvim"),
    "Helix": recorded("helix"),
    "eglot": recorded("eglot"),
    "VS Code": VS_CODE,
    "another": MENU_ONLY,
}
TRIGGERS = [".", "(", "[", "{", ",", "=", ":", "/", " "]


@pytest.fixture(scope="module", params=EDITORS)
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(
    tmp_path_factory: pytest.TempPathFactory, running_backend: ScriptedTabbyAPI, name: str
) -> AsyncIterator[Editor]:
    async with Editor(
        tmp_path_factory.mktemp("home"),
        EDITORS[name],
        backend=running_backend.url,
        settings={"menu": {"show": "on"}},
    ) as editor:
        yield editor


async def first_item(editor: Editor) -> CompletionItem:
    """Ask until the item is complete: on a busy machine eglot gets none at first, and others its first lines."""

    async def whole() -> list[CompletionItem]:
        menu = await editor.menu()
        return [] if menu.is_incomplete else list(menu.items)

    (item,) = await eventually(whole)
    return item


async def test_what_is_advertised(editor: Editor, name: str) -> None:
    """Ghost text always, whatever the client says of itself: some say it in ways that get lost."""
    assert editor.capabilities.inline_completion_provider == InlineCompletionOptions(work_done_progress=False)
    menu = editor.capabilities.completion_provider
    if name == "VS Code":
        assert menu is None, "it is registered, and so can be taken back"
        await eventually(lambda: editor.registrations)
        assert [one.method for one in editor.registrations] == ["textDocument/completion"]
    else:
        assert menu is not None
        assert list(menu.trigger_characters or ()) == TRIGGERS
        assert not menu.resolve_provider
        assert editor.registrations == []
    encoding = {"eglot": "utf-32", "VS Code": "utf-16"}.get(name, "utf-8")
    assert editor.capabilities.position_encoding == encoding


async def test_taking_it_leaves_the_buffer_as_promised(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    block = """result = 0
        for item in items:
            result += price(f"${item:>{width}}\\\\")  # ${1:x}

        return result"""
    backend.reply(f"{block}\n\n    def other(self):\n")
    before = "class Order:\n    # 😀\n    def total(self, items):\n        |\n"
    editor.open(before)
    item = await first_item(editor)
    editor.accept(item)
    assert editor.shown == before.replace("|", f"{block}|")


async def test_an_item_for_the_rest_of_a_word_has_the_whole_word(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("lt, count)\n")
    editor.open("😀 = show(größe_resu|)\n")
    item = await first_item(editor)
    assert item.label == item.filter_text == "größe_result, count)"
    assert item.text_edit.new_text == "größe_result, count)"
    assert item.sort_text == "0"
    assert item.preselect
    assert item.insert_text_format is InsertTextFormat.PlainText
    editor.accept(item)
    assert editor.shown == "😀 = show(größe_result, count)|\n"


async def test_several_lines_have_the_shape_that_the_editor_inserts_right(
    editor: Editor, backend: ScriptedTabbyAPI, name: str
) -> None:
    backend.reply("a = 1\n    b = ${2}\n")
    editor.open("def f():\n    |\n")
    item = await first_item(editor)
    assert item.label == "a = 1 …"
    if name == "Neovim":
        assert item.insert_text_format is InsertTextFormat.Snippet
        assert item.text_edit.new_text == "a = 1\nb = \\${2\\}"
    else:
        assert item.insert_text_format is InsertTextFormat.PlainText
        assert item.text_edit.new_text == "a = 1\n    b = ${2}"
    assert item.insert_text_mode is (InsertTextMode.AsIs if name == "VS Code" else None)


async def test_crlf_documents_stay_so(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("    a = 1\n    b = 2\n")
    editor.open("def f():\r\n|\r\n")
    item = await first_item(editor)
    editor.accept(item)
    assert editor.shown == "def f():\r\n    a = 1\r\n    b = 2|\r\n"
