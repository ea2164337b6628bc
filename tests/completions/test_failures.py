"""Errors say what happened, and never what the user wrote or what opens the server."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tabby_ls.completions as package
from tabby_ls.completions import (
    APIError,
    AuthenticationError,
    CompletionError,
    CompletionRequest,
    CompletionsClient,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotLoadedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    ServerError,
    StreamError,
    ValidationError,
)
from tabby_ls.completions.failures import from_response, redact
from tests.support.replay import replaying

KEY = "sk-0123456789abcdef"
PROMPT = "def launch_code():\n    return 'correct horse battery staple'\n"
SECRETS = (KEY, PROMPT)


def error(status: int, body: Any, headers: dict[str, str] | None = None) -> APIError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return from_response(status, headers or {}, raw, SECRETS)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "message"),
    [
        (400, {"detail": "bad"}, InvalidRequestError, "invalid_request", "bad"),
        (
            422,
            {"detail": [{"loc": ["body", "n"], "msg": "no"}]},
            InvalidRequestError,
            "invalid_request",
            "body.n: no",
        ),
        (422, {"detail": [{"msg": "no"}]}, InvalidRequestError, "invalid_request", "request: no"),
        (401, {"detail": "who?"}, AuthenticationError, "authentication_error", "who?"),
        (403, {"error": {"message": "no"}}, PermissionDeniedError, "permission_error", "no"),
        (404, {"error": "gone"}, NotFoundError, "not_found", "gone"),
        (429, {"message": "slow"}, RateLimitError, "rate_limit_exceeded", "slow"),
        (
            400,
            {"error": {"message": "long", "code": "context_length_exceeded"}},
            ContextLengthExceededError,
            "context_length_exceeded",
            "long",
        ),
        (
            400,
            {"error": {"message": "long", "code": 400, "type": "exceed_context_size_error"}},
            ContextLengthExceededError,
            "context_length_exceeded",
            "long",
        ),
        (
            400,
            {"message": "This model's maximum context length is 4096 tokens."},
            ContextLengthExceededError,
            "context_length_exceeded",
            "This model's maximum context length is 4096 tokens.",
        ),
        (500, b"Internal Server Error", ServerError, "server_error", "HTTP 500 Internal Server Error"),
        (500, b"[" * 100_000, ServerError, "server_error", "HTTP 500 Internal Server Error"),
        (503, {"error": {"message": "Loading model"}}, ModelNotLoadedError, "server_error", "Loading model"),
        (400, {"detail": "x" * 1000}, InvalidRequestError, "invalid_request", "x" * 299 + "…"),
        (502, b"<html>" + PROMPT.encode(), ServerError, "server_error", "HTTP 502 Bad Gateway"),
        (599, b"", ServerError, "server_error", "HTTP 599"),
        (
            400,
            {"message": "longer than the context window"},
            ContextLengthExceededError,
            "context_length_exceeded",
            "longer than the context window",
        ),
        (204, b"", InvalidResponseError, "invalid_response", "HTTP 204 No Content"),
        (418, [1], InvalidRequestError, "invalid_request", "HTTP 418 I'm a Teapot"),
        (400, {"error": None, "detail": 5}, InvalidRequestError, "invalid_request", "HTTP 400 Bad Request"),
        (400, {"detail": ["x", None]}, InvalidRequestError, "invalid_request", "HTTP 400 Bad Request"),
        (400, {"error": {"message": ["x"]}}, InvalidRequestError, "invalid_request", "HTTP 400 Bad Request"),
        (
            302,
            b"",
            NotFoundError,
            "not_found",
            "the address redirects elsewhere, and redirects are not followed",
        ),
    ],
)
def test_an_answer_becomes_the_error_it_is(
    status: int, body: Any, kind: type[APIError], code: str, message: str
) -> None:
    caught = error(status, body)
    assert type(caught) is kind
    assert (caught.code, caught.message, caught.status) == (code, message, status)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, {"detail": "No models are currently loaded."}, ModelNotLoadedError),
        (400, {"error": {"message": "m", "code": "context_length_exceeded"}}, ContextLengthExceededError),
    ],
)
def test_an_error_is_told_apart_although_the_prompt_quotes_it(
    status: int, body: Any, kind: type[APIError]
) -> None:
    caught = from_response(status, {}, json.dumps(body).encode(), [json.dumps(body)])
    assert type(caught) is kind


@pytest.mark.parametrize("header", ["x-request-id", "request-id"])
def test_details_and_request_id_are_kept(header: str) -> None:
    body = {"error": {"message": "m", "type": "t", "param": None, "code": 7}}
    caught = error(400, body, {header: "r1"})
    assert (caught.details, caught.request_id) == ({"type": "t", "code": "7"}, "r1")
    refused = error(
        422, {"detail": [{"type": "missing", "loc": ["body", "prompt"], "msg": "m", "input": PROMPT}]}
    )
    assert refused.details == {"loc": "body.prompt", "type": "missing"}


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3.0), ("0.5", 0.5), ("Wed, 21 Oct", None), (None, None)]
)
def test_when_to_ask_again_is_known(header: str | None, seconds: float | None) -> None:
    caught = error(429, {}, {} if header is None else {"retry-after": header})
    assert isinstance(caught, RateLimitError)
    assert caught.retry_after == seconds


ECHOES: list[tuple[int, Any]] = [
    (422, {"detail": [{"type": "missing", "loc": ["body", "x"], "msg": "m", "input": {"prompt": PROMPT}}]}),
    (422, {"detail": [{"type": "t", "loc": [PROMPT], "msg": PROMPT, "ctx": {"error": PROMPT}}]}),
    (400, {"detail": f"cannot read {PROMPT!r}"}),
    (400, {"detail": f"cannot read {PROMPT[5:40]}..."}),
    (401, {"error": {"message": f"Incorrect API key provided: {KEY}", "type": KEY, "param": PROMPT}}),
    (500, {"error": PROMPT + KEY}),
    (500, PROMPT + KEY),
    (503, {"message": json.dumps(PROMPT)}),
]


@pytest.mark.parametrize("key", [{"api_key": KEY}, {"headers": {"x-api-key": KEY}}], ids=["key", "header"])
@pytest.mark.parametrize(("status", "body"), ECHOES)
async def test_no_error_repeats_the_prompt_or_the_key(status: int, body: Any, key: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nx-request-id: {KEY}\r\ncontent-type: application/json\r\n"
    whole = f"{head}content-length: {len(raw)}\r\n\r\n".encode() + raw
    streamed = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: " + raw + b"\n\n"
    request = CompletionRequest(PROMPT, suffix="x" * 30)
    for answer, then in ((whole, "keep"), (streamed, "close")):
        async with (
            replaying([answer], then=then) as server,
            CompletionsClient(server.url, **key) as client,
        ):
            for ask in (client.create(request), _read(client, request)):
                with pytest.raises(CompletionError) as caught:
                    await ask
                _assert_discreet(caught.value)
            assert KEY not in repr(client)


async def test_failures_without_an_answer_are_discreet_too() -> None:
    request = CompletionRequest(PROMPT)
    async with CompletionsClient("http://127.0.0.1:1", api_key=KEY) as client:
        with pytest.raises(RequestError) as caught:
            await client.create(request)
    assert (caught.value.code, caught.value.status) == ("connection_error", None)
    assert caught.value.__cause__ is not None
    _assert_discreet(caught.value)
    for wrong in ({"api_key": KEY + "\n"}, {"headers": {"x": KEY + "\n"}}, {"headers": {KEY + ":": "x"}}):
        with pytest.raises(ValidationError) as refused:
            CompletionsClient("http://127.0.0.1:1", **wrong)
        _assert_discreet(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        b'{"choices": null}',
        b'{"choices": [{"text": 5}]}',
        b'{"choices": [{"text": null}]}',
        b'{"choices": [{"index": true}]}',
        b'{"choices": ["def launch_code"]}',
        b'{"choices": [], "usage": "def launch_code"}',
    ],
)
async def test_an_answer_of_another_form_is_one_clear_error(body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\ncontent-type: " % len(body)
    whole = head + b"application/json\r\n\r\n" + body
    event = b"data: " + body + b"\n\n"
    streamed = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + event
    request = CompletionRequest(PROMPT)
    async with replaying([whole]) as server, CompletionsClient(server.url) as client:
        for ask in (client.create(request), client.model(), client.models(), client.health()):
            with pytest.raises(InvalidResponseError) as caught:
                await ask
            assert caught.value.status == 200
            _assert_discreet(caught.value)
    async with replaying([streamed], then="close") as server, CompletionsClient(server.url) as client:
        with pytest.raises(StreamError) as broken:
            await _read(client, request)
        assert broken.value.code == "invalid_chunk"
        _assert_discreet(broken.value)


async def test_a_server_cannot_fill_the_memory() -> None:
    event = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: " + b"x" * (2 << 20)
    async with replaying([event], then="hang") as server, CompletionsClient(server.url) as client:
        with pytest.raises(StreamError, match="longer than"):
            await _read(client, CompletionRequest("x"))
    whole = [b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n", *[b" " * (1 << 20)] * 17]
    async with replaying(whole, then="hang") as server, CompletionsClient(server.url) as client:
        with pytest.raises(InvalidResponseError, match="too long"):
            await asyncio.wait_for(client.create(CompletionRequest("x")), 20)
        pool: Any = client.connection._pool
        assert pool._pool.connections == []


def test_every_error_is_of_one_tree() -> None:
    errors = [
        value for name in package.__all__ if name.endswith("Error") for value in [getattr(package, name)]
    ]
    assert len(errors) == 14
    assert all(issubclass(kind, CompletionError) for kind in errors)


@given(st.text(min_size=12), st.text(), st.text())
def test_a_dozen_characters_of_a_secret_never_pass(secret: str, before: str, after: str) -> None:
    shown = redact(before + secret + after, [secret])
    assert secret[:12] not in shown or secret[:12] in "***" + before + "***" + after


def test_what_is_too_short_for_a_secret_hides_nothing() -> None:
    assert redact("no such model", ["", "o", "mo"]) == "no such model"


def _assert_discreet(caught: BaseException) -> None:
    said = "".join(traceback.format_exception_only(caught)) + repr(caught) + str(vars(caught))
    for secret in ("launch_code", "correct horse", "0123456789", KEY):
        assert secret not in said


async def _read(client: CompletionsClient, request: CompletionRequest) -> None:
    async with client.create_stream(request) as stream:
        async for _ in stream:
            pass
