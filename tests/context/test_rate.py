"""Characters per token, learned."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.context.rate import TokenRate, sample


def test_the_first_count_is_believed_and_later_ones_move_it() -> None:
    rate = TokenRate()
    assert (rate.is_known, rate.characters(100, "")) == (False, 300)
    rate.learn("x" * 1000, 250)
    assert (rate.is_known, rate.characters(100, "")) == (True, 400)
    rate.learn("x" * 1000, 500)
    assert rate.characters(100, "") == 300
    rate.learn("x" * 1000, 250)
    assert rate.characters(100, "") == 320


def test_a_text_of_many_bytes_takes_more_tokens() -> None:
    """Most tokenizers begin with bytes: one Chinese character is about one token, not a third of one."""
    rate = TokenRate()
    assert rate.characters(300, "代码") == 300
    assert rate.characters(300, "code") == 900


def test_counts_that_cannot_be_of_the_text_are_not_believed() -> None:
    rate = TokenRate()
    for text, tokens in (("x" * 1000, 7), ("x" * 1000, 0), ("x" * 1000, 5000), ("short", 2)):
        rate.learn(text, tokens)
    assert not rate.is_known


@given(st.lists(st.tuples(st.text(), st.integers(-5, 5000))), st.integers(0, 10_000), st.text())
def test_it_is_never_negative_whatever_was_counted(
    counts: list[tuple[str, int]], tokens: int, near: str
) -> None:
    rate = TokenRate()
    for text, count in counts:
        rate.learn(text, count)
    assert 0 <= rate.characters(tokens, near) <= 8 * tokens


def test_there_is_a_sample_worth_counting() -> None:
    assert len(sample()) > 1000
