"""The window around the cursor that fits into a prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.context.budget import DEFAULT_PROMPT_TOKENS, fit_window, prompt_tokens

texts = st.lists(st.text("ab ", max_size=12), max_size=60).map("\n".join)


@given(texts, texts, st.integers(-100, 5000), st.integers(1, 400), st.floats(0.1, 1.0))
def test_the_window_is_what_lies_next_to_the_cursor_and_fits(
    prefix: str, suffix: str, first_line: int, room: int, share: float
) -> None:
    """`first_line` is negative in a notebook's cell with others above it."""
    before, after = fit_window(prefix, suffix, first_line, room, share)
    assert prefix.endswith(before)
    assert suffix.startswith(after)
    assert len(before) + len(after) <= room


@given(texts, texts, st.integers(0, 5000), st.floats(0.1, 1.0))
def test_what_fits_is_kept_whole(prefix: str, suffix: str, first_line: int, share: float) -> None:
    room = len(prefix) + len(suffix)
    assert fit_window(prefix, suffix, first_line, room, share) == (prefix, suffix)


@given(texts, texts, st.integers(0, 5000), st.integers(50, 400), st.floats(0.1, 1.0))
def test_lines_are_kept_whole(prefix: str, suffix: str, first_line: int, room: int, share: float) -> None:
    """Here no line is longer than its share of the room."""
    before, after = fit_window(prefix, suffix, first_line, max(room, 200), share)
    assert before in ("", prefix) or prefix[: -len(before)].endswith("\n")
    assert after in ("", suffix) or suffix[len(after) - 1] == "\n"


def lines(count: int) -> str:
    return "".join(f"line number {number:05}\n" for number in range(count))


def test_the_window_keeps_its_head_from_one_key_to_the_next() -> None:
    """What a server has computed for the beginning of a prompt then counts for the next prompt too."""
    heads = set()
    prefix = lines(1000)
    for key in "    return value\n" * 20:
        prefix += key
        before, _ = fit_window(prefix, "", 0, 6000, 0.75)
        heads.add(before[:17])
    assert len(heads) <= 2


@pytest.mark.parametrize("dropped", [0, 7, 100])
def test_the_head_does_not_depend_on_where_the_snapshot_begins(dropped: int) -> None:
    whole = lines(1000)
    part = whole[whole.index(f"{dropped:05}") - 12 :]
    assert fit_window(part, "", dropped, 6000, 0.75) == fit_window(whole, "", 0, 6000, 0.75)


def test_a_stable_head_costs_no_more_than_half_the_room() -> None:
    before, _ = fit_window(lines(1000), "", 0, 400, 0.75)
    assert len(before) >= 200
    assert int(before.split()[2]) % 8 == 0, "with less room it begins at nearer lines"


def test_one_long_line_is_cut_next_to_the_cursor() -> None:
    assert fit_window("a" * 1000 + "b", "c" + "d" * 1000, 0, 100, 0.5) == ("a" * 49 + "b", "c" + "d" * 49)


def test_what_one_side_does_not_need_the_other_may_have() -> None:
    before, after = fit_window("x\n" * 500, "y\n", 0, 400, 0.25)
    assert (len(before) > 300, after) == (True, "y\n")
    before, after = fit_window("x\n", "y\n" * 500, 0, 400, 0.75)
    assert (before, len(after)) == ("x\n", 398)


def test_the_budget_is_the_smaller_limit() -> None:
    assert prompt_tokens(None, None) == prompt_tokens(DEFAULT_PROMPT_TOKENS, None)
    assert prompt_tokens(4096, 1024) == prompt_tokens(None, 1024) < prompt_tokens(None, None)
    assert prompt_tokens(4096, None) > prompt_tokens(None, None)
    assert prompt_tokens(None, None, 0.5) * 2 == pytest.approx(prompt_tokens(None, None), abs=2)


@given(st.none() | st.integers(64, 10**6), st.none() | st.integers(-4096, 10**6), st.floats(1 / 16, 1.0))
def test_the_budget_is_never_negative_and_never_above_a_limit(
    user: int | None, server: int | None, shrunk: float
) -> None:
    """A server whose chunks are as large as its cache tells a limit of one token, or less."""
    tokens = prompt_tokens(user, server, shrunk)
    assert 0 <= tokens <= (user or DEFAULT_PROMPT_TOKENS)
    assert server is None or tokens <= max(0, server)
