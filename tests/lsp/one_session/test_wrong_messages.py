"""What a client may get wrong: it is refused, and the session goes on."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams, JsonRpcMethodNotFound

from tests.support.editor import Editor
from tests.support.tabbyapi import ScriptedTabbyAPI

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = {"textDocument": {"uri": "x"}, "position": {"line": 0, "character": 0}}


@pytest.mark.parametrize("method", ["textDocument/inlineCompletion", "textDocument/completion"])
@pytest.mark.parametrize(
    "params",
    [None, {}, [], {"textDocument": {"uri": 1}}, {"textDocument": {"uri": "x"}, "position": {"line": "a"}}],
)
async def test_wrong_params_are_refused_and_harmless(editor: Editor, method: str, params: Any) -> None:
    with pytest.raises(JsonRpcInvalidParams):
        await editor.request(method, params)
    assert await editor.request("textDocument/completion", GOOD) is not None


async def test_an_unknown_method_is_refused_and_the_user_not_told(editor: Editor) -> None:
    with pytest.raises(JsonRpcMethodNotFound):
        await editor.request("textDocument/hover", GOOD)
    assert editor.messages == []


@pytest.mark.parametrize("line", [0, 7, 2**31 - 1])
async def test_positions_that_are_nowhere_count_as_the_end(
    editor: Editor, backend: ScriptedTabbyAPI, line: int
) -> None:
    backend.reply("1\n")
    editor.open("x = |")
    result = await editor.request(
        "textDocument/inlineCompletion",
        {
            "textDocument": {"uri": editor.buffer.uri},
            "position": {"line": line, "character": 2**31 - 1},
            "context": {"triggerKind": 2},
        },
    )
    (item,) = result.items
    assert item.range == types.Range(types.Position(0, 4), types.Position(0, 4))


async def test_notifications_about_documents_that_are_not_open_do_no_harm(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    editor.show("x = |", "python", "file:///home/user/never_opened.py")
    editor.type("1")
    editor.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier("y")))
    editor.close()
    editor.close()
    backend.reply("1\n")
    editor.open("x = |\n")
    assert await editor.ghost()
    assert editor.stderr.count("ERROR") == 0
    assert editor.messages == []
