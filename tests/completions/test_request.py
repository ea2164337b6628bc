"""Requests: what is unset is not sent, what is wrong is refused before anything is sent."""

from __future__ import annotations

import inspect
import json
import math
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.completions import (
    DEFAULT_STREAM_MAX_TOKENS,
    CompletionRequest,
    StreamOptions,
    ValidationError,
)
from tabby_ls.completions.request import encode

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "prompt": st.text() | st.lists(st.text(), min_size=1),
    "max_tokens": st.integers(0, 10**6),
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "top_k": st.integers(-1, 1000),
    "min_p": st.floats(0, 1),
    "stop": st.text() | st.lists(st.text() | st.integers(0, 10**5)),
    "model": st.text(),
    "json_schema": st.dictionaries(st.text(), st.none() | st.text()),
    "response_format": st.dictionaries(st.text(), st.text()),
    "n": st.integers(1, 8),
    "logprobs": st.integers(0, 10),
    "seed": st.integers(),
    "suffix": st.text(),
    "token_healing": st.booleans(),
    "add_bos_token": st.booleans(),
    "stream_options": st.builds(StreamOptions, include_usage=st.booleans()),
    "extra": st.dictionaries(st.sampled_from(["echo", "user"]), st.text()),
}
REQUESTS = st.fixed_dictionaries(
    {"prompt": VALUES["prompt"]},
    optional={name: st.none() | values for name, values in VALUES.items() if name != "prompt"},
)


def test_every_parameter_is_tried_here() -> None:
    assert {field.name for field in attrs.fields(CompletionRequest)} == {*VALUES, "stream"}


@given(REQUESTS, st.booleans())
def test_nothing_unset_is_sent_and_everything_set_is(given_values: dict[str, Any], stream: bool) -> None:
    wire = json.loads(encode(CompletionRequest(**given_values).to_wire(stream=stream)))
    assert None not in wire.values()
    expected = {name: value for name, value in given_values.items() if value is not None}
    expected |= expected.pop("extra", {})
    if "stream_options" in expected:
        expected["stream_options"] = attrs.asdict(expected["stream_options"])
    if stream:
        expected = {"max_tokens": DEFAULT_STREAM_MAX_TOKENS} | expected | {"stream": True}
    assert wire == expected


def test_zero_and_false_are_sent() -> None:
    request = CompletionRequest(
        "x", temperature=0, top_p=0, top_k=0, max_tokens=0, logprobs=0, add_bos_token=False, stop=[]
    )
    assert request.to_wire(stream=False) == {
        "prompt": "x",
        "temperature": 0,
        "top_p": 0,
        "top_k": 0,
        "max_tokens": 0,
        "logprobs": 0,
        "add_bos_token": False,
        "stop": (),
    }


def test_only_a_stream_gets_a_default_for_max_tokens() -> None:
    request = CompletionRequest("x")
    assert request.to_wire(stream=False) == {"prompt": "x"}
    assert request.to_wire(stream=True) == {"prompt": "x", "max_tokens": 256, "stream": True}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", None),
        ("prompt", []),
        ("prompt", [1, 2]),
        ("prompt", b"bytes"),
        ("max_tokens", -1),
        ("max_tokens", 1.5),
        ("max_tokens", True),
        ("max_tokens", "5"),
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("temperature", math.nan),
        ("temperature", "hot"),
        ("top_p", 1.01),
        ("top_k", -2),
        ("min_p", math.inf),
        ("stream", "yes"),
        ("stop", 5),
        ("stop", [1.5]),
        ("stop", [None]),
        ("model", 5),
        ("json_schema", "{}"),
        ("json_schema", {"a": object()}),
        ("json_schema", {"a": math.nan}),
        ("response_format", ["json"]),
        ("n", 0),
        ("logprobs", True),
        ("seed", "1"),
        ("suffix", 1),
        ("token_healing", 1),
        ("add_bos_token", "no"),
        ("stream_options", {"include_usage": True}),
        ("extra", {"temperature": 3}),
        ("extra", {"echo": None}),
        ("extra", ["echo"]),
    ],
)
def test_a_wrong_value_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        CompletionRequest(**{"prompt": "a", field: value})
    assert caught.value.field == field
    assert caught.value.message.startswith(f"{field} must")
    assert caught.value.code == "validation_error"
    assert caught.value.status is None


def test_a_request_says_nothing_of_the_users_text() -> None:
    request = CompletionRequest("secret", suffix="secret", stop=["secret"], json_schema={"secret": 1})
    assert "secret" not in repr(request)


def test_asking_for_the_wrong_kind_of_answer_is_refused() -> None:
    with pytest.raises(ValidationError, match="stream"):
        CompletionRequest("x", stream=True).to_wire(stream=False)
    assert CompletionRequest("x", stream=True).to_wire(stream=True)["stream"] is True


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("x = \ud83d", "x = \ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ud83d\u2028", "\ufffd\u2028"),
    ],
)
def test_half_a_surrogate_pair_is_replaced_and_a_pair_is_joined(text: str, sent: str) -> None:
    assert json.loads(encode({"prompt": text, "n": 1})) == {"prompt": sent, "n": 1}


@given(st.text(alphabet=st.characters(exclude_categories=[]) | st.characters(categories=["Cs"])))
def test_whatever_the_text_valid_utf_8_is_sent(text: str) -> None:
    sent = json.loads(encode({"prompt": text}).decode("utf-8"))["prompt"]
    assert sent == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def test_a_type_checker_is_told_what_may_be_given() -> None:
    # attrs takes the types of its signature, which mypy reads as well, from the converters.
    given = {name: it.annotation for name, it in inspect.signature(CompletionRequest).parameters.items()}
    assert given["prompt"] == "str | Sequence[str]"
    assert "object" not in given.values()
