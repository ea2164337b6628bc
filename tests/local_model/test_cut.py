"""How much of what was decoded is shown: what saves keys on average, and nothing that is there already."""

from __future__ import annotations

import pytest

from tabby_ls.local_model.blend import END_OF_LINE
from tabby_ls.local_model.buffer import Cursor
from tabby_ls.local_model.cut import best_cut, fits
from tabby_ls.local_model.decode import Step


def cursor(marked: str) -> Cursor:
    prefix, _, suffix = marked.partition("|")
    return Cursor.at(prefix, suffix)


def shown(marked: str, *steps: tuple[str, float], threshold: float = 0.5) -> str | None:
    """What is shown of such tokens, each with the probability of the text up to it."""
    decoded = [Step(token, so_far, so_far, []) for token, so_far in steps]
    cut = best_cut(cursor(marked), decoded, threshold)
    return cut and cut.text


def test_what_saves_the_most_keys_on_average_is_shown() -> None:
    assert shown("x = |", (" long_name", 0.9), ("+", 0.89), ("1", 0.6)) == "long_name+"
    assert shown("x = |", (" long_name", 0.9), ("+", 0.89), ("another_name", 0.6)) == "long_name+another_name"


def test_what_is_typed_faster_than_read_is_not_shown() -> None:
    assert shown("x = |", (" ab", 1.0)) is None
    assert shown("x = |", (" abc", 1.0)) == "abc"


@pytest.mark.parametrize(("probability", "text"), [(0.65, "first"), (0.75, "first\nsecond")])
def test_several_lines_must_be_more_probable(probability: float, text: str) -> None:
    steps = (
        ("first", probability),
        (END_OF_LINE, probability),
        ("\n0", probability),
        ("second", probability),
    )
    assert shown("|", *steps) == text


def test_the_line_below_is_not_shown_again() -> None:
    steps = (("first", 1.0), (END_OF_LINE, 1.0), ("\n0", 1.0), ("second", 1.0))
    assert shown("|\nsecond\n", *steps) == "first"
    assert shown("fir|\nfirst\n", ("first", 1.0)) is None


def test_nor_the_brackets_behind_the_cursor() -> None:
    assert shown("f(g(h(x|)))", (")", 1.0), (")", 1.0), (")", 1.0)) is None


@pytest.mark.parametrize(
    ("marked", "may_be"),
    [
        ("x = na|", True),
        ("x = na|me", False),
        ("x = |name", True),
        ("f(na|)", True),
        ("token = 'AKIA" + "ABCDEFGH12345678" + "' + |", False),
    ],
)
def test_nothing_is_put_into_a_word_or_beside_a_secret(marked: str, may_be: bool) -> None:
    assert fits(cursor(marked)) == may_be
