"""Several backends: who is asked, who stands in, and who is asked again once it is well."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.backends.backend import BackendError, ModelInfo, Trouble
from tabby_ls.engine import fallback, health
from tabby_ls.engine.outcome import Event, Prepared, Reason
from tabby_ls.engine.target import Target
from tabby_ls.settings import Settings
from tests.engine.conftest import EngineFactory
from tests.support.fake_backend import DOWN, FakeBackend
from tests.support.typist import Typist, text_of
from tests.support.waiting import eventually, remains

WRONG_KEY = BackendError(Trouble.UNAUTHORIZED, "the server refused the API key")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rests and patience of hundredths of a second."""
    monkeypatch.setattr(health, "_FIRST_REST", 0.02)
    monkeypatch.setattr(health, "_LONGEST_REST", 0.05)
    monkeypatch.setattr(health, "_LEAST_PATIENCE", 0.05)
    monkeypatch.setattr(fallback, "_LEAST_REST", 0.02)


async def test_the_next_one_answers_for_one_that_is_down(engine_over: EngineFactory) -> None:
    first, second = FakeBackend([DOWN]), FakeBackend(["stand-in()"])
    second.kind = "other"
    typist = Typist(engine_over(first, second), "x = |")
    assert text_of(await typist.ask()) == "stand-in()"
    typist.type("stand")
    assert text_of(await typist.ask()) == "-in()"
    assert len(second.streams) == 1, "what it has said is known"
    typist.type("y = ")
    await typist.ask()
    assert (len(first.streams), len(second.streams)) == (1, 2), "the first is left alone for a while"


@pytest.mark.parametrize("error", [DOWN, WRONG_KEY])
async def test_whatever_the_trouble_is(engine_over: EngineFactory, error: BackendError) -> None:
    first, second = FakeBackend(["1"]), FakeBackend(["2"])
    first.trouble = error
    assert text_of(await Typist(engine_over(first, second), "x = |").ask()) == "2"


async def test_one_that_is_back_is_asked_again_and_no_request_had_to_find_out(
    engine_over: EngineFactory, watched: list[Event], quick: None
) -> None:
    first, second = FakeBackend(["1"]), FakeBackend(["2"])
    second.kind = "other"
    first.trouble = DOWN
    typist = Typist(engine_over(first, second), "x = |")
    await typist.ask()
    await eventually(lambda: first.models_asked > 2)
    for key in "abc":
        typist.type(key)
        assert text_of(await typist.ask()) == "2"
    failures = [event for event in watched if event is DOWN]
    assert len(failures) == 1, "only the first request met it"
    first.trouble = None
    await eventually(lambda: any(isinstance(event, Prepared) for event in watched))
    assert text_of(await typist.ask()) == "1", "what others said while it was down no longer counts"


async def test_one_that_the_settings_name_no_more_is_not_asked_again(
    engine_over: EngineFactory, quick: None
) -> None:
    former, backend = FakeBackend(["1"]), FakeBackend(["2"])
    former.trouble = DOWN
    engine = engine_over(former)
    await Typist(engine, "x = |").ask()
    settings = Settings()
    engine.configure(settings, [Target(backend, settings)])
    await remains(lambda: former.models_asked == 1, seconds=0.2)


async def test_while_it_is_found_out_whether_one_is_back_nobody_waits_for_it(
    engine_over: EngineFactory, watched: list[Event], quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = FakeBackend(["1"]), FakeBackend(["2"])
    first.trouble = DOWN
    typist = Typist(engine_over(first, second), "x = |")
    await typist.ask()
    asked, answers = asyncio.Event(), asyncio.Event()
    tells = first.model

    async def tells_late() -> ModelInfo:
        asked.set()
        await answers.wait()
        return await tells()

    monkeypatch.setattr(first, "model", tells_late)
    first.trouble = None
    await eventually(asked.is_set)
    typist.type("a")
    assert text_of(await typist.ask()) == "2"
    answers.set()
    await eventually(lambda: any(isinstance(event, Prepared) for event in watched))
    typist.type("b")
    assert text_of(await typist.ask()) == "1"


async def test_an_idle_editor_learns_of_the_recovery_too(
    engine_over: EngineFactory, watched: list[Event], quick: None
) -> None:
    backend = FakeBackend(["1"])
    backend.trouble = DOWN
    engine = engine_over(backend)
    engine.prepare()
    await eventually(lambda: DOWN in watched)
    assert engine.standing().error is DOWN
    backend.trouble = None
    await eventually(lambda: any(isinstance(event, Prepared) for event in watched))
    assert engine.standing().error is None


async def test_a_wrong_key_is_not_tried_again_and_again(
    engine_over: EngineFactory, watched: list[Event], quick: None
) -> None:
    """Looking it up may ask the user something. The next request does."""
    backend = FakeBackend(["1"])
    backend.trouble = WRONG_KEY
    typist = Typist(engine_over(backend), "x = |")
    await typist.ask()
    await remains(lambda: backend.models_asked == 1, seconds=0.2)
    backend.trouble = None
    assert text_of(await typist.ask()) == "1"


async def test_one_that_takes_much_longer_than_it_used_to_is_left_to_the_next(
    engine_over: EngineFactory, watched: list[Event], quick: None
) -> None:
    never = asyncio.Event()
    first, second = FakeBackend(*([["1"]] * 5), [never]), FakeBackend(["2"])
    typist = Typist(engine_over(first, second), "x = |")
    for key in "abcde":
        typist.type(key)
        assert text_of(await typist.ask()) == "1"
    typist.type("f")
    assert text_of(await typist.ask()) == "2"
    (slow,) = (event for event in watched if isinstance(event, BackendError))
    assert slow.trouble is Trouble.SLOW
    assert slow.message == "Fake takes much longer than usual, so the next backend is asked"
    await eventually(lambda: first.open_streams == 0)


async def test_slowness_does_not_matter_where_nobody_else_could_be_asked(
    engine_over: EngineFactory, quick: None
) -> None:
    late = asyncio.Event()
    only = FakeBackend(*([["1"]] * 5), [late, "2"])
    other = FakeBackend(["3"])
    typist = Typist(engine_over(only, other, said=({}, {"languages": ("go",)})), "x = |")
    for key in "abcde":
        typist.type(key)
        await typist.ask()
    typist.type("f")
    asking = typist.ask()
    await remains(lambda: not asking.done(), seconds=0.2)
    late.set()
    assert text_of(await asking) == "2"


@pytest.mark.parametrize("answers", [0, 4])
async def test_the_first_answers_may_take_their_time(
    engine_over: EngineFactory, quick: None, answers: int
) -> None:
    """It may be loading the model: nothing is usual yet."""
    late = asyncio.Event()
    first, second = FakeBackend(*([["1"]] * answers), [late, "1"]), FakeBackend(["2"])
    typist = Typist(engine_over(first, second), "x = |")
    for key in "abcd"[:answers]:
        typist.type(key)
        await typist.ask()
    typist.type("e")
    asking = typist.ask()
    await remains(lambda: not asking.done(), seconds=0.2)
    late.set()
    assert text_of(await asking) == "1"


async def test_each_request_goes_to_the_backend_it_is_meant_for(engine_over: EngineFactory) -> None:
    small, large, go = FakeBackend(["small"]), FakeBackend(["large"]), FakeBackend(["go"])
    said = (
        {"requests": "automatic", "languages": ("python",)},
        {"requests": "explicit"},
        {"languages": ("go",)},
    )
    engine = engine_over(small, large, go, said=said)
    typist = Typist(engine, "x = |")
    assert text_of(await typist.ask()) == "small"
    typist.type(" ")
    assert text_of(await typist.ask(invoked=True)) == "large"
    assert text_of(await Typist(engine, "x = |", "go").ask()) == "go"


async def test_a_request_that_nobody_is_meant_for_is_answered_with_the_reason(
    engine_over: EngineFactory,
) -> None:
    outcome = await Typist(engine_over(FakeBackend(["1"]), said=({"languages": ("go",)},)), "x = |").ask()
    assert outcome.reason is Reason.NO_BACKEND
