"""Each protocol: what is sent, what is read, how an answer ends, and what is left alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tabby_ls.backends.backend import BackendError, Infill, Snippet, Trouble
from tabby_ls.backends.hosted import SERVICES
from tabby_ls.backends.kinds import open_server
from tabby_ls.engine.target import Target
from tabby_ls.settings import BackendSettings
from tests.backends.asking import TOKENS, answer, learned, read, target_for
from tests.support.other_servers import ScriptedHosted, ScriptedOllama, ScriptedOpenAI, ScriptedTabby
from tests.support.scripted_server import Request, ScriptedServer
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

ASK = "def add(a, b):\n    return ¦\n\nprint(1)\n"
HOSTED = tuple(SERVICES)
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"

#: Each protocol with a server that speaks it, and what else the settings must say.
PROTOCOLS: dict[str, tuple[Callable[[], ScriptedServer], dict[str, Any]]] = {
    "tabbyapi": (ScriptedTabbyAPI, {"kind": "tabbyapi"}),
    "ollama": (ScriptedOllama, {"kind": "ollama", "model": "qwen2.5-coder:1.5b-base"}),
    "ollama raw": (
        lambda: ScriptedOllama(inserts=False),
        {"kind": "ollama", "model": "qwen2.5-coder:1.5b-base"},
    ),
    "tabby": (ScriptedTabby, {"kind": "tabby"}),
    "openai": (ScriptedOpenAI, {"kind": "openai"}),
    "openai suffix": (
        lambda: ScriptedOpenAI("SGLang", model="secret", suffix="use"),
        {"kind": "openai"},
    ),
    "chat": (lambda: ScriptedOpenAI("", chat_only=True), {"kind": "chat"}),
    **{kind: (lambda kind=kind: ScriptedHosted(kind), {"kind": kind}) for kind in HOSTED},
}


#: Marks a test as one of protocols that stream: some servers answer in one piece.
streamed = pytest.mark.parametrize("spoken", [name for name in PROTOCOLS if name != "tabby"], indirect=True)


@pytest.fixture(params=PROTOCOLS)
async def spoken(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[ScriptedServer, Target]]:
    """A server of each protocol, and a target that asks it."""
    monkeypatch.setenv("TABBY_LS_API_KEY", "k3y")
    make, settings = PROTOCOLS[request.param]
    with make() as server:
        target = target_for(url=server.url, progress_timeout=0.5, first_token_timeout=5, **settings)
        yield server, target
        await target.backend.close()


async def test_the_answer_arrives_whole(spoken: tuple[ScriptedServer, Target]) -> None:
    server, target = spoken
    server.reply("a + b\u2028\n")
    assert await answer(target, ASK) == "a + b\u2028\n"


async def test_an_answer_read_to_its_end_leaves_its_connection(spoken: tuple[ScriptedServer, Target]) -> None:
    server, target = spoken
    server.reply("a + b")
    for _ in range(3):
        await answer(target, ASK)
    assert len({request.connection for request in server.completions[-3:]}) == 1


@streamed
async def test_leaving_closes_the_connection(spoken: tuple[ScriptedServer, Target]) -> None:
    server, target = spoken
    infill = await learned(target, ASK)
    server.reply_endlessly()
    await read(target.backend, infill, pieces=2)
    await eventually(lambda: server.completions[-1].ended == "closed by client")


async def test_a_cancelled_request_closes_the_connection(spoken: tuple[ScriptedServer, Target]) -> None:
    server, target = spoken
    infill = await learned(target, ASK)
    server.reply("x", ending="hang before headers")
    asking = asyncio.create_task(read(target.backend, infill))
    before = len(server.completions)
    await eventually(lambda: len(server.completions) > before)
    asking.cancel()
    await eventually(lambda: server.completions[-1].ended == "closed by client")


@streamed
async def test_a_limit_that_was_reached_is_known(spoken: tuple[ScriptedServer, Target]) -> None:
    server, target = spoken
    infill = await learned(target, ASK, max_tokens=3)
    server.reply(["one ", "two ", "three ", "four "])
    async with target.backend.stream(infill) as stream:
        text = "".join([piece async for piece in stream])
    assert (text, stream.cut_short) == ("one two three ", True)


@streamed
@pytest.mark.parametrize(
    ("ending", "trouble"), [("cut", Trouble.BROKEN_STREAM), ("error", Trouble.BROKEN_STREAM)]
)
async def test_an_answer_that_does_not_end_well_is_a_failure(
    spoken: tuple[ScriptedServer, Target], ending: Any, trouble: Trouble
) -> None:
    server, target = spoken
    infill = await learned(target, ASK)
    server.reply("one two three", ending=ending, after=2)
    with pytest.raises(BackendError) as caught:
        await read(target.backend, infill)
    assert caught.value.trouble is trouble


@streamed
async def test_silence_is_given_up(spoken: tuple[ScriptedServer, Target]) -> None:
    server, target = spoken
    infill = await learned(target, ASK)
    server.reply("one two three", ending="hang", after=2)
    with pytest.raises(BackendError) as caught:
        await read(target.backend, infill)
    assert caught.value.trouble is Trouble.BROKEN_STREAM


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, Trouble.UNAUTHORIZED),
        (403, Trouble.UNAUTHORIZED),
        (404, Trouble.REFUSED),
        (408, Trouble.TIMEOUT),
        (422, Trouble.REFUSED),
        (429, Trouble.OVERLOADED),
        (500, Trouble.FAILED),
        (501, Trouble.CHANGED),
        (502, Trouble.UNREACHABLE),
        (504, Trouble.UNREACHABLE),
    ],
)
async def test_every_refusal_is_named(
    spoken: tuple[ScriptedServer, Target], status: int, trouble: Trouble
) -> None:
    server, target = spoken
    infill = await learned(target, "secret_name = ¦\n")
    server.fail(status, {"error": {"message": f"no: secret_name = {infill.prompt or infill.prefix} k3y"}})
    with pytest.raises(BackendError) as caught:
        await read(target.backend, infill)
    assert caught.value.trouble is trouble
    assert server.url in caught.value.message
    assert "secret_name = s" not in caught.value.message
    assert "k3y" not in caught.value.message


async def test_no_special_token_of_the_users_text_reaches_the_server(
    spoken: tuple[ScriptedServer, Target],
) -> None:
    """Each would become a control token there: in the prefix, in the suffix, in a snippet."""
    server, target = spoken
    server.reply("x")
    snippets = (Snippet(f"{TOKENS}.py", f"d = '{TOKENS}'\n"),)
    await answer(target, f"a = '{TOKENS}'\nb = ¦\nc = '{TOKENS}'\n", snippets=snippets)
    body = server.completions[-1].body
    sent = [
        body.get("prompt", ""),
        body.get("suffix", ""),
        *body.get("segments", {}).values(),
        *(message["content"] for message in body.get("messages", ())),
    ]
    family = target.family
    assert "d = '" in "".join(sent), "the snippet goes along"
    written = sum(text.count("<|fim_middle|>") for text in sent)
    is_templated = "prompt" in body and "suffix" not in body
    assert written == (1 if is_templated and family and family.name == "qwen-coder" else 0)
    for token in ("<fim_suffix>", "<｜fim▁hole｜>", "<[fim-middle]>", "<|endoftext|>"):
        assert not any(token in text for text in sent), token


async def test_for_a_connection_that_is_lost_by_leaving_another_is_opened_at_once() -> None:
    with ScriptedTabbyAPI() as server:
        target = target_for(kind="tabbyapi", url=server.url)
        infill = await learned(target, ASK)
        server.reply_endlessly()
        await read(target.backend, infill, pieces=2)
        await eventually(lambda: server.requests[-1].path == "/health")
        assert server.requests[-1].connection > server.completions[-1].connection
        await target.backend.close()


async def test_what_comes_behind_the_end_of_an_answer_only_counts_tokens() -> None:
    events = ({"choices": [{"text": "a + b", "finish_reason": "stop"}]}, {"choices": [], "usage": {}})
    lines = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    with ScriptedHosted("mistral", api_key=None) as server:
        server.send(STREAM, *lines, b"data: [DONE]\n\n")
        target = target_for(kind="mistral", url=server.url)
        assert await answer(target, ASK) == "a + b"
        await target.backend.close()


async def test_a_server_that_reports_how_far_it_has_read_is_given_the_time_for_that() -> None:
    reads, says = {"prompt_progress": {}}, {"content": "a + b", "stop": True, "stop_type": "eos"}
    with ScriptedOpenAI() as server:
        server.completion_paths = ("/completion",)
        server.send(
            STREAM, *(f"data: {json.dumps(event)}\n\n".encode() for event in (reads, says)), pause=0.5
        )
        settings = BackendSettings(
            kind="llamacpp", url=server.url, progress_timeout=0.1, first_token_timeout=60
        )
        backend = open_server(settings)
        asked = Infill("file:///a.py", "python", "", "", "x = ", None, (), 8, 0.0, 0.6, 1)
        assert await read(backend, asked) == "a + b"
        await backend.close()


# TabbyAPI


async def test_tabbyapi_tells_its_model_and_how_many_it_answers_at_a_time() -> None:
    with ScriptedTabbyAPI() as server:
        target = target_for(kind="tabbyapi", url=server.url)
        await target.prepare()
        await target.backend.close()
    assert (target.model.id, target.model.slots) == (server.model, 4)


async def test_of_another_server_with_its_api_the_first_model_counts() -> None:
    class Other(ScriptedTabbyAPI):
        def look_up(self, request: Request) -> tuple[int, Any]:
            return (404, "") if request.path == "/v1/model" else super().look_up(request)

    with Other() as server:
        target = target_for(kind="tabbyapi", url=server.url)
        await target.prepare()
        await target.backend.close()
    assert target.model.id == server.model


# Ollama


async def test_ollama_is_given_the_suffix_where_the_model_inserts() -> None:
    with ScriptedOllama() as server:
        target = target_for(kind="ollama", url=server.url)
        await answer(target, ASK)
        await target.backend.close()
    body = server.completions[-1].body
    assert (body["prompt"], body["suffix"]) == ("def add(a, b):\n    return ", "\n\nprint(1)\n")
    assert "raw" not in body
    assert (body["model"], body["keep_alive"]) == ("qwen2.5-coder:1.5b-base", "30m")
    assert "<|endoftext|>" in body["options"]["stop"]


async def test_ollama_reads_snippets_as_comments() -> None:
    """Its template has no place for them."""
    with ScriptedOllama() as server:
        target = target_for(kind="ollama", url=server.url)
        await answer(target, "x = ¦\n", snippets=(Snippet("a.py", "def f():\n    pass\n"),))
        await target.backend.close()
    assert server.completions[-1].body["prompt"] == "# a.py:\n# def f():\n#     pass\nx = "


async def test_ollama_never_gets_an_empty_suffix_or_prompt() -> None:
    """With the one it would chat, with the other say nothing."""
    with ScriptedOllama() as server:
        target = target_for(kind="ollama", url=server.url)
        await answer(target, "def add(¦")
        await answer(target, "¦def add():\n    pass\n")
        await target.backend.close()
    assert [request.body["suffix"] for request in server.completions] == ["\n", "def add():\n    pass\n"]
    assert server.completions[-1].body["prompt"] == "\n"


@pytest.mark.parametrize("shows_capabilities", [True, False])
async def test_ollama_gets_our_prompt_where_the_model_does_not_insert(*, shows_capabilities: bool) -> None:
    with ScriptedOllama(inserts=False) as server:
        server.shows_capabilities = shows_capabilities
        target = target_for(kind="ollama", url=server.url)
        await answer(target, ASK)
        await target.backend.close()
    body = server.completions[-1].body
    assert body["raw"] is True
    assert body["prompt"].startswith("<|fim_prefix|>def add")
    assert "suffix" not in body


async def test_a_model_that_no_longer_inserts_is_asked_in_the_other_way() -> None:
    with ScriptedOllama() as server:
        target = target_for(kind="ollama", url=server.url)
        infill = await learned(target, ASK)
        server.inserts = False
        with pytest.raises(BackendError) as caught:
            await read(target.backend, infill)
        assert target.adapt(caught.value)
        server.reply("a + b")
        assert await answer(target, ASK) == "a + b"
        assert server.completions[-1].body["raw"] is True
        await target.backend.close()


async def test_ollama_is_sent_no_more_than_the_model_was_trained_on() -> None:
    with ScriptedOllama() as server:
        server.context_length = 2048
        target = target_for(kind="ollama", url=server.url)
        await target.prepare()
        await target.backend.close()
    assert target.model.max_prompt_tokens == 2047


async def test_of_ollamas_models_for_code_one_that_is_in_memory_is_asked() -> None:
    with ScriptedOllama() as server:
        server.others, server.is_loaded = ["codellama:7b"], True
        target = target_for(kind="ollama", url=server.url)
        await target.prepare()
        await target.backend.close()
    assert target.model.id == server.model


async def test_ollama_without_a_named_model_gets_one_for_code() -> None:
    with ScriptedOllama() as server:
        target = target_for(kind="ollama", url=server.url)
        await target.prepare()
        assert target.description == "Ollama: qwen2.5-coder:1.5b-base"
        await target.backend.close()


@pytest.mark.parametrize(("installed", "named"), [(None, ""), ("qwen2.5-coder:7b", "codellama:7b")])
async def test_ollama_without_the_model_says_how_to_get_one(installed: str | None, named: str) -> None:
    with ScriptedOllama(model=installed) as server:
        target = target_for(kind="ollama", url=server.url, model=named)
        with pytest.raises(BackendError) as caught:
            await target.prepare()
        await target.backend.close()
    assert caught.value.trouble is Trouble.NO_MODEL
    assert f"ollama pull {named or 'qwen2.5-coder'}" in caught.value.message


# Tabby


async def test_tabby_is_given_prefix_and_suffix_and_the_language() -> None:
    with ScriptedTabby() as server:
        target = target_for(kind="tabby", url=server.url)
        await answer(target, ASK)
        await target.backend.close()
    assert server.completions[-1].body == {
        "language": "python",
        "segments": {"prefix": "def add(a, b):\n    return ", "suffix": "\n\nprint(1)\n"},
        "temperature": 0.0,
    }


@pytest.mark.parametrize("line", ["x = 'some text'\n", "x = 'Привет, мир'\n", "x = '你好世界'\n"])
async def test_tabby_gets_no_more_than_it_reads(line: str) -> None:
    """What is longer it cuts from its beginning, where the template's first token stands."""
    with ScriptedTabby() as server:
        target = target_for(kind="tabby", url=server.url)
        await answer(target, f"{line * 200}y = ¦\n{line * 200}", snippets=(Snippet("a.py", line * 9),))
        await target.backend.close()
    sent = sum(len(text.encode()) for text in server.completions[-1].body["segments"].values())
    assert 1000 < sent < 1536 - len("<｜fim▁begin｜><｜fim▁hole｜><｜fim▁end｜>".encode())


async def test_tabby_without_a_model_for_completions_says_how_to_get_one() -> None:
    with ScriptedTabby() as server:
        target = target_for(kind="tabby", url=server.url)
        infill = await learned(target, ASK)
        server.model = None  # it was started anew
        with pytest.raises(BackendError) as caught:
            await read(target.backend, infill)
        assert target.adapt(caught.value)
        with pytest.raises(BackendError) as caught:
            await target.prepare()
        await target.backend.close()
    assert caught.value.trouble is Trouble.NO_MODEL
    assert "tabby serve --model" in caught.value.message


# OpenAI-compatible servers


async def test_a_known_model_gets_our_prompt_and_no_suffix() -> None:
    with ScriptedOpenAI(suffix="use") as server:
        target = target_for(kind="openai", url=server.url)
        await answer(target, ASK)
        await target.backend.close()
    body = server.completions[-1].body
    assert body["prompt"].startswith("<|fim_prefix|>")
    assert "suffix" not in body
    assert body["model"] == "Qwen/Qwen2.5-Coder-7B"


@pytest.mark.parametrize(("suffix", "is_sent"), [("use", True), ("ignore", False), ("refuse", False)])
async def test_a_suffix_is_sent_only_where_it_was_seen_to_count(suffix: str, *, is_sent: bool) -> None:
    with ScriptedOpenAI("SGLang", model="secret", suffix=suffix) as server:
        target = target_for(kind="openai", url=server.url)
        await answer(target, ASK)
        probes = len(server.completions)
        target.forget()
        await answer(target, ASK)
        await target.backend.close()
    body = server.completions[-1].body
    assert ("suffix" in body) is is_sent
    assert body["prompt"] == "def add(a, b):\n    return "
    assert len(server.completions) == probes + 1, "what was seen is remembered"


@pytest.mark.parametrize("software", ["vLLM", "LM Studio"])
async def test_the_loaded_model_is_asked_and_its_context_holds_the_answer_too(software: str) -> None:
    with ScriptedOpenAI(software) as server:
        target = target_for(url=server.url)
        await answer(target, ASK)
        await target.backend.close()
    assert server.completions[-1].body["model"] == "Qwen/Qwen2.5-Coder-7B"
    assert target.model.max_prompt_tokens == server.max_model_len - 256


async def test_a_context_that_is_smaller_than_an_answer_leaves_next_to_nothing() -> None:
    with ScriptedOpenAI() as server:
        server.max_model_len = 100
        target = target_for(url=server.url)
        await target.prepare()
        await target.backend.close()
    assert target.model.max_prompt_tokens == 1


async def test_a_server_that_lists_no_model_needs_one_from_the_settings() -> None:
    with ScriptedOpenAI(model=None) as server:
        target = target_for(kind="openai", url=server.url)
        with pytest.raises(BackendError, match="name one in the setting `model`") as caught:
            await target.prepare()
        await target.backend.close()
    assert caught.value.trouble is Trouble.NO_MODEL


async def test_an_alias_is_seen_through() -> None:
    with ScriptedOpenAI(model="coder", root="/models/starcoder2-3b-AWQ") as server:
        target = target_for(kind="openai", url=server.url)
        await answer(target, ASK)
        await target.backend.close()
    assert server.completions[-1].body["model"] == "coder"
    assert server.completions[-1].body["prompt"].startswith("<fim_prefix>")


async def test_an_unknown_name_is_told_by_the_tokenizer() -> None:
    with ScriptedOpenAI(model="team-model") as server:
        target = target_for(kind="openai", url=server.url)
        await target.prepare()
        await target.backend.close()
    assert target.template is not None
    assert target.template.found_by == "the model's tokenizer"
    assert target.family is not None
    assert target.family.name == "qwen-coder"


# Services


@pytest.mark.parametrize("kind", HOSTED)
async def test_a_service_gets_prefix_suffix_and_key(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k3y")
    with ScriptedHosted(kind) as server:
        server.reply("a + b")
        target = target_for(kind=kind, url=server.url, api_key_env="MY_KEY")
        assert await answer(target, ASK) == "a + b"
        await target.backend.close()
    request = server.completions[-1]
    assert (request.body["prompt"], request.body["suffix"]) == (
        "def add(a, b):\n    return ",
        "\n\nprint(1)\n",
    )
    assert request.headers["authorization"] == "Bearer k3y"


async def test_a_service_without_its_key_says_where_to_put_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABBY_LS_API_KEY", raising=False)
    with ScriptedHosted("mistral") as server:
        target = target_for(kind="mistral", url=server.url)
        with pytest.raises(BackendError) as caught:
            await answer(target, ASK)
        await target.backend.close()
    assert caught.value.trouble is Trouble.UNAUTHORIZED
    assert "TABBY_LS_API_KEY" in caught.value.message


async def test_whether_there_is_a_key_is_known_before_the_first_question() -> None:
    target = target_for(kind="mistral", api_key_file="/nowhere/at/all")
    with pytest.raises(BackendError, match="api_key_file"):
        await target.prepare()
    await target.backend.close()


# Chat


async def test_a_chat_is_shown_the_file_with_a_hole_and_says_so() -> None:
    with ScriptedOpenAI("", chat_only=True) as server:
        target = target_for(kind="chat", url=server.url)
        infill = await learned(target, "x = '⟦HOLE⟧'\ny = ¦\n")
        assert infill.is_chat
        await read(target.backend, infill)
        assert "chat" in target.description
        await target.backend.close()
    instruction, question = server.completions[-1].body["messages"]
    assert question["content"] == "python:\nx = '⟦HOLE⟧'\ny = ⟦⟦HOLE⟧⟧\n"
    assert "⟦⟦HOLE⟧⟧" in instruction["content"]
