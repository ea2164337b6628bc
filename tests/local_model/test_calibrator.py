"""The table of the calibrator fits the code that asks it."""

from __future__ import annotations

import json
from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.local_model import calibrator
from tabby_ls.local_model.features import NAMES

TABLE = json.loads(files("tabby_ls.local_model").joinpath("calibrator.json").read_text("utf-8"))


def test_it_was_trained_on_the_features_there_are() -> None:
    assert TABLE["features"] == list(NAMES)


def test_every_tree_is_a_tree() -> None:
    for features, thresholds, left, right in TABLE["trees"]:
        assert len(features) == len(thresholds) == len(left) == len(right)
        inner = [node for node, feature in enumerate(features) if feature >= 0]
        children = sorted(child for node in inner for child in (left[node], right[node]))
        assert children == list(range(1, len(features)))
        assert all(0 <= feature < len(NAMES) for feature in features if feature != -1)


def test_it_holds_numbers_only() -> None:
    def is_numbers(value: object) -> bool:
        return all(map(is_numbers, value)) if isinstance(value, list) else isinstance(value, int | float)

    assert is_numbers(TABLE["trees"])
    assert is_numbers(TABLE["base"])


@given(st.lists(st.floats(-20, 20), min_size=len(NAMES), max_size=len(NAMES)))
def test_what_it_says_is_a_probability(features: list[float]) -> None:
    assert 0 < calibrator.load().probability(features) < 1


def test_more_probable_counts_are_more_probably_right() -> None:
    low, high = ([odds, *[0.0] * (len(NAMES) - 1)] for odds in (-4.0, 4.0))
    assert calibrator.load().probability(low) < calibrator.load().probability(high)
