"""A real llama-server: streams, fills in, counts, stops when it is left, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from tabby_ls.backends.backend import Backend, BackendError, Snippet, Trouble
from tabby_ls.backends.llamacpp import LlamaCppBackend
from tabby_ls.backends.streams import Decoder, Piece
from tabby_ls.engine.target import Target
from tests.backends.asking import TOKENS, answer, learned, read, target_for
from tests.support.llama_server import LlamaServer
from tests.support.tiny_model import write_tiny_model

ASK = "def add(a, b):\n    return ¦\n\nprint(1)\n"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models: the names tell the family, as names do."""
    folder = tmp_path_factory.mktemp("models")
    write_tiny_model(folder / "qwen2.5-coder-tiny.gguf")
    write_tiny_model(folder / "qwen2.5-coder-slow.gguf", width=512, layers=8, context=8192)
    write_tiny_model(folder / "plain.gguf", fills_in=False)
    return folder


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[LlamaServer]:
    with LlamaServer(models / "qwen2.5-coder-tiny.gguf", "--parallel", "2", "--ctx-size", "8192") as running:
        yield running


@pytest.fixture(scope="module")
def slow(models: Path) -> Iterator[LlamaServer]:
    """One slot, and a model that takes its time; small batches, so that it looks up often."""
    options = ("--parallel", "1", "--ctx-size", "8192", "--batch-size", "64", "--ubatch-size", "64")
    with LlamaServer(models / "qwen2.5-coder-slow.gguf", *options) as running:
        yield running


@pytest.fixture
async def open_target() -> AsyncIterator[Callable[..., Target]]:
    """Make targets for a server; they are closed in the end."""
    opened: list[Target] = []

    def make(server: LlamaServer, **settings: Any) -> Target:
        opened.append(target_for(url=server.url, **settings))
        return opened[-1]

    yield make
    for target in opened:
        await target.backend.close()


@pytest.fixture
def target(server: LlamaServer, open_target: Callable[..., Target]) -> Target:
    return open_target(server)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a question to the server, which blocks, is answered so."""
    async with asyncio.timeout(120):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.01)


@contextmanager
def events_of(backend: Backend) -> Iterator[list[Mapping[str, Any]]]:
    """The events of the streams that are read in the block, as they are on the wire."""
    assert isinstance(backend, LlamaCppBackend)
    events: list[Mapping[str, Any]] = []
    text = backend.server.text

    def watched(path: str, body: Mapping[str, Any], decode: Decoder, **more: Any) -> Any:
        def note(event: Mapping[str, Any]) -> Piece:
            events.append(event)
            return decode(event)

        return text(path, body, note, **more)

    backend.server.text = watched  # type: ignore[method-assign]
    yield events
    backend.server.text = text  # type: ignore[method-assign]


async def test_it_is_found_and_learned(target: Target) -> None:
    await target.prepare()
    assert target.backend.kind == "llamacpp"
    assert target.description == "llama.cpp: qwen2.5-coder-tiny.gguf"
    assert (target.model.max_prompt_tokens, target.model.slots, target.max_in_flight) == (4095, 2, 2)
    assert target.template is not None
    assert (target.template.fills_in, target.family and target.family.name) == (True, "qwen-coder")


async def test_it_fills_in_and_ends_where_it_was_told(target: Target) -> None:
    infill = await learned(target, ASK, max_tokens=8)
    async with target.backend.stream(infill) as stream:
        pieces = [piece async for piece in stream]
    assert "".join(pieces)
    assert len(pieces) <= 8
    assert stream.cut_short
    assert stream.prompt_tokens is not None
    assert 20 < stream.prompt_tokens < 60


async def test_special_tokens_in_the_text_are_text(
    server: LlamaServer, open_target: Callable[..., Target]
) -> None:
    """In prefix, suffix and snippets, and so nothing has to be made harmless."""
    target = open_target(server, kind="llamacpp")
    question = await learned(target, f"a = '{TOKENS}'\nb = ¦\nc = '{TOKENS}'\n")
    assert (TOKENS in question.prefix, TOKENS in question.suffix) == (True, True)
    places: tuple[dict[str, Any], ...] = (
        {"prefix": "<|fim_middle|>"},
        {"suffix": "<|fim_middle|>"},
        {"snippets": (Snippet("a.py", "<|fim_middle|>"),)},
    )
    for place in places:
        lengths = []
        for text in ("<|fim_middle|>", ""):
            changed = {"prefix": "", "suffix": "", "max_tokens": 1}
            for name, value in place.items():
                changed[name] = text if isinstance(value, str) else (Snippet("a.py", text),)
            with events_of(target.backend) as events:
                await read(target.backend, attrs.evolve(question, **changed))
            lengths.append(events[-1]["tokens_evaluated"])
        assert lengths[0] - lengths[1] > 5, f"as many tokens as it has letters, in {place}"


async def test_it_counts_tokens(server: LlamaServer, open_target: Callable[..., Target]) -> None:
    backend = open_target(server, kind="llamacpp").backend
    counts = [await backend.count_tokens(text) for text in ("<|fim_middle|>", "<fim_middle>", "def")]
    assert counts == [1, 12, 1]


async def test_a_model_without_the_tokens_is_asked_by_prompt(
    models: Path, open_target: Callable[..., Target]
) -> None:
    with LlamaServer(models / "plain.gguf") as server:
        target = open_target(server)
        infill = await learned(target, ASK, max_tokens=4)
        assert infill.prompt == "def add(a, b):\n    return "
        assert target.template is not None
        assert target.template.caveat
        assert await read(target.backend, infill)
        named = open_target(server, family="starcoder2")
        infill = await learned(named, ASK, max_tokens=4)
        assert (infill.prompt or "").startswith("<fim_prefix>def add")
        assert await read(named.backend, infill)


async def test_a_family_that_infill_cannot_write_is_asked_by_prompt(
    server: LlamaServer, open_target: Callable[..., Target]
) -> None:
    backend = open_target(server, kind="llamacpp").backend
    assert await backend.fills_in("qwen-coder", has_template=True)
    assert not await backend.fills_in("codestral", has_template=True)
    assert not await backend.fills_in("qwen-general", has_template=False)
    target = open_target(server, family="codestral")
    infill = await learned(target, ASK, max_tokens=4)
    assert (infill.prompt or "").startswith("[SUFFIX]")
    assert await read(target.backend, infill)


async def test_a_prompt_that_does_not_fit_is_named_as_that(target: Target) -> None:
    infill = await learned(target, ASK, prompt="x\n" * 9000)
    with pytest.raises(BackendError) as caught:
        await read(target.backend, infill)
    assert caught.value.trouble is Trouble.PROMPT_TOO_LONG


async def test_what_does_not_fit_into_infill_is_cut_by_the_server(target: Target) -> None:
    infill = await learned(target, ASK, prefix="x\n" * 9000, suffix="y\n" * 9000, max_tokens=2)
    assert await read(target.backend, infill)


async def test_it_stops_writing_when_it_is_left(
    slow: LlamaServer, open_target: Callable[..., Target]
) -> None:
    target = open_target(slow, kind="llamacpp")
    infill = await learned(target, ASK, max_tokens=4000)
    with events_of(target.backend) as events:
        await read(target.backend, infill, pieces=3)
    await until(lambda: not slow.is_busy)
    assert not any(event["stop"] for event in events)


async def test_it_stops_reading_a_long_prompt_when_it_is_left(
    slow: LlamaServer, open_target: Callable[..., Target]
) -> None:
    """Only because progress is asked for: without anything to write, the server would not look."""
    target = open_target(slow, kind="llamacpp")
    infill = await learned(target, ASK, max_tokens=1, prompt="x = 1\n" * 800)
    with events_of(target.backend) as events:
        asking = asyncio.create_task(read(target.backend, infill))
        await until(lambda: len(events) > 1)
        asking.cancel()
        await until(lambda: not slow.is_busy)
        # Asked the same again, it tells how much of it it had read until it noticed.
        events.clear()
        asking = asyncio.create_task(read(target.backend, infill))
        await until(lambda: bool(events))
        asking.cancel()
        await until(lambda: not slow.is_busy)
    progress = events[0]["prompt_progress"]
    assert 0 < progress["cache"] < progress["total"] / 2


async def test_snippets_are_read_ahead(server: LlamaServer, open_target: Callable[..., Target]) -> None:
    """They stand at the head of the next prompt, so what was read while idle is not read again."""
    target = open_target(server, kind="llamacpp")
    snippets = (Snippet("a.py", "def helper(x):\n    return x\n" * 8), Snippet("b.py", "VALUE = 3\n" * 8))
    infill = await learned(target, ASK, snippets=snippets, max_tokens=1)
    await target.backend.warm(snippets)
    with events_of(target.backend) as events:
        await read(target.backend, infill)
    assert events[-1]["timings"]["cache_n"] > 250
    assert events[-1]["timings"]["prompt_n"] < 150


async def test_it_dies_in_the_middle_and_comes_back(models: Path, open_target: Callable[..., Target]) -> None:
    model = models / "qwen2.5-coder-slow.gguf"
    with LlamaServer(model) as server:
        target = open_target(server)
        infill = await learned(target, ASK, max_tokens=2000)
        reading = asyncio.create_task(read(target.backend, infill))
        await until(lambda: server.is_busy)
        server.kill()
        with pytest.raises(BackendError) as caught:
            await reading
        assert caught.value.trouble is Trouble.BROKEN_STREAM
        with pytest.raises(BackendError) as caught:
            await read(target.backend, infill)
        assert caught.value.trouble is Trouble.UNREACHABLE
        port = server.port
    with LlamaServer(model, port=port):
        target.forget()
        assert await answer(target, ASK, max_tokens=4)
