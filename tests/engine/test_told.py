"""What an outcome tells besides the suggestion: what the backend did for it, and how the backend is."""

from __future__ import annotations

import pytest

from tabby_ls.backends.backend import ModelInfo
from tabby_ls.engine.outcome import Event, Generated, Reason
from tests.engine.conftest import Clock, EngineFactory
from tests.support.fake_backend import DOWN, FakeBackend
from tests.support.typist import Typist
from tests.support.waiting import eventually


async def test_what_the_backend_wrote_used_or_not(engine_over: EngineFactory, generated: list[Event]) -> None:
    backend = FakeBackend(["com", "pute(x)\ny = ", "2\n"], model=ModelInfo("Qwen2.5-Coder-7B"))
    outcome = await Typist(engine_over(backend, max_tokens=77), "x = |\n").ask()
    told = outcome.generated
    assert told is not None
    assert (told.model, told.backend, told.language) == ("Qwen2.5-Coder-7B", "fake", "python")
    assert told.max_tokens == 77
    assert told.characters >= len("compute(x)\n")
    assert outcome.snapshot is not None
    assert not outcome.invoked
    await eventually(lambda: generated)
    (event,) = generated
    assert isinstance(event, Generated)
    assert not event.failed
    assert event.first_text is not None
    assert event.seconds >= event.first_text


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ("compute(x)\ny = 2\n", "the line was complete"),
        ("compute(x)", ""),
        ("compute(x)<|endoftext|>y", "the model wrote what no file should hold"),
        ("a" + " ab" * 200, "it went in circles"),
    ],
)
async def test_why_no_more_was_read(engine_over: EngineFactory, answer: str, rule: str) -> None:
    outcome = await Typist(engine_over(FakeBackend([answer])), "x = |\n").ask()
    assert outcome.generated is not None
    assert outcome.generated.rule == rule


async def test_an_answer_that_used_up_its_tokens(engine_over: EngineFactory) -> None:
    outcome = await Typist(engine_over(FakeBackend(["compute some"], cut_short=True)), "x = |\n").ask()
    assert outcome.generated is not None
    assert "`max_tokens`" in outcome.generated.rule


async def test_since_when_it_fails_and_when_it_is_asked_again(
    engine_over: EngineFactory, generated: list[Event], clock: Clock
) -> None:
    typist = Typist(engine_over(FakeBackend([DOWN])), "x = |\n")
    first = await typist.ask()
    assert first.reason is Reason.BACKEND_FAILED
    assert first.failing is not None
    assert first.failing.since < 0.5
    assert 0.5 < first.failing.asked_again <= 1
    clock.skip(0.5)
    resting = await typist.ask()
    assert resting.reason is Reason.BACKEND_RESTING
    assert resting.failing is not None
    assert resting.failing.since >= 0.5
    assert resting.failing.asked_again <= 0.5
    clock.skip(40)
    again = await typist.ask()
    assert again.failing is not None
    assert again.failing.since >= 40
    assert 1 < again.failing.asked_again <= 2
    assert [event.failed for event in generated if isinstance(event, Generated)] == [True, True]
