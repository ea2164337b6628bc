"""The order of positions by context, and the search in it, against the plain definition."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.local_model.suffixes import DEPTH, narrow, order_by_context

TOKENS = st.lists(st.integers(0, 5), min_size=1, max_size=120).map(
    lambda tail: array("I", [0] * DEPTH + tail)
)


def context(tokens: array[int], position: int) -> list[int]:
    return list(tokens[position - DEPTH : position])[::-1]


@given(TOKENS)
def test_positions_are_in_the_order_of_what_is_before_them(tokens: array[int]) -> None:
    order = order_by_context(tokens, 6)
    assert sorted(order) == list(range(DEPTH, len(tokens)))
    contexts = [context(tokens, position) for position in order]
    assert contexts == sorted(contexts)


@given(TOKENS, st.lists(st.integers(0, 5), min_size=1, max_size=4))
def test_a_range_is_all_places_of_a_context(tokens: array[int], wanted: list[int]) -> None:
    order = memoryview(order_by_context(tokens, 6))
    low, high = 0, len(order)
    for depth, token in enumerate(wanted, 1):
        low, high = narrow(order, tokens, low, high, depth, token)
    expected = [at for at in range(DEPTH, len(tokens)) if context(tokens, at)[: len(wanted)] == wanted]
    assert sorted(order[low:high]) == expected
