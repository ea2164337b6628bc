"""How long an automatic request waits, and how long a failing backend is left alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.engine.health import Health
from tabby_ls.engine.pacing import Pacer

DOWN = BackendError(Trouble.UNREACHABLE, "down")


def typed(pauses: Sequence[float]) -> Pacer:
    pacer = Pacer()
    now = 100.0
    pacer.key(now)
    for pause in pauses:
        now += pause
        pacer.key(now)
    return pacer


def test_the_users_own_choice_counts() -> None:
    assert typed([0.1] * 50).delay(250) == 0.25
    assert typed([]).delay(0) == 0


def test_before_enough_is_known_it_waits_a_little() -> None:
    assert 0.03 <= Pacer().delay(None) <= 0.15
    assert typed([0.5]).delay(None) == Pacer().delay(None)


@pytest.mark.parametrize("pause", [0.05, 0.08, 0.11])
def test_it_waits_a_little_longer_than_the_usual_pause(pause: float) -> None:
    assert pause < typed([pause] * 20).delay(None) < pause * 1.5


def test_there_are_bounds() -> None:
    assert typed([0.001] * 50).delay(None) == 0.03
    assert typed([0.4] * 50).delay(None) == 0.15


def test_a_pause_for_thought_does_not_count() -> None:
    assert typed([0.06] * 10 + [30.0] + [0.06] * 10).delay(None) == typed([0.06] * 20).delay(None)


def test_it_forgets_how_the_user_typed_long_ago() -> None:
    assert typed([0.1] * 100 + [0.05] * 32).delay(None) == typed([0.05] * 32).delay(None)


def test_edits_at_the_same_moment_are_one() -> None:
    assert typed([0.0] * 50).delay(None) == Pacer().delay(None)


def test_a_failing_backend_rests_longer_every_time_but_not_for_ever() -> None:
    health = Health()
    rests = []
    for _ in range(12):
        health.failed(DOWN, 0.0)
        rests.append(next(second for second in range(100) if not health.is_resting(second)))
    assert rests == sorted(rests)
    assert (rests[0], rests[-1]) == (1, 30)


def test_an_answer_ends_the_rest() -> None:
    health = Health()
    assert not health.is_resting(0.0)
    health.failed(DOWN, 0.0)
    assert health.is_resting(0.5)
    assert health.error is DOWN
    health.answered()
    assert not health.is_resting(0.5)
    assert health.error is None
