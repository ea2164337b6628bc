"""The local model behind the protocol of backends: what it is asked, and how careful it becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from tabby_ls.backends.backend import Infill
from tabby_ls.backends.local import Caution, LocalBackend
from tabby_ls.local_model.model import Prediction, Query

INFILL = Infill("file:///a.py", "python", "x = 1\nret", "\n", None, None, (), 64, 0.0, 0.6, 1)


class OneAnswer:
    """A model that always says the same, and remembers what it was asked."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked: list[Query] = []

    def predict(self, query: Query, *, cancelled: Callable[[], bool], **_: Any) -> Prediction | None:
        self.asked.append(query)
        self.cancelled = cancelled
        return None if self.text is None else Prediction(self.text, 0.9)


async def read(backend: LocalBackend, infill: Infill) -> list[str]:
    async with backend.stream(infill) as stream:
        return [piece async for piece in stream]


async def test_a_prediction_is_a_stream_of_one_piece() -> None:
    model: Any = OneAnswer("urn x")
    assert await read(LocalBackend(lambda: model), INFILL) == ["urn x"]
    [query] = model.asked
    assert (query.path, query.prefix, query.suffix, query.threshold) == (
        "file:///a.py",
        "x = 1\nret",
        "\n",
        0.6,
    )


async def test_a_prediction_that_is_left_is_told_so() -> None:
    model: Any = OneAnswer("urn x")
    async with LocalBackend(lambda: model).stream(INFILL) as stream:
        assert [piece async for piece in stream]
        assert not model.cancelled()
    assert model.cancelled()


async def test_silence_is_an_empty_stream() -> None:
    model: Any = OneAnswer(None)
    assert await read(LocalBackend(lambda: model), INFILL) == []


async def test_after_a_suggestion_was_typed_past_the_threshold_is_higher_on_that_line() -> None:
    model: Any = OneAnswer("urn x")
    backend = LocalBackend(lambda: model)
    lines = ["ret", "retr", "retry", "retry()\n"]
    for line in lines:
        await read(backend, evolve(INFILL, prefix=f"x = 1\n{line}"))
    assert [round(query.threshold, 2) for query in model.asked] == [0.6, 0.75, 0.75, 0.6]


def test_what_was_accepted_was_not_typed_past() -> None:
    caution = Caution()
    caution.said(Query("file:///a.py", "x = 1\nret", "\n", 0.6, 1), "urn x")
    assert caution.threshold(evolve(INFILL, prefix="x = 1\nreturn x")) == 0.6
    assert caution.threshold(evolve(INFILL, prefix="x = 1\nreturn x + 1")) == 0.6


def test_another_line_or_file_is_another_matter() -> None:
    caution = Caution()
    caution.said(Query("file:///a.py", "ret", "\n", 0.6, 1), "urn x")
    assert caution.threshold(evolve(INFILL, prefix="retry")) == 0.75
    assert caution.threshold(evolve(INFILL, prefix="retry", threshold=0.35, invoked=True)) == 0.35
    assert caution.threshold(evolve(INFILL, prefix="retry\nret")) == 0.6
    assert caution.threshold(evolve(INFILL, prefix="retry", uri="file:///b.py")) == 0.6


def test_no_line_is_silenced_for_good() -> None:
    caution = Caution()
    caution.said(Query("file:///a.py", "ret", "\n", 0.9, 1), "urn x")
    assert caution.threshold(evolve(INFILL, prefix="retry", threshold=0.9)) == 0.95
