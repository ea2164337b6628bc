"""How long an automatic request waits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.engine.pacing import Key, Pacer, Speed
from tabby_ls.settings import Settings

LONGEST = 0.6


def test_a_menu_has_time_for_an_answer_after_the_longest_wait() -> None:
    """Who rests there is asked for nothing more by an editor such as Helix."""
    assert Settings().menu.deadline_ms / 1000 >= LONGEST + 0.5


def typed(pauses: Sequence[float], key: Key = Key.WORD) -> tuple[Pacer, float]:
    """A pacer that saw keys with such pauses before them, and when the last one was pressed."""
    pacer = Pacer()
    now = 100.0
    pacer.key(now, key)
    for pause in pauses:
        now += pause
        pacer.key(now, key)
    return pacer, now


def speed(first_token: float = 0.05, suggestion: float = 0.1, *, agrees: bool = False) -> Speed:
    one = Speed()
    for _ in range(16):
        one.first_token(first_token)
        one.suggestion(suggestion)
        one.answer(agreed=agrees)
    return one


def wait(pauses: Sequence[float], backend: Speed | None = None, key: Key = Key.WORD) -> float:
    pacer, now = typed(pauses, key)
    return pacer.delay(now, backend or speed(), None)


BURST = [0.08, 0.1, 0.12, 0.1] * 8
pauses = st.lists(st.floats(0, 100), max_size=60)
seconds = st.floats(0, 60)


# What the user set


def test_the_users_own_choice_counts_from_the_last_key_on() -> None:
    pacer, now = typed(BURST)
    assert pacer.delay(now, speed(), 250) == 0.25
    assert pacer.delay(now + 0.1, speed(), 250) == pytest.approx(0.15)
    assert pacer.delay(now + 1, speed(), 250) == 0
    assert Pacer().delay(now, speed(), 0) == 0


# Properties


@given(pauses, seconds, seconds, st.booleans(), st.sampled_from(Key), st.floats(0, 10))
def test_a_wait_is_a_number_of_seconds_within_bounds_whatever_happened_before(
    pauses: list[float], first_token: float, suggestion: float, agrees: bool, key: Key, waited: float
) -> None:
    pacer, now = typed(pauses, key)
    delay = pacer.delay(now + waited, speed(first_token, suggestion, agrees=agrees), None)
    assert math.isfinite(delay)
    assert 0 <= delay <= max(0.0, LONGEST - waited) + 1e-9


@given(pauses, st.floats(0, 2), st.floats(0, 2))
def test_the_slower_a_backend_the_longer_the_wait(pauses: list[float], one: float, other: float) -> None:
    fast, slow = sorted((one, other))
    assert wait(pauses, speed(fast)) <= wait(pauses, speed(slow))


@given(pauses, seconds)
def test_the_better_the_answers_the_shorter_the_wait(pauses: list[float], first_token: float) -> None:
    good, bad = speed(first_token, agrees=True), speed(first_token, agrees=False)
    assert wait(pauses, good) <= wait(pauses, bad)


@given(pauses, st.floats(0, 1))
def test_what_a_client_waited_already_is_not_waited_again(pauses: list[float], waited: float) -> None:
    pacer, now = typed(pauses)
    at_once = pacer.delay(now, speed(), None)
    later = pacer.delay(now + waited, speed(), None)
    assert later + waited >= at_once - 0.011  # a pause counts as over a hundredth of a second later
    if waited > LONGEST:
        assert later == 0


# In use


def test_before_anything_is_known_it_waits_like_for_a_typical_typist_from_the_first_key_on() -> None:
    pacer = Pacer()
    pacer.key(100.0, Key.WORD)
    assert 0.1 < pacer.delay(100.0, Speed(), None) < 0.5


def test_in_a_burst_it_waits_until_the_burst_is_over() -> None:
    assert max(BURST) < wait(BURST) < 2 * max(BURST)


def test_a_slow_typist_who_would_see_each_answer_is_not_made_to_wait() -> None:
    assert wait([0.5] * 32) == 0
    assert wait([0.5] * 32, speed(2.0, 2.5)) > 0.5


def test_where_the_user_rests_it_asks_at_once_and_elsewhere_not() -> None:
    pacer, now = Pacer(), 100.0
    for _ in range(40):
        for key, pause in ((Key.WORD, 0.1), (Key.LINE, 1.5)):
            pacer.key(now, key)
            now += pause
    pacer.key(now, Key.LINE)
    assert pacer.delay(now, speed(), None) == 0
    pacer.key(now + 1.5, Key.WORD)
    assert pacer.delay(now + 1.5, speed(), None) > 0.1


def test_one_pause_for_thought_changes_little() -> None:
    assert wait([*BURST, 30.0, *BURST[:8]]) == pytest.approx(wait(BURST), abs=0.05)


def test_it_forgets_how_the_user_typed_long_ago() -> None:
    assert wait([0.3] * 100 + [0.05] * 32) == pytest.approx(wait([0.05] * 32))


def test_edits_at_the_same_moment_are_one_key() -> None:
    pacer, now = typed(BURST)
    pacer.key(now + 0.001, Key.WORD)
    other, _ = typed(BURST)
    assert pacer.delay(now + 0.001, speed(), None) == pytest.approx(other.delay(now, speed(), None), abs=0.01)


def test_an_indentation_that_the_editor_adds_belongs_to_the_line_end() -> None:
    """People rest after a line, and not after a space."""
    pacer, now = typed([1.5] * 32, Key.LINE)
    pacer.key(now + 1.5, Key.LINE)
    pacer.key(now + 1.501, Key.OTHER)
    assert pacer.delay(now + 1.501, speed(), None) == 0


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a", Key.WORD),
        ("_", Key.WORD),
        ("é", Key.WORD),
        (".", Key.OTHER),
        ("()", Key.OTHER),
        (" ", Key.OTHER),
        ("    ", Key.OTHER),
        ("\n", Key.LINE),
        ("\n    ", Key.LINE),
        ("return x", Key.TEXT),
        ("", Key.DELETION),
    ],
)
def test_keys_are_told_apart_by_what_they_insert(text: str, key: Key) -> None:
    assert Key.of(text) is key
