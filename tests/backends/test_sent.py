"""What each kind of server is sent, read without sending it: options that a server needs, and those that would harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from tabby_ls.backends.backend import BackendError, Infill
from tabby_ls.backends.hosted import read_choice
from tabby_ls.backends.kinds import open_server
from tabby_ls.backends.llamacpp import LlamaCppBackend
from tabby_ls.backends.streams import Piece
from tabby_ls.completions import withholding
from tabby_ls.prompts.families import Family, families
from tabby_ls.settings import BackendSettings

STOP = ("<1>", "<2>", "<3>", "<4>", "<5>")
INFILL = Infill("file:///a.py", "python", "def f():\n    ", "\n", None, True, STOP, 64, 0.0, 0.6, 1)


async def sent(kind: str, infill: Infill = INFILL, **settings: Any) -> dict[str, Any]:
    """The body of the request that a server of that kind would be sent."""
    backend = open_server(BackendSettings(kind=kind, url="http://127.0.0.1:1", **settings))  # type: ignore[arg-type]
    with withholding() as requests, pytest.raises(BackendError):
        async with backend.stream(infill):
            pass
    await backend.close()
    body: dict[str, Any] = json.loads(requests[0].body)
    return body


async def test_tabbyapi_writes_a_token_less_than_it_is_asked_for() -> None:
    assert (await sent("tabbyapi"))["max_tokens"] == 65


async def test_tabbyapi_is_told_whether_the_model_wants_its_begin_token() -> None:
    assert (await sent("tabbyapi"))["add_bos_token"] is True
    assert "add_bos_token" not in await sent("tabbyapi", evolve(INFILL, bos=None))


async def test_tabbyapi_is_told_a_model_only_by_the_users_word() -> None:
    """Another name than the loaded model's may unload that."""
    assert "model" not in await sent("tabbyapi")
    assert (await sent("tabbyapi", model="mine"))["model"] == "mine"


async def test_servers_after_openai_get_no_more_stops_than_the_strictest_takes() -> None:
    assert (await sent("openai"))["stop"] == list(STOP[:4])


async def test_ollama_keeps_the_models_own_stops_where_we_have_none() -> None:
    assert (await sent("ollama"))["options"]["stop"] == list(STOP)
    assert "stop" not in (await sent("ollama", evolve(INFILL, stop=())))["options"]


@pytest.mark.parametrize(("said", "keep_alive"), [("30m", "30m"), ("-1", -1), ("600", 600)])
async def test_ollama_takes_seconds_as_numbers(said: str, keep_alive: str | int) -> None:
    assert (await sent("ollama", keep_alive=said))["keep_alive"] == keep_alive


@pytest.mark.parametrize(
    ("lines", "invoked", "options"),
    [
        (1, False, {}),
        (3, False, {"n_indent": 4, "t_max_predict_ms": 1500}),
        (3, True, {"n_indent": 4}),
    ],
)
async def test_llama_cpp_ends_a_block_where_it_is_left_and_does_not_write_long_unasked(
    lines: int, invoked: bool, options: dict[str, int]
) -> None:
    body = await sent("llamacpp", evolve(INFILL, max_lines=lines, invoked=invoked))
    assert {name: body[name] for name in ("n_indent", "t_max_predict_ms") if name in body} == options


def wants_the_suffix_first(family: Family) -> bool:
    places = family.template.places if family.template else ()
    return "suffix" in places and places.index("suffix") < places.index("prefix")


@pytest.mark.parametrize("family", [*filter(wants_the_suffix_first, families())], ids=lambda it: it.name)
async def test_llama_cpp_is_not_asked_to_fill_in_for_a_family_that_wants_the_suffix_first(
    family: Family,
) -> None:
    backend = LlamaCppBackend(BackendSettings(url="http://127.0.0.1:1"))
    assert not await backend.fills_in(family.name, has_template=True)


async def test_mercury_is_told_that_nothing_follows() -> None:
    assert (await sent("mercury", evolve(INFILL, suffix="")))["suffix"] == "<|endoftext|>"
    assert (await sent("mistral", evolve(INFILL, suffix="")))["suffix"] == ""


@pytest.mark.parametrize(
    ("event", "piece"),
    [
        ({"choices": [{"delta": {"content": "a"}, "finish_reason": None}]}, Piece("a")),
        ({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}, Piece("a", True)),
        ({"choices": [{"text": "a", "finish_reason": "length"}]}, Piece("a", True, True)),
        ({"choices": [{"delta": {}, "finish_reason": "stop"}]}, Piece("", True)),
        ({"choices": [], "usage": {"prompt_tokens": 3}}, Piece()),
    ],
    ids=["chat", "chat in one piece", "completion", "the end", "only counts"],
)
def test_services_answer_in_one_of_two_shapes(event: dict[str, Any], piece: Piece) -> None:
    assert read_choice(event) == piece
