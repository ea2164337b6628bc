"""What is asked, when, and what becomes of the answer."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.engine import requests
from tabby_ls.engine.outcome import Event, Origin, Outcome, Reason
from tabby_ls.engine.requests import Request
from tabby_ls.engine.snapshot import Suggestion
from tabby_ls.engine.switches import Scope, Switches
from tabby_ls.settings import Settings
from tests.engine.conftest import EngineFactory
from tests.support.fake_backend import DOWN, FakeBackend
from tests.support.typist import Typist, snapshot_at, text_of
from tests.support.waiting import eventually, remains

# Asking


async def test_a_request_is_answered_with_what_the_backend_writes(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["a +", " b\n", "more"])
    outcome = await Typist(engine_over(backend), "return |").ask()
    assert outcome.reason is Reason.SHOWN
    assert outcome.origin is Origin.ASKED
    assert outcome.suggestion == Suggestion("a + b")
    assert outcome.complete
    assert outcome.timings.asked is not None
    assert outcome.timings.first_text is not None
    assert outcome.timings.answered is not None


async def test_the_stream_is_closed_once_nothing_more_can_be_used(engine_over: EngineFactory) -> None:
    """After the line that is shown, one more is read: it is known then once the first was accepted."""
    backend = FakeBackend(["a + b", "\n", "more = 1", "\n", "and_so_on = 2"])
    typist = Typist(engine_over(backend), "return |")
    assert text_of(await typist.ask()) == "a + b"
    (stream,) = backend.streams
    await eventually(lambda: stream.is_closed)
    assert stream.written == ["a + b", "\n", "more = 1", "\n"]


async def test_the_first_line_is_shown_before_the_next_one_has_come(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["a + b", "\n", asyncio.Event()])
    outcome = await Typist(engine_over(backend), "return |").ask()
    assert (text_of(outcome), outcome.complete) == ("a + b", True)
    assert backend.open_streams == 1


@pytest.mark.parametrize("script", [[], ["\n"], ["  "]])
async def test_silence_is_nothing_to_say_and_is_remembered(
    engine_over: EngineFactory, script: list[str]
) -> None:
    backend = FakeBackend(script)
    typist = Typist(engine_over(backend), "x|")
    assert (await typist.ask()).reason is Reason.NOTHING_TO_SAY
    assert (await typist.ask()).reason is Reason.NOTHING_TO_SAY
    assert len(backend.streams) == 1
    typist.type("y")
    await typist.ask()
    assert len(backend.streams) == 2


async def test_an_instant_backend_that_had_nothing_to_say_is_asked_again(engine_over: EngineFactory) -> None:
    backend = FakeBackend([], ["1"], is_instant=True)
    typist = Typist(engine_over(backend), "x = |")
    assert (await typist.ask()).reason is Reason.NOTHING_TO_SAY
    assert text_of(await typist.ask()) == "1"


async def test_what_follows_already_is_not_offered(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["y = 2\n"])
    outcome = await Typist(engine_over(backend), "x = 1\n|\ny = 2\n").ask()
    assert outcome.reason is Reason.ALREADY_THERE
    assert outcome.suggestion is None


async def test_special_tokens_end_the_answer_and_are_never_offered(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["1 + 1", "<|fim", "_pad|>", "garbage"])
    assert text_of(await Typist(engine_over(backend), "x = |").ask()) == "1 + 1"
    assert backend.streams[0].written[-1] == "_pad|>"


async def test_a_word_cut_by_the_token_limit_is_not_offered(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["first, seco"], cut_short=True)
    assert text_of(await Typist(engine_over(backend), "f(|").ask()) == "first,"


async def test_every_outcome_and_failure_is_reported(
    engine_over: EngineFactory, watched: list[Event]
) -> None:
    backend = FakeBackend(["1"], [DOWN])
    typist = Typist(engine_over(backend), "x = |")
    first = await typist.ask()
    typist.type("2")
    second = await typist.ask()
    assert watched == [first, DOWN, second]


# Invoked requests


async def test_invoked_requests_do_not_wait_and_get_a_block(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["x = 1\n", "y = 2\n", "z = 3"])
    typist = Typist(engine_over(backend, debounce_ms=10_000), "|")
    assert text_of(await typist.ask(invoked=True)) == "x = 1\ny = 2\nz = 3"


async def test_an_invoked_request_is_not_put_off_with_an_automatic_answer(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["x = 1\n"], ["x = 1\n", "y = 2"])
    typist = Typist(engine_over(backend), "|")
    assert text_of(await typist.ask()) == "x = 1"
    assert text_of(await typist.ask(invoked=True)) == "x = 1\ny = 2"
    assert text_of(await typist.ask(invoked=True)) == "x = 1\ny = 2"
    assert len(backend.streams) == 2


async def test_an_invoked_request_ends_a_running_automatic_one(engine_over: EngineFactory) -> None:
    backend = FakeBackend([asyncio.Event()], ["x = 1\n", "y = 2"])
    typist = Typist(engine_over(backend), "|")
    automatic = typist.ask()
    await eventually(lambda: backend.streams)
    assert text_of(await typist.ask(invoked=True)) == "x = 1\ny = 2"
    assert (await automatic).reason is Reason.SUPERSEDED
    assert backend.streams[0].is_closed


# Pacing


async def test_a_burst_of_keys_makes_one_backend_request(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["!"])
    typist = Typist(engine_over(backend, debounce_ms=50), "|")
    asked = []
    for key in "return":
        typist.type(key)
        asked.append(typist.ask())
        await asyncio.sleep(0)
    *older, newest = [await asking for asking in asked]
    assert {outcome.reason for outcome in older} == {Reason.SUPERSEDED}
    assert text_of(newest) == "!"
    assert [stream.infill.prefix for stream in backend.streams] == ["return"]


async def test_memory_does_not_wait(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["compute"])
    typist = Typist(engine_over(backend, debounce_ms=10_000), "|")
    await typist.ask(invoked=True)
    typist.type("com")
    assert text_of(await typist.ask()) == "pute"


async def test_an_instant_backend_is_not_waited_for(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["1"], is_instant=True)
    typist = Typist(engine_over(backend, debounce_ms=10_000), "x = |")
    assert text_of(await typist.ask()) == "1"


# Deadlines


async def at_the_deadline(typist: Typist) -> Outcome:
    """The outcome of a request whose time is over once something has arrived."""
    typist.ask()
    await eventually(lambda: typist.engine.running_text(typist.now.uri))
    return await typist.ask(deadline=0)


async def test_at_the_deadline_what_is_there_is_offered_and_the_rest_remembered(
    engine_over: EngineFactory,
) -> None:
    go = asyncio.Event()
    backend = FakeBackend(["\n    total = a + b\n    retu", go, "rn total\n"])
    typist = Typist(engine_over(backend), "def add(a, b):|\n")
    outcome = await at_the_deadline(typist)
    assert text_of(outcome) == "\n    total = a + b"
    assert not outcome.complete
    go.set()
    await eventually(lambda: backend.open_streams == 0)
    outcome = await typist.ask()
    assert text_of(outcome) == "\n    total = a + b\n    return total"
    assert (outcome.complete, outcome.origin) == (True, Origin.MEMORY)


async def test_at_the_deadline_half_a_word_is_too_little(engine_over: EngineFactory) -> None:
    backend = FakeBackend(["comp", asyncio.Event()])
    outcome = await at_the_deadline(Typist(engine_over(backend), "x = |"))
    assert (outcome.reason, outcome.complete) == (Reason.TOO_LATE, False)


async def test_at_the_deadline_the_beginning_of_a_special_token_is_held_back(
    engine_over: EngineFactory,
) -> None:
    backend = FakeBackend(["value <|fim", asyncio.Event()])
    assert text_of(await at_the_deadline(Typist(engine_over(backend), "x = |"))) == "value"


async def test_without_an_answer_a_request_ends_at_its_deadline(engine_over: EngineFactory) -> None:
    backend = FakeBackend([asyncio.Event()])
    outcome = await Typist(engine_over(backend), "x = |").ask(deadline=0.02)
    assert outcome.reason is Reason.TOO_LATE


# Long answers


async def test_whole_lines_are_shown_before_a_long_block_has_ended(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "_PATIENCE", 0.02)
    go = asyncio.Event()
    backend = FakeBackend(["\n    a\n    b\n    c", go, "cc\n    d\nx\n"])
    typist = Typist(engine_over(backend), "def f():|\n")
    outcome = await typist.ask(deadline=600)
    assert (text_of(outcome), outcome.complete) == ("\n    a\n    b", False)
    assert outcome.suggestion is not None
    typist.accept(outcome.suggestion)
    asking = typist.ask()
    go.set()
    assert text_of(await asking) == "\n    ccc\n    d"
    assert len(backend.streams) == 1


async def test_an_invoked_request_waits_for_all_of_its_answer(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "_PATIENCE", 0.0)
    go = asyncio.Event()
    backend = FakeBackend(["\n    a\n    b\n", go, "    c\nx\n"])
    asking = Typist(engine_over(backend), "def f():|\n").ask(invoked=True)
    await eventually(lambda: backend.streams and backend.streams[0].written)
    await remains(lambda: not asking.done(), seconds=0.05)
    go.set()
    assert text_of(await asking) == "\n    a\n    b\n    c"


async def test_who_does_not_ask_again_gets_all_of_a_slow_answer(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "_PATIENCE_INVOKED", 0.0)
    go = asyncio.Event()
    backend = FakeBackend(["\n    a\n    b\n", go, "    c\nx\n"])
    request = Request(snapshot_at("def f():|\n"), invoked=True, deadline=600, waits_for_all=True)
    asking = asyncio.create_task(engine_over(backend).suggest(request))
    await eventually(lambda: backend.streams and backend.streams[0].written)
    await remains(lambda: not asking.done(), seconds=0.05)
    go.set()
    assert text_of(await asking) == "\n    a\n    b\n    c"


async def test_but_not_long_for_what_is_not_part_of_it(
    engine_over: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "_PATIENCE_INVOKED", 0.02)
    backend = FakeBackend(["a = 1\n", asyncio.Event()])
    typist = Typist(engine_over(backend, multiline="never"), "|")
    async with asyncio.timeout(60):  # the deadline brings the same
        outcome = await typist.ask(invoked=True, deadline=600)
    assert (text_of(outcome), outcome.complete) == ("a = 1", True)


# The gate


def test_a_notebook_s_cells_are_one_file_to_its_switch() -> None:
    switches, settings = Switches(), Settings()
    switches.turn(Scope.FILE, "vscode-notebook-cell:/work/a.ipynb#W0s", "python", settings, on=False)
    for uri, is_on in [("a.ipynb#W1s", False), ("b.ipynb#W0s", True)]:
        assert switches.is_on(Scope.FILE, f"vscode-notebook-cell:/work/{uri}", "python", settings) == is_on


@pytest.mark.parametrize(
    ("settings", "uri", "reason"),
    [
        ({"enabled": False}, "file:///work/a.py", Reason.DISABLED),
        ({"trigger": "manual"}, "file:///work/a.py", Reason.MANUAL_ONLY),
        ({"disabled_languages": ("python",)}, "file:///work/a.py", Reason.LANGUAGE_DISABLED),
        ({"exclude": ("generated/",)}, "file:///work/generated/a.py", Reason.FILE_EXCLUDED),
        ({}, "file:///work/.env", Reason.PRIVATE_FILE),
    ],
)
async def test_the_gate_says_why(
    engine_over: EngineFactory, settings: dict[str, object], uri: str, reason: Reason
) -> None:
    backend = FakeBackend(["1"])
    engine = engine_over(backend, **settings)
    now = snapshot_at("x = |", uri=uri)
    assert (await engine.suggest(Request(now, False, 5))).reason is reason
    assert backend.streams == []
    invoked = await engine.suggest(Request(now, True, 5))
    assert (invoked.reason is Reason.SHOWN) == (reason is Reason.MANUAL_ONLY)
