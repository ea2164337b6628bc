"""Several servers in one session, and a real llama-server that goes and comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.editor import Editor
from tests.support.llama_server import LlamaServer
from tests.support.other_servers import ScriptedOllama
from tests.support.ports import free_port
from tests.support.profiles import WITH_PLUGIN
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.tiny_model import write_tiny_model
from tests.support.waiting import eventually

ALONE = {"TABBY_LS_LOCAL_FALLBACK": "false"}


def servers(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"backends": list(entries)}


async def test_the_second_stands_in_and_the_first_is_back_by_itself(tmp_path: Path) -> None:
    port = free_port()
    with ScriptedOllama() as second:
        second.reply("2\n")
        settings = servers({"url": f"http://127.0.0.1:{port}"}, {"url": second.url})
        async with Editor(tmp_path, WITH_PLUGIN, settings=settings, environment=ALONE) as editor:
            editor.open("value = |\n")
            (item,) = await eventually(editor.ghost)
            assert item.insert_text == "2"
            await eventually(lambda: editor.statuses and editor.statuses[-1].backend.startswith("Ollama"))
            with ScriptedTabbyAPI(port=port) as first:
                first.reply("1\n")
                await eventually(lambda: editor.statuses[-1].backend == "TabbyAPI: Qwen2.5-Coder-1.5B-exl3")
                assert first.completions == [], "nobody asked for anything meanwhile"

                async def types() -> object:
                    editor.type("x")
                    await editor.ghost()
                    return first.completions

                await eventually(types)


async def test_each_request_goes_where_it_is_meant_to_and_no_key_goes_along(tmp_path: Path) -> None:
    with ScriptedTabbyAPI() as quick, ScriptedOllama() as large:
        quick.reply("quick\n")
        large.reply("large\n")
        settings = servers(
            {"url": quick.url, "requests": "automatic", "api_key_env": "QUICK_KEY"},
            {"url": large.url, "requests": "explicit"},
        )
        keys = {"QUICK_KEY": "q-key", "TABBY_LS_API_KEY": "a-key"}
        async with Editor(tmp_path, settings=settings, environment=ALONE | keys) as editor:
            editor.open("value = |\n")
            assert [item.insert_text for item in await editor.ghost()] == ["quick"]
            editor.replace("value", "other")
            (item, *_) = await editor.ghost(invoked=True)
            assert item.insert_text == "large"
        assert {request.headers.get("authorization") for request in quick.requests} == {"Bearer q-key"}
        assert {request.headers.get("authorization") for request in large.requests} == {None}


async def test_a_real_server_restarts_in_the_middle_of_a_session(tmp_path: Path) -> None:
    model = tmp_path / "qwen2.5-coder-tiny.gguf"
    write_tiny_model(model)
    with LlamaServer(model) as server:
        port = urlsplit(server.url).port or 0
        async with Editor(
            tmp_path, WITH_PLUGIN, settings={"backend": {"url": server.url}}, environment=ALONE
        ) as editor:
            editor.open("def add(a, b):\n    return |\n")
            assert await eventually(editor.ghost)
            assert editor.statuses[-1].backend == "llama.cpp: qwen2.5-coder-tiny.gguf"
            server.kill()
            editor.replace("return ", "yield ")
            assert await editor.ghost() == []
            await eventually(lambda: editor.statuses[-1].state == "error")
            # An answer that was still being read ahead broke off; else nobody is there.
            assert any(words in editor.statuses[-1].message for words in ("cannot be reached", "broke off"))
            with LlamaServer(model, port=port):
                editor.replace("yield ", "await ")  # what is remembered of the last place asks nobody
                assert await eventually(editor.ghost)
                await eventually(lambda: editor.statuses[-1].state == "idle")
