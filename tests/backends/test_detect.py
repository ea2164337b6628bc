"""What runs at an address is told from harmless questions, and asked in its own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.backends.detect import Found, detect, discover
from tabby_ls.backends.server import Server
from tabby_ls.settings import BackendSettings
from tests.backends.asking import answer, target_for
from tests.support.other_servers import ScriptedOllama, ScriptedOpenAI, ScriptedTabby
from tests.support.replay import replaying
from tests.support.scripted_server import Request, ScriptedServer
from tests.support.tabbyapi import ScriptedTabbyAPI


class Silent(ScriptedTabbyAPI):
    """A TabbyAPI behind a proxy that lets nothing pass but the API."""

    def look_up(self, request: Request) -> tuple[int, Any]:
        return super().look_up(request) if request.path.startswith("/v1") else (404, "")


SERVERS: list[tuple[Callable[[], ScriptedServer], str, str]] = [
    (ScriptedTabbyAPI, "tabbyapi", "TabbyAPI"),
    (lambda: ScriptedTabbyAPI(model=None), "tabbyapi", "TabbyAPI"),
    (Silent, "tabbyapi", "TabbyAPI"),
    (ScriptedOllama, "ollama", "Ollama"),
    (ScriptedTabby, "tabby", "Tabby"),
    (lambda: ScriptedTabby(model=None), "tabby", "Tabby"),
    (ScriptedOpenAI, "openai", "vLLM"),
    (lambda: ScriptedOpenAI("SGLang"), "openai", "SGLang"),
    (lambda: ScriptedOpenAI("LM Studio"), "openai", "LM Studio"),
    (lambda: ScriptedOpenAI("LiteLLM"), "openai", "LiteLLM"),
    (lambda: ScriptedOpenAI("KoboldCpp"), "openai", "KoboldCpp"),
    (lambda: ScriptedOpenAI(""), "openai", ""),
    (lambda: ScriptedOpenAI("", chat_only=True), "chat", ""),
]


async def found_at(url: str, **settings: str) -> Found:
    server = Server(BackendSettings(url=url, **settings), "it")
    try:
        return await detect(server)
    finally:
        await server.close()


@pytest.mark.parametrize(("make", "kind", "software"), SERVERS)
async def test_each_kind_is_recognised(make: Callable[[], ScriptedServer], kind: str, software: str) -> None:
    with make() as server:
        found = await found_at(server.url)
    assert (found.kind, found.software, found.url) == (kind, software, server.url)
    assert found.by


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://codestral.mistral.ai/v1", "mistral"),
        ("https://api.deepseek.com/beta", "deepseek"),
        ("https://api.inceptionlabs.ai", "mercury"),
    ],
)
async def test_services_are_known_by_their_host(url: str, kind: str) -> None:
    assert (await found_at(url)).kind == kind


@pytest.mark.parametrize(("make", "kind"), [(ScriptedTabbyAPI, "tabbyapi"), (ScriptedTabby, "tabby")])
async def test_a_server_that_wants_a_key_is_recognised_without_one(make: Any, kind: str) -> None:
    with make(api_key="k3y") as server:
        found = await found_at(server.url)
    assert (found.kind, found.needs_key, found.models) == (kind, True, ())


@pytest.mark.parametrize("body", [b"", b'{"version": "1.0"}'])
async def test_an_address_with_nothing_for_us_is_an_error_of_one_line(body: bytes) -> None:
    """Ollama is known by its version, but not everything that says one is Ollama."""
    plain = b"HTTP/1.1 404 Not Found\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    async with replaying([plain]) as server:
        with pytest.raises(BackendError) as caught:
            await found_at(server.url)
    assert caught.value.trouble is Trouble.REFUSED
    assert "none of the addresses that completion servers have" in caught.value.message


async def test_one_that_fails_at_an_empty_request_is_one_if_it_lists_models() -> None:
    with ScriptedOpenAI("") as server:
        server.fail(500, "Internal Server Error")
        assert (await found_at(server.url)).kind == "openai"


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_proxy_whose_server_is_gone_is_named_as_such(status: int) -> None:
    gone = b"HTTP/1.1 %d Gone\r\nserver: nginx\r\ncontent-length: 0\r\n\r\n" % status
    async with replaying([gone]) as server:
        with pytest.raises(BackendError) as caught:
            await found_at(server.url)
    assert caught.value.trouble is Trouble.UNREACHABLE
    assert "proxy" in caught.value.message


async def test_no_completion_is_made_and_no_code_sent() -> None:
    for make, _, _ in SERVERS:
        with make() as server:
            await found_at(server.url)
            assert all(not request.body for request in server.requests)


async def test_what_is_found_is_asked_and_found_anew_after_a_failure() -> None:
    with ScriptedTabbyAPI() as server:
        server.reply("a + b")
        target = target_for(url=server.url)
        assert target.description == f"server at {urlsplit(server.url).netloc}"
        assert await answer(target, "def add(a, b):\n    return ¦\n") == "a + b"
        assert target.description == "TabbyAPI: Qwen2.5-Coder-1.5B-exl3"
        port = urlsplit(server.url).port
    target.forget()
    with ScriptedOpenAI(port=port or 0) as server:
        server.reply("b + a")
        assert await answer(target, "def add(a, b):\n    return ¦\n") == "b + a"
        assert target.description == "vLLM: Qwen2.5-Coder-7B"
    await target.backend.close()


async def test_servers_on_this_machine_are_discovered_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABBY_LS_API_KEY", "k3y")
    with ScriptedOllama() as ollama, ScriptedTabbyAPI(api_key="k3y") as tabby:
        silent = 1  # nobody listens there
        ports = [silent, *(urlsplit(server.url).port or 0 for server in (ollama, tabby))]
        found = await discover(ports=ports)
        assert not [r for s in (ollama, tabby) for r in s.requests if "authorization" in r.headers]
    assert [(server.kind, server.needs_key) for server in found] == [("ollama", False), ("tabbyapi", True)]
    assert str(found[0]) == f"Ollama 0.12.3 at {ollama.url}"
    assert found[0].models == ("llama3.2:3b", "qwen2.5-coder:1.5b-base")
