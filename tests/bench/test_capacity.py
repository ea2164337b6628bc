"""The queue of `capacity.py` against its known values, and against one that is played through."""

from __future__ import annotations

import heapq
import random

import attrs
import pytest

from tests.bench.capacity import WAITING, Load, must_wait

LOAD = Load(0.2, 400, 20, 8000, 60, 16)


@pytest.mark.parametrize(
    ("offered", "places", "probability"), [(0.5, 1, 0.5), (1.0, 2, 1 / 3), (2.0, 3, 4 / 9), (3.0, 3, 1.0)]
)
def test_erlangs_formula(offered: float, places: int, probability: float) -> None:
    assert must_wait(offered, places) == pytest.approx(probability)


def test_a_queue_played_through_has_as_many_waiting() -> None:
    rng, places, offered = random.Random(1), 4, 2.5
    busy: list[float] = []
    now, waited, customers = 0.0, 0, 60_000
    for _ in range(customers):
        now += rng.expovariate(offered)
        while busy and busy[0] <= now:
            heapq.heappop(busy)
        begins = now
        if len(busy) >= places:
            waited += 1
            begins = heapq.heappop(busy)
        heapq.heappush(busy, begins + rng.expovariate(1))
    assert waited / customers == pytest.approx(must_wait(offered, places), abs=0.02)


def test_so_many_users_and_not_one_more() -> None:
    users = LOAD.users()
    assert must_wait(LOAD.offered(users), LOAD.at_once) <= WAITING < must_wait(LOAD.offered(users + 1), 16)
    assert (
        attrs.evolve(LOAD, prefill=4000, decode=30).users() < users < attrs.evolve(LOAD, at_once=32).users()
    )
