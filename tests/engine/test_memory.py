"""Suggestions that are known already."""

from __future__ import annotations

import pytest

from tabby_ls.engine import memory as memory_module
from tabby_ls.engine.anchor import Anchor
from tabby_ls.engine.memory import Answer, Memory
from tabby_ls.engine.snapshot import Snapshot
from tests.support.typist import snapshot_at

SCOPE = ("kind", "model")


def remember(memory: Memory, origin: Snapshot, *texts: str, invoked: bool = False) -> None:
    answers = [Answer(text, (text.count("\n"),)) for text in texts]
    memory.remember(SCOPE, Anchor.of(origin), answers, invoked=invoked)


def remembering(marked: str, text: str, *, invoked: bool = False) -> Memory:
    memory = Memory()
    remember(memory, snapshot_at(marked), text, invoked=invoked)
    return memory


@pytest.mark.parametrize(
    ("text", "now", "rest"),
    [
        ("foo", "x = |", "foo"),
        ("foo", "x = f|", "oo"),
        ("foo", "x = foo|", None),
        ("foo\n", "x = foo|", None),
        ("foo", "x = b|", None),
        ("foo", "x =|", None),
        ("foo\n    bar", "x = foo\n    b|", "ar"),
        ("", "x = |", ""),
        ("\n", "x = |", "\n"),
        ("", "x = f|", None),
    ],
)
def test_recall(text: str, now: str, rest: str | None) -> None:
    assert remembering("x = |", text).recall(SCOPE, snapshot_at(now), invoked=False) == rest


def test_another_scope_knows_nothing() -> None:
    assert remembering("x = |", "foo").recall(("kind", "other"), snapshot_at("x = |"), invoked=False) is None


def test_other_text_below_makes_it_another_place() -> None:
    memory = remembering("x = |\ny = 1", "foo")
    assert memory.recall(SCOPE, snapshot_at("x = |\ny = 2"), invoked=False) is None


def test_a_newer_answer_to_the_same_state_takes_the_older_ones_place() -> None:
    memory = remembering("x = |", "foo")
    remember(memory, snapshot_at("x = |"), "bar")
    assert memory.recall(SCOPE, snapshot_at("x = |"), invoked=False) == "bar"


def test_silence_at_one_state_does_not_hide_what_is_known_from_before() -> None:
    memory = remembering("x = f|", "")
    remember(memory, snapshot_at("x = |"), "foo")
    assert memory.recall(SCOPE, snapshot_at("x = fo|"), invoked=False) == "o"


@pytest.mark.parametrize("by_key", [True, False])
def test_what_was_asked_for_by_key_serves_both(by_key: bool) -> None:
    memory = remembering("x = |", "foo", invoked=True)
    assert memory.recall(SCOPE, snapshot_at("x = |"), invoked=by_key) == "foo"


def test_what_came_unasked_does_not_serve_a_request_by_key() -> None:
    assert remembering("x = |", "foo").recall(SCOPE, snapshot_at("x = |"), invoked=True) is None


def test_a_forgotten_document_leaves_the_others() -> None:
    memory = remembering("x = |", "foo")
    other = snapshot_at("x = |", uri="file:///work/b.py")
    remember(memory, other, "bar")
    memory.forget("file:///work/a.py")
    assert memory.recall(SCOPE, snapshot_at("x = |"), invoked=False) is None
    assert memory.recall(SCOPE, other, invoked=False) == "bar"


def test_it_holds_so_many_answers_for_a_line_and_so_many_lines() -> None:
    memory = Memory()
    limit = memory_module._ANSWERS
    for number in range(limit + 1):
        remember(memory, snapshot_at("x" * (number + 1) + "|"), "foo")
    assert memory.recall(SCOPE, snapshot_at("x|"), invoked=False) is None
    assert memory.recall(SCOPE, snapshot_at("xx|"), invoked=False) == "foo"
    for line in range(memory_module._PLACES):
        remember(memory, snapshot_at("\n" * (line + 1) + "|"), "foo")
    assert memory.recall(SCOPE, snapshot_at("xx|"), invoked=False) is None
