"""The table of shaping cases, tests/shaping/*.toml: from a document and a model's answer to the document after.

Every case is read whole, by token and by character: how an answer is cut into pieces must not matter.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, evolve

from tabby_ls.engine.inflight import Generation, Purpose
from tabby_ls.engine.reading import read_answer
from tabby_ls.engine.shaping.mode import choose_mode
from tabby_ls.engine.shaping.shape import shape
from tabby_ls.engine.target import Target
from tabby_ls.prompts.families import family_named
from tabby_ls.settings import Settings
from tests.support.fake_backend import FakeBackend
from tests.support.typist import applied, snapshot_at


@define
class Case:
    name: str
    before: str
    answer: str
    after: str
    language: str = "python"
    invoked: bool = False
    cut_short: bool = False
    chat: bool = False
    family: str = ""
    multiline: str = "auto"
    why: str = ""


CASES = [
    Case(**case)
    for file in sorted((Path(__file__).parent.parent / "shaping").glob("*.toml"))
    for case in tomllib.loads(file.read_text("utf-8"))["case"]
]
PIECES: dict[str, Callable[[str], list[str]]] = {
    "whole": lambda answer: [answer],
    "by token": lambda answer: re.findall(r" ?\w+|\s+|[^\w\s]+", answer),
    "by character": list,
    "at random": lambda answer: _at_random(answer, random.Random(answer)),
}


def _at_random(answer: str, chance: random.Random) -> list[str]:
    ends = sorted(chance.sample(range(len(answer)), min(len(answer), 5)))
    return [answer[start:end] for start, end in zip([0, *ends], [*ends, len(answer)], strict=True)]


@pytest.mark.parametrize("pieces", PIECES)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_case(case: Case, pieces: str) -> None:
    now = snapshot_at(case.before, case.language)
    mode = choose_mode(now, multiline=case.multiline, invoked=case.invoked)
    backend = FakeBackend(PIECES[pieces](case.answer), cut_short=case.cut_short)
    target = Target(backend, Settings())
    purpose = Purpose.INVOKED if case.invoked else Purpose.AUTOMATIC
    generation = Generation(now, mode, purpose, target)
    infill = evolve(target.infill(now, mode, invoked=case.invoked), is_chat=case.chat)
    await read_answer(generation, backend, infill, family_named(case.family) if case.family else None)
    generation.ended = True
    suggestion = shape(generation.suggestion_for(now) or "", now)
    if case.after == "nothing":
        assert suggestion is None
    else:
        assert suggestion is not None
        assert applied(suggestion, now) == case.after


def test_the_table_is_as_wide_as_it_says() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 250
    assert len({case.language for case in CASES}) >= 25
