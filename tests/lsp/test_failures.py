"""A backend that fails: typing goes on, the user is told once and in words, and it recovers by itself."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.editor import Editor
from tests.support.ports import free_port
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

KEY = "k3y-that-nobody-may-see"


async def test_a_server_that_is_not_there_is_told_once_and_asked_once_it_is(tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    async with Editor(tmp_path, backend=address) as editor:
        editor.open("x = |\n")
        for key in "abc":
            editor.type(key)
            assert await editor.ghost() == []
        assert await editor.ghost(invoked=True) == []
        assert editor.messages == [f"tabby-ls: the server at {address} cannot be reached; is it running?"]
        with ScriptedTabbyAPI(port=port) as backend:
            backend.reply("de\n")
            (item,) = await eventually(editor.ghost)  # it is left alone for a while
            assert item.insert_text == "de"
            await eventually(lambda: len(editor.messages) == 2)
        assert editor.messages[1] == "tabby-ls: TabbyAPI: Qwen2.5-Coder-1.5B-exl3 answers again"
        assert editor.statuses == [], "it has no place for them"


async def test_each_time_a_server_goes_away_or_comes_back_the_user_is_told(tmp_path: Path) -> None:
    port = free_port()
    async with Editor(tmp_path, backend=f"http://127.0.0.1:{port}") as editor:
        editor.open("x = |\n")
        with ScriptedTabbyAPI(port=port) as backend:
            backend.reply("1\n")
            assert await editor.ghost()
        editor.replace("x = ", "y = ")
        assert await editor.ghost() == []
        assert len(editor.messages) == 1
        with ScriptedTabbyAPI(port=port) as backend:
            backend.reply("2\n")
            (item,) = await eventually(editor.ghost)
            assert item.insert_text == "2"
        editor.replace("y = ", "z = ")
        assert await editor.ghost() == []
        assert len(editor.messages) == 3, "gone, back, and news again after it had recovered"


async def test_the_local_model_stands_in_until_the_server_is_back(tmp_path: Path) -> None:
    port = free_port()
    environment = {"TABBY_LS_LOCAL_FALLBACK": "true"}
    async with Editor(tmp_path, backend=f"http://127.0.0.1:{port}", environment=environment) as editor:
        editor.open("first = read_settings(folder, encoding)\nsecond = read_sett|\n")
        for invoked in (True, False):
            (item,) = await editor.ghost(invoked=invoked)
            assert isinstance(item.insert_text, str)
            assert item.insert_text.startswith("ings(folder")
        (message,) = editor.messages
        assert message.endswith("(meanwhile: local model)")
        with ScriptedTabbyAPI(port=port) as backend:
            backend.reply("ing_of(server)\n")

            async def asks() -> object:
                editor.type("x")
                await editor.ghost()
                editor.backspace()
                return backend.completions

            await eventually(asks)
            await eventually(lambda: len(editor.messages) == 2)


# --- what TabbyAPI says ---


async def test_a_wrong_key_is_told_once_with_where_it_was_found(tmp_path: Path) -> None:
    with ScriptedTabbyAPI(api_key="right") as backend:
        async with Editor(
            tmp_path, backend=backend.url, environment={"TABBY_LS_API_KEY": KEY}, secrets=[KEY]
        ) as editor:
            editor.open("x = |\n")
            for _ in range(3):
                assert await editor.ghost() == []
            (message,) = editor.messages
            assert "refused the API key" in message
            assert "TABBY_LS_API_KEY" in message


async def test_a_server_without_a_model_is_told_and_asked_once_it_has_one(tmp_path: Path) -> None:
    with ScriptedTabbyAPI(model=None) as backend:
        async with Editor(tmp_path, backend=backend.url) as editor:
            editor.open("x = |\n")
            assert await editor.ghost() == []
            (message,) = editor.messages
            assert "has no model loaded" in message
            backend.model = "Qwen2.5-Coder-1.5B-exl3"
            backend.reply("1\n")
            assert await editor.ghost(invoked=True)
            assert "answers again" in editor.messages[1]


async def test_a_model_that_was_exchanged_gets_prompts_of_its_own_kind(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("1\n")
    editor.open("x = |\n")
    await editor.ghost()
    backend.fail(503, {"detail": "No models are currently loaded."})
    editor.replace("x = ", "y = ")
    assert await editor.ghost() == []
    backend.model = "starcoder2-3b-exl3"
    backend.reply("2\n")
    assert await editor.ghost(invoked=True)
    assert backend.completions[-1].body["prompt"].startswith("<fim_prefix>")


async def test_a_prompt_that_is_too_long_is_made_shorter(tmp_path: Path) -> None:
    """The server promises more than it keeps, as TabbyAPI does where several requests share its cache."""
    with ScriptedTabbyAPI(cache_size=4096, chunk_size=256) as backend:
        backend.reply("1\n")
        async with Editor(tmp_path, backend=backend.url) as editor:
            editor.open("x = |\n")
            await editor.ghost()
            backend.cache_size = 1024
            editor.open("# a line of text\n" * 2000 + "y = |\n", uri="file:///home/user/long.py")
            (item,) = await editor.ghost()
            assert item.insert_text == "1"
            assert backend.completions[-1].body["prompt"].endswith("y = <|fim_suffix|>\n<|fim_middle|>")
            editor.replace("y = ", "z = ")
            await editor.ghost()  # by now it also knows how long this text's tokens are
            asked = len(backend.completions)
            editor.replace("z = ", "w = ")
            await editor.ghost()
            assert len(backend.completions) == asked + 1, "it has learned"
            assert editor.messages == []


@pytest.mark.parametrize(
    ("fail", "message"),
    [
        pytest.param(lambda b: b.fail(500, "Internal Server Error"), "failed", id="500"),
        pytest.param(lambda b: b.fail(404, {"detail": "Not Found"}), "knows no such address", id="404"),
        pytest.param(lambda b: b.fail(429, {"detail": "slow down"}), "too many requests", id="429"),
        pytest.param(lambda b: b.fail(422, {"detail": []}), "refused the request", id="422"),
        pytest.param(lambda b: b.fail(200, "<html>hello</html>"), "", id="HTML"),
        pytest.param(lambda b: b.fail(200, {"choices": "?"}), "", id="JSON that is no answer"),
        pytest.param(
            lambda b: b.reply("abc = 1", ending="error", after=2), "broke off", id="an error in the stream"
        ),
        pytest.param(
            lambda b: b.reply("abc = 1", ending="cut", after=2), "broke off", id="a truncated stream"
        ),
        pytest.param(lambda b: b.reply("abc = 1", ending="pings", after=2), "", id="pings for ever"),
        pytest.param(lambda b: b.reply("abc = 1", ending="hang", after=2), "", id="silence"),
        pytest.param(lambda b: b.reply("abc = 1", ending="hang before headers"), "in time", id="no answer"),
    ],
)
async def test_every_failure_is_told_once_and_passes(
    tmp_path: Path, fail: Callable[[ScriptedTabbyAPI], Any], message: str
) -> None:
    timeouts = {"progress_timeout": 0.3, "first_token_timeout": 0.5}
    with ScriptedTabbyAPI(ping_interval=0.05) as backend:
        fail(backend)
        async with Editor(tmp_path, backend=backend.url, settings={"backend": timeouts}) as editor:
            editor.open("x = |\n")
            assert await editor.ghost() == []
            assert len(editor.messages) == 1
            assert editor.messages[0].startswith(f"tabby-ls: the server at {backend.url} ")
            assert message in editor.messages[0]
            editor.type("a")
            assert await editor.ghost() == []
            assert len(editor.messages) == 1
            backend.reply("bc\n")
            (item,) = await editor.ghost(invoked=True)
            assert item.insert_text == "bc"
            await eventually(lambda: backend.open_streams == 0)


async def test_a_server_that_speaks_no_http_is_told_once(tmp_path: Path) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xffSSH-2.0 hello\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as listener:
        address = "http://127.0.0.1:{1}".format(*listener.sockets[0].getsockname())
        async with Editor(tmp_path, backend=address) as editor:
            editor.open("x = |\n")
            assert await editor.ghost() == []
            assert len(editor.messages) == 1


async def test_what_comes_after_the_deadline_is_there_for_the_next_request(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    """The request is answered empty, and what comes later is there for the next one."""
    backend.reply("return total\n", delay_before_first=0.5)
    async with Editor(tmp_path, backend=backend.url, settings={"deadline_ms": 200}) as editor:
        editor.open("def f(total):\n    |\n")
        assert await editor.ghost() == []
        await eventually(lambda: backend.completions and backend.completions[0].ended)
        (item,) = await editor.ghost()
        assert item.insert_text == "return total"
        assert len(backend.completions) == 1
        assert editor.messages == []


# --- the key ---


@pytest.mark.parametrize("source", ["environment", "another variable", "file", "command"])
async def test_a_key_is_taken_from_where_the_user_keeps_it(tmp_path: Path, source: str) -> None:
    environment, settings = {}, {}
    match source:
        case "environment":
            environment = {"TABBY_LS_API_KEY": KEY}
        case "another variable":
            environment, settings = {"MY_KEY": KEY}, {"api_key_env": "MY_KEY"}
        case "file":
            (tmp_path / "key").write_text(f"{KEY}\n")
            settings = {"api_key_file": str(tmp_path / "key")}
        case "command":
            settings = {"api_key_command": [sys.executable, "-c", f"print({KEY!r})"]}
    with ScriptedTabbyAPI(api_key=KEY) as backend:
        backend.reply("1\n")
        async with Editor(
            tmp_path,
            backend=backend.url,
            environment={**environment, "TABBY_LS_LOG_LEVEL": "debug"},
            settings={"backend": settings},
            secrets=[KEY],
        ) as editor:
            editor.open("x = |\n")
            assert await editor.ghost()
            assert editor.messages == []
            assert backend.completions[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_key_command_that_fails_is_named_without_what_it_printed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"print({KEY!r}); raise SystemExit(3)"]
    with ScriptedTabbyAPI(api_key=KEY) as backend:
        async with Editor(
            tmp_path, backend=backend.url, settings={"backend": {"api_key_command": command}}, secrets=[KEY]
        ) as editor:
            editor.open("x = |\n")
            assert await editor.ghost() == []
            (message,) = editor.messages
            assert "backend.api_key_command" in message
            assert "3" in message
        assert backend.requests == []


async def test_a_key_that_is_corrected_needs_no_restart(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("wrong\n")
    with ScriptedTabbyAPI(api_key=KEY) as backend:
        backend.reply("1\n")
        file = {"backend": {"api_key_file": str(tmp_path / "key")}}
        async with Editor(tmp_path, backend=backend.url, settings=file, secrets=[KEY]) as editor:
            editor.open("x = |\n")
            assert await editor.ghost() == []
            assert len(editor.messages) == 1
            (tmp_path / "key").write_text(f"{KEY}\n")
            assert await editor.ghost(invoked=True)


async def test_neither_key_nor_code_is_logged_when_everything_is(tmp_path: Path) -> None:
    """Servers echo what they are sent: prompts in validation errors, keys in refusals."""
    with ScriptedTabbyAPI(api_key=KEY) as backend:
        async with Editor(
            tmp_path,
            backend=backend.url,
            environment={"TABBY_LS_API_KEY": KEY, "TABBY_LS_LOG_LEVEL": "debug"},
            secrets=[KEY],
        ) as editor:
            editor.open("launch_code = 'confidential'\nx = |\n")
            for status in (422, 400, 401, 500):
                echo = f"bad: Bearer {KEY} launch_code = 'confidential'"
                backend.fail(status, {"detail": echo, "error": {"message": echo}})
                assert await editor.ghost(invoked=True) == []
            assert len(editor.messages) >= 3
            assert editor.stderr
