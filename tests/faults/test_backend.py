"""A backend that misbehaves in every way we could think of: no hang, no unhandled error, one message, and recovery.

The fixtures hold each test to that; what is in here is what is done to the server, and what is special about it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.editor import Editor
from tests.support.replay import RECORDINGS
from tests.support.tabbyapi import ScriptedTabbyAPI

pytestmark = pytest.mark.asyncio(loop_scope="module")

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


def _data(text: str, **more: Any) -> bytes:
    choice = {"index": 0, "text": text, "finish_reason": None, **more}
    return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\r\n\r\n".encode()


async def _ask(editor: Editor, text: str = "x = |\n") -> list[Any]:
    """Ask by key in a document of its own: a failed backend is left alone otherwise."""
    editor.open(text)
    return await editor.ghost(invoked=True)


async def test_half_an_answer_is_none_wherever_the_connection_closes(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    answer = RECORDINGS["s_basic"].response
    whole = len(answer)
    end = answer.rindex(b'"finish_reason": "')  # before it nothing says that the model had finished
    for cut in range(0, whole, 1 if whole < 400 else whole // 400):
        backend.send(answer[:cut])
        items = await _ask(editor)
        if cut < end:
            assert items == [], f"cut at byte {cut}"
        editor.close()
    assert len(set(editor.messages)) <= 3, "one for each kind of failure, not one for each failure"


async def test_a_stream_cut_inside_a_character_is_no_answer(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    for cut in range(1, 4):
        event = _data("😀")
        backend.send(_HEAD, event[: event.index("😀".encode()) + cut])
        assert await _ask(editor) == []


async def test_an_answer_that_drips_byte_by_byte_is_read_whole(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    answer = _HEAD + _data("é = 😀") + _data("", finish_reason="stop") + b"data: [DONE]\r\n\r\n"
    backend.send(*(bytes([byte]) for byte in answer), pause=0.001)
    (item,) = await _ask(editor, "|\n")
    assert item.insert_text == "é = 😀"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 500, 502, 503, 504])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "Bad Gateway",
        "<html><body><h1>nginx</h1></body></html>",
        {"detail": "it says why"},
        {"detail": [{"type": "missing", "loc": ["body", "prompt"], "msg": "Field required", "input": "x"}]},
        {"error": {"message": "it says why", "type": "server_error", "param": None, "code": None}},
        {"error": "it says why"},
        {"error": None},
        {"message": "it says why", "object": "error"},
        [],
        7,
        None,
    ],
)
async def test_every_status_with_every_body_is_one_short_message(
    editor: Editor, backend: ScriptedTabbyAPI, status: int, body: Any
) -> None:
    backend.fail(status, body)
    assert await _ask(editor) == []
    assert len(editor.messages) <= 1
    assert all("\n" not in message and len(message) < 400 for message in editor.messages)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"\x00\xff\xfe garbage\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\n",),
        (b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nx",),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\nnot a size\r\n",),
        (_HEAD, b"data: not json\r\n\r\n"),
        (_HEAD, b"data: []\r\n\r\n"),
        (_HEAD, b'data: {"choices": []}\r\n\r\n'),
        (_HEAD, b'data: {"choices": [{"text": 5}]}\r\n\r\n'),
        (_HEAD, b'data: {"choices": "abc"}\r\n\r\n'),
        (_HEAD, b"data: " + b"[" * 100_000 + b"\r\n\r\n"),
        (_HEAD, b"event: x\r\nid: 7\r\nretry: 5\r\n\r\n"),
        (_HEAD, b"\xff\xfe" * 5000),
        (b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 4\r\n\r\n\x89PNG",),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",),
    ],
)
async def test_what_is_no_answer_is_told_once(
    editor: Editor, backend: ScriptedTabbyAPI, pieces: tuple[bytes, ...]
) -> None:
    backend.send(*pieces)
    assert await _ask(editor) == []
    assert len(editor.messages) <= 1


async def test_an_answer_without_an_end_is_ended(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    for piece in ("x", "x = 1\n", "é😀", " ", "\n", "\t", "(", '"'):
        backend.reply_endlessly(piece, delay_between=0)
        await _ask(editor, "def f():\n    |\n")
        editor.close()


async def test_a_line_without_an_end_is_given_up(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.send(_HEAD, *([b"data: " + b"x" * 100_000] + [b"x" * 100_000] * 200))
    assert await _ask(editor) == []


async def test_of_huge_pieces_no_megabytes_are_suggested(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.send(_HEAD, _data("y" * 2_000_000), _data("", finish_reason="stop"))
    items = await _ask(editor)
    assert all(len(item.insert_text) < 100_000 for item in items), "nobody wants megabytes on one line"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_to_another_host(
    editor: Editor, backend: ScriptedTabbyAPI, status: int
) -> None:
    with ScriptedTabbyAPI() as elsewhere:
        location = f"location: {elsewhere.url}/v1/completions".encode()
        backend.send(b"HTTP/1.1 %d Moved\r\n%b\r\ncontent-length: 0\r\n\r\n" % (status, location))
        assert await _ask(editor) == []
        assert elsewhere.requests == []


@pytest.mark.parametrize("ending", ["pings", "hang", "hang before headers", "error", "cut"])
@pytest.mark.parametrize("after", [0, 2])
async def test_every_way_to_end_too_soon_is_no_answer(
    editor: Editor, backend: ScriptedTabbyAPI, ending: Any, after: int
) -> None:
    backend.reply("abc = 1", ending=ending, after=after)
    assert await _ask(editor) == []
    assert len(editor.messages) <= 1


@pytest.mark.parametrize(
    "hostile",
    [
        "x\x1b]0;owned\x07",
        "a\u202eb",
        "nul\x00l",
        "\x1b[2J",
        "bell\x07",
        "c1\x9b31m",
        "\u2066isolate\u2069",
        "\ufeffbom",
        "${1:snippet} $0 \\",
    ],
)
async def test_hostile_text_never_reaches_the_buffer(
    editor: Editor, backend: ScriptedTabbyAPI, hostile: str
) -> None:
    backend.reply([f"v = {hostile}", "\n"])
    for item in await _ask(editor, "|\n"):
        assert not [c for c in item.insert_text if c < " " and c not in "\t\n"]
        assert not {*item.insert_text} & {*"\u202e\u2066\u2069\x7f\x9b\ufeff"}


async def test_suggestions_go_on_with_another_model_after_each_answer(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    for model in ("starcoder2-3b", "codegemma-2b", "nobody-knows-this", "Qwen2.5-Coder-1.5B-exl3"):
        backend.fail(503, {"detail": "No models are currently loaded."})
        await _ask(editor)
        backend.model = model
        backend.reply("1\n")
        assert await _ask(editor), model
