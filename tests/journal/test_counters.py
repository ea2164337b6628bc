"""Counting: that sums are sums, percentiles lie where they should, and nothing is lost on the way to the file."""

from __future__ import annotations

from math import ceil
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.journal.counters import BOUNDS_MS, Counters, Counts, Histogram
from tabby_ls.journal.table import as_json, brief, table

times = st.lists(st.floats(0, 20_000), max_size=50)
counts = st.builds(
    Counts, shown=st.integers(0, 99), accepted=st.integers(0, 99), answer_ms=times.map(lambda t: histogram(t))
)
tallies = st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), counts)


def histogram(milliseconds: list[float]) -> Histogram:
    result = Histogram()
    for time in milliseconds:
        result.add(time)
    return result


def counters(tally: dict[tuple[str, str], Counts]) -> Counters:
    result = Counters()
    for key, value in tally.items():
        result.of(*key).merge(value)
    return result


@given(times.filter(bool), st.floats(0.01, 1))
def test_a_percentile_is_in_the_bucket_of_the_true_one(milliseconds: list[float], share: float) -> None:
    found = histogram(milliseconds).percentile(share)
    ordered = sorted(milliseconds)
    true = ordered[max(1, ceil(share * len(ordered))) - 1]
    assert found is not None
    bounds = (0, *BOUNDS_MS, float("inf"))
    low = max(bound for bound in bounds if bound < true or bound == 0)
    high = min(bound for bound in bounds[1:] if bound >= true)
    assert min(low, BOUNDS_MS[-1]) <= found <= min(high, BOUNDS_MS[-1])


def test_nothing_has_no_percentile() -> None:
    assert Histogram().percentile(0.5) is None


@given(tallies, tallies)
def test_sums_do_not_depend_on_where_or_when_they_are_made(one: Any, other: Any) -> None:
    both, turned = counters(one), counters(other)
    both.merge(counters(other))
    turned.merge(counters(one))
    assert both.total() == turned.total()
    for sums in (both.by_backend(), both.by_language()):
        total = Counts()
        for part in sums.values():
            total.merge(part)
        assert total == both.total()


@given(tallies)
def test_the_file_gives_back_what_was_counted(tally: Any) -> None:
    counted = counters(tally)
    assert Counters.from_json(counted.as_json()).total() == counted.total()


@pytest.mark.parametrize(
    "data",
    [
        {"a": 1},
        {"a": {"x": 1}},
        {"a": {"x": {"shown": "1"}}},
        {"a": {"x": {"shown": True}}},
        {"a": {"x": {"unheard_of": 1}}},
        {"a": {"x": {"answer_ms": [1, 2]}}},
        {"a": {"x": {"answer_ms": ["1"] * (len(BOUNDS_MS) + 1)}}},
    ],
)
def test_what_is_no_count_is_refused(data: Any) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)):
        Counters.from_json(data)


def some() -> Counters:
    counted = Counters()
    python = counted.of("tabbyapi", "python")
    python.shown, python.accepted, python.characters_kept = 8, 2, 40
    for time in (10, 10, 10, 400):
        python.answer_ms.add(time)
    counted.of("local", "ruby").shown = 2
    return counted


def test_the_table_shows_each_backend_and_each_language() -> None:
    lines = table(some(), "Counted since today").splitlines()
    assert lines[0] == "Counted since today"
    assert lines[2].split() == ["all", "TabbyAPI", "local", "model"]
    shown = next(line for line in lines if line.startswith("suggestions shown"))
    assert shown.split()[2:] == ["10", "8", "2"]
    assert any(line.startswith("accepted") and "2 (20 %)" in line and "2 (25 %)" in line for line in lines)
    assert [line.split()[0] for line in lines[-2:]] == ["python", "ruby"]
    assert len({len(line) for line in lines if line.startswith(("suggestions", "accepted", "typed"))}) == 1


def test_who_has_not_said_what_it_is_was_not_reached() -> None:
    counted = some()
    counted.of("auto", "python").backend_failures = 3
    counted.of("", "python").requests = 1
    assert table(counted, "").splitlines()[2].endswith("not reached  nobody")


def test_of_one_backend_alone_the_table_shows_the_sums_once() -> None:
    counted = Counters()
    counted.of("local", "ruby").shown = 2
    assert table(counted, "Counted").splitlines()[2].split() == ["all"]


def test_the_brief_one_shows_the_session_beside_all() -> None:
    lines = brief(Counters(), some(), "2026-11-25").splitlines()
    assert lines[0].split() == ["this", "session", "since", "2026-11-25"]
    assert next(line for line in lines if line.startswith("suggestions")).split()[-2:] == ["0", "10"]


def test_json_holds_every_count_under_its_name() -> None:
    data = as_json(some(), "2026-11-25")
    assert data["since"] == "2026-11-25"
    assert set(data["all"]) == {field.name for field in attrs.fields(Counts)}
    assert data["backends"]["tabbyapi"]["accepted"] == 2
    assert data["languages"]["ruby"]["shown"] == 2
    assert 8 <= data["all"]["answer_ms"]["p50"] <= 12
    assert 300 <= data["all"]["answer_ms"]["p95"] <= 500
