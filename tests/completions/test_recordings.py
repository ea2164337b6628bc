"""What a real TabbyAPI answered becomes the right response, stream or error, however it arrives."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tabby_ls.completions import (
    AuthenticationError,
    CompletionChunk,
    CompletionError,
    CompletionRequest,
    CompletionsClient,
    ContextLengthExceededError,
    InvalidRequestError,
    ModelNotLoadedError,
    NotFoundError,
    ServerError,
    StreamError,
    StreamOptions,
    Timeouts,
)
from tests.support.replay import RECORDINGS, Recording, replaying

STREAMS = [recording for recording in RECORDINGS.values() if recording.is_stream]
WHOLE = [
    r
    for r in RECORDINGS.values()
    if r.status == 200 and not r.is_stream and b'"text_completion"' in r.response
]
REQUEST = CompletionRequest("the prompt", max_tokens=64)

FINISHED = {
    "s_basic": ("def add(a, b):\n    return a + b\n", "stop"),
    "s_length": ("def add(a", "length"),
    "s_usage": ("def add(a, b):\n    return a + b\n", "stop"),
    "s_stop_str": ("def add(a, b):", "stop"),
    "s_logprobs2": ("def add(", "length"),
    "s_json_schema": ('{"a": 1}', "stop"),
    "s_unicode": ('é漢字😀\u2028\u0085\x0b\x0c"\\\r\n\t\0', "stop"),
    "s_empty_generation": ("", "stop"),
    "s_whitespace": ("\n    \n", "stop"),
    "s_ping": ("def add(", "length"),
    "s_ping_blocked": ("def add(", "length"),
    "s_n2": ("def add(a, b)", "length"),
}
UNFINISHED = {
    "s_no_max_tokens": ("", "stream_error"),
    "s_raise_first": ("", "stream_error"),
    "s_raise_mid": ("def add", "stream_error"),
    "s_hang_after_unload": ("def add(a, b):\n    return a + b", "no_progress"),
    "s_trunc_sigterm": ("def add(a, b):\n    return a + b\ndef add(a, b):\n    ", "truncated"),
    "s_trunc_sigkill": ("def add(a, b):\n    ", "truncated"),
}


async def read(
    url: str, *, progress: float = 30.0
) -> tuple[str, CompletionError | None, list[CompletionChunk]]:
    chunks: list[CompletionChunk] = []
    error = None
    async with CompletionsClient(url, timeouts=Timeouts(progress=progress)) as client:
        try:
            async with client.create_stream(REQUEST) as stream:
                async for chunk in stream:
                    chunks.append(chunk)
        except CompletionError as caught:
            error = caught
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices if choice.index == 0)
    return text, error, chunks


def cuts(recording: Recording, how: str) -> Sequence[bytes]:
    if how == "in one piece":
        return [recording.response]
    if how == "as recorded":
        return recording.segments
    return [recording.response[i : i + 1] for i in range(len(recording.response))]


def test_every_recorded_stream_is_expected_here() -> None:
    assert {recording.name for recording in STREAMS} == {*FINISHED, *UNFINISHED}


@pytest.mark.parametrize("how", ["in one piece", "as recorded", "byte by byte"])
@pytest.mark.parametrize("recording", STREAMS, ids=lambda recording: recording.name)
async def test_a_stream_has_its_text_and_its_end(recording: Recording, how: str) -> None:
    then = {"complete": "keep", "eof": "close"}.get(recording.end, "hang")
    async with replaying(cuts(recording, how), then=then) as server:
        text, error, chunks = await read(server.url, progress=2.0 if then == "hang" else 30.0)
    if recording.name in FINISHED:
        assert error is None
        assert (text, chunks[-1].choices[0].finish_reason) == FINISHED[recording.name]
        assert all(chunk.model == "StubCoder-1B-exl3" for chunk in chunks)
    else:
        assert isinstance(error, StreamError)
        assert (text, error.code) == UNFINISHED[recording.name]
        assert error.status == 200


async def test_a_last_line_that_no_line_end_follows_counts() -> None:
    head, body = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n", RECORDINGS["s_basic"].body
    async with replaying([head + body[: body.index(b"\r\n\r\ndata: [DONE]")]], then="close") as server:
        text, error, _ = await read(server.url)
    assert (text, error) == (FINISHED["s_basic"][0], None)


async def test_usage_and_reason_are_known_after_the_end() -> None:
    async with replaying(RECORDINGS["s_usage"].segments) as server, CompletionsClient(server.url) as client:
        request = CompletionRequest("x", stream_options=StreamOptions(include_usage=True))
        async with client.create_stream(request) as stream:
            async for _ in stream:
                pass
        assert stream.finish_reason == "stop"
        assert stream.usage is not None
        assert (stream.usage.prompt_tokens, stream.usage.completion_tokens) == (4, 16)
        assert stream.usage.total_time == 0.33


async def test_the_choices_of_a_stream_come_with_their_index() -> None:
    async with replaying([RECORDINGS["s_n2"].response]) as server:
        _, _, chunks = await read(server.url)
    assert "".join(chunk.text for chunk in chunks) == FINISHED["s_n2"][0], "the text is that of the first"
    choices = [choice for chunk in chunks for choice in chunk.choices]
    second = "".join(choice.text for choice in choices if choice.index == 1)
    assert second == "def add(a, b):\n    return a"
    assert [choice.index for choice in choices if choice.finish_reason] == [0, 1]


async def test_a_stream_of_two_choices_needs_the_end_of_both() -> None:
    recorded = RECORDINGS["s_n2"].response
    async with replaying([recorded[: recorded.rindex(b"\r\ndata: {") - 3]], then="close") as server:
        _, error, chunks = await read(server.url)
    assert any(chunk.choices[0].finish_reason for chunk in chunks)
    assert isinstance(error, StreamError)
    assert error.code == "truncated"


async def test_logprobs_come_with_the_chunks() -> None:
    async with replaying([RECORDINGS["s_logprobs2"].response]) as server:
        _, _, chunks = await read(server.url)
    logprobs = chunks[1].choices[0].logprobs
    assert logprobs is not None
    assert logprobs.tokens == (" add",)
    assert logprobs.token_logprobs == (-0.6931471805599453,)
    assert logprobs.top_logprobs is not None
    assert logprobs.top_logprobs[0] == {" add": -0.6931471805599453, " alt0": -1.3862943611198906}


async def test_an_answer_in_one_piece_to_a_stream_request_is_a_stream_of_one_chunk() -> None:
    async with replaying(RECORDINGS["s_disabled"].segments) as server:
        text, error, chunks = await read(server.url)
    assert (text, error, len(chunks)) == ("def add(a", None, 1)
    assert chunks[0].choices[0].eos_reason == "max_new_tokens"


@pytest.mark.parametrize("recording", WHOLE, ids=lambda recording: recording.name)
async def test_a_whole_answer_is_as_it_was_written(recording: Recording) -> None:
    recorded = json.loads(recording.body)
    for pieces in (cuts(recording, how) for how in ("in one piece", "as recorded", "byte by byte")):
        async with replaying(pieces) as server, CompletionsClient(server.url) as client:
            response = await client.create(REQUEST)
        assert (response.id, response.model) == (recorded["id"], recorded["model"])
        assert (response.object, response.created) == ("text_completion", recorded["created"])
        for choice, wire in zip(response.choices, recorded["choices"], strict=True):
            assert (choice.text, choice.finish_reason) == (wire["text"], wire["finish_reason"])
            assert (choice.index, choice.eos_reason) == (wire["index"], wire["eos_reason"])
        assert response.text == recorded["choices"][0]["text"]
        assert (response.usage is None) == (recorded["usage"] is None)


async def test_a_whole_answer_that_was_cut_short_is_an_error() -> None:
    cut = RECORDINGS["ns_basic"].response.replace(b'"stop_token"', b"null        ")
    async with replaying([cut]) as server, CompletionsClient(server.url) as client:
        with pytest.raises(ServerError, match="gave up"):
            await client.create(REQUEST)
        with pytest.raises(ServerError, match="gave up"):
            async with client.create_stream(REQUEST) as stream:
                await anext(stream)


async def test_servers_without_an_eos_reason_are_believed() -> None:
    plain = RECORDINGS["ns_basic"].response.replace(
        b'"eos_reason":"stop_token"', b'"xxx_reason":"stop_token"'
    )
    async with replaying([plain]) as server, CompletionsClient(server.url) as client:
        assert (await client.create(REQUEST)).choices[0].eos_reason is None


ERRORS = {
    "auth_none": (AuthenticationError, "Please provide an API key"),
    "auth_bearer_bad": (AuthenticationError, "Invalid API key"),
    "auth_x_api_bad": (AuthenticationError, "Invalid API key"),
    "mn_inline_api_other": (
        AuthenticationError,
        "Unable to switch model to OtherCoder-3B-exl3 because an admin key isn't provided",
    ),
    "ctx_s": (
        ContextLengthExceededError,
        "Prompt length 5002 exceeds the available context size of 4096 tokens",
    ),
    "ctx_ns": (
        ContextLengthExceededError,
        "Prompt length 5002 exceeds the available context size of 4096 tokens",
    ),
    "ctx_limit_2050": (
        ContextLengthExceededError,
        "Initial job allocation requires 4352 cache tokens, "
        "which exceeds the available context size of 4096 tokens",
    ),
    "nm_completion": (ModelNotLoadedError, "No models are currently loaded."),
    "nm_stream": (ModelNotLoadedError, "No models are currently loaded."),
    "not_found": (NotFoundError, "Not Found"),
    "trailing_slash": (NotFoundError, "the address redirects elsewhere, and redirects are not followed"),
    "method_not_allowed": (InvalidRequestError, "Method Not Allowed"),
    "ns_raise_mid": (
        ServerError,
        "Completion df01a53c184d46b49b70566407032f46 aborted. "
        "Maybe the model was unloaded? Please check the server console.",
    ),
    "ns_rf_null": (ServerError, "HTTP 500 Internal Server Error"),
    "v_bad_json": (InvalidRequestError, "body.16: JSON decode error"),
    "v_no_prompt": (InvalidRequestError, "body.prompt: Field required"),
    "v_temp_neg": (InvalidRequestError, "body.temperature: Input should be greater than or equal to 0"),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_an_error_has_its_kind_and_its_message(name: str) -> None:
    recording = RECORDINGS[name]
    kind, message = ERRORS[name]
    async with replaying(recording.segments) as server, CompletionsClient(server.url) as client:
        with pytest.raises(kind) as of_whole:
            await client.create(REQUEST)
        with pytest.raises(kind) as of_stream:
            async with client.create_stream(REQUEST):
                pass
        assert server.connections == 1, "an answer that is an error leaves its connection usable"
    for error in (of_whole.value, of_stream.value):
        assert type(error) is kind
        assert (error.message, error.status) == (message, recording.status)


async def test_whatever_else_the_server_can_be_asked() -> None:
    answers = [
        RECORDINGS[name].segments
        for name in (
            "model_api",
            "models_admin",
            "perm_admin",
            "tok_encode",
            "tok_decode",
            "health",
            "health_after_raise",
            "serviceinfo",
        )
    ]
    async with replaying(*answers) as server, CompletionsClient(server.url) as client:
        card = await client.model()
        assert (card.id, card.owned_by) == ("StubCoder-1B-exl3", "tabbyAPI")
        assert card.parameters is not None
        assert (card.parameters.max_seq_len, card.parameters.cache_size) == (4096, 4096)
        assert card.parameters.chunk_size == 2048
        assert card.parameters.max_prompt_tokens == 2049
        models = await client.models()
        assert [model.id for model in models] == [
            "StubCoder-1B-exl3",
            "OtherCoder-3B-exl3",
            "slow-load-7B-exl3",
        ]
        assert await client.permission() == "admin"
        tokens = await client.encode("<|fim_prefix|>def add(", add_bos_token=False)
        assert (tokens.tokens, tokens.length) == ((1, 3, 7, 8, 9, 4, 15, 5), 8)
        assert await client.decode(tokens.tokens) == "<|fim_prefix|> add("
        assert (await client.health()).is_healthy
        sick = await client.health()
        assert not sick.is_healthy
        assert sick.issues[0].description == "RuntimeError: CUDA error: stub exploded"
        assert (await client.service_info()).software.name == "TabbyAPI"
    sent = [(method, path, body) for method, path, _, body in server.requests]
    assert sent == [
        ("GET", "/v1/model", None),
        ("GET", "/v1/models", None),
        ("GET", "/v1/auth/permission", None),
        ("POST", "/v1/token/encode", {"text": "<|fim_prefix|>def add(", "add_bos_token": False}),
        ("POST", "/v1/token/decode", {"tokens": [1, 3, 7, 8, 9, 4, 15, 5]}),
        ("GET", "/health", None),
        ("GET", "/health", None),
        ("GET", "/.well-known/serviceinfo", None),
    ]


async def test_no_model_is_told_apart_from_a_broken_server() -> None:
    async with replaying(RECORDINGS["nm_model"].segments) as server, CompletionsClient(server.url) as client:
        with pytest.raises(ModelNotLoadedError) as caught:
            await client.model()
        assert (caught.value.code, caught.value.status) == ("server_error", 503)


@pytest.mark.parametrize("status", ["healthy", "ok"])
async def test_every_server_has_its_own_word_for_healthy(status: str) -> None:
    body = json.dumps({"status": status}).encode()
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    async with replaying([answer]) as server, CompletionsClient(server.url) as client:
        assert (await client.health()).is_healthy
