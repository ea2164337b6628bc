"""The text of a document: lines, positions in every encoding, edits, windows."""

from __future__ import annotations

import time

import pytest

from tabby_ls.server.text import Edit, TextLines

ENCODINGS = ("utf-8", "utf-16", "utf-32")


# --- lines ---


def test_only_lf_cr_and_crlf_end_a_line():
    text = TextLines("a\nb\rc\r\nd\fe\vf\x1cg\x85h\u2028i\u2029j")
    assert text.lines == ["a\n", "b\r", "c\r\n", "d\fe\vf\x1cg\x85h\u2028i\u2029j"]


@pytest.mark.parametrize("source", ["", "a", "a\n", "\n", "\r\n", "a\rb\r", "\f\n"])
def test_the_last_line_has_no_line_end_and_nothing_is_lost(source):
    text = TextLines(source)
    assert text.text == source
    assert not text.lines[-1].endswith(("\n", "\r"))
    assert len(text) == len(text.lines)


def test_a_line_comes_without_its_end():
    text = TextLines("one\r\ntwo\nthree\rfour")
    assert [text.line(number) for number in range(4)] == ["one", "two", "three", "four"]


@pytest.mark.parametrize(
    ("source", "ending"),
    [
        ("a\r\nb\r\nc\n", "\r\n"),
        ("a\nb\nc\r\n", "\n"),
        ("a\rb\rc\n", "\r"),
        ("a\nb\r\n", "\n"),
        ("no line end", "\n"),
        ("", "\n"),
        ("\n" * 64 + "\r\n" * 100, "\n"),
    ],
)
def test_the_line_ending_is_the_one_most_of_the_first_lines_have(source, ending):
    assert TextLines(source).line_ending == ending


# --- positions ---


@pytest.mark.parametrize(
    ("encoding", "characters"),
    [("utf-8", [0, 1, 3, 6, 10, 11]), ("utf-16", [0, 1, 2, 3, 5, 6]), ("utf-32", [0, 1, 2, 3, 4, 5])],
)
def test_positions_in_each_encoding(encoding, characters):
    text = TextLines("aé世😀b\r\n", encoding)
    assert [text.locate(0, character) for character in characters] == [(0, index) for index in range(6)]
    assert [text.units(0, index) for index in range(6)] == characters


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_positions_outside_the_text_are_clamped(encoding):
    text = TextLines("ab\r\nçd", encoding)
    assert text.locate(0, 3) == text.locate(0, 10**9) == (0, 2)
    assert text.locate(1, 99) == (1, 2)
    assert text.locate(2, 0) == text.locate(10**9, 5) == (1, 2)


@pytest.mark.parametrize(("encoding", "inside"), [("utf-8", [2, 3, 4]), ("utf-16", [2])])
def test_a_position_inside_a_code_point_is_its_start(encoding, inside):
    text = TextLines("a😀b", encoding)
    assert {text.locate(0, character) for character in inside} == {(0, 1)}


@pytest.mark.parametrize(("encoding", "units"), [("utf-8", 3), ("utf-16", 1), ("utf-32", 1)])
def test_half_a_surrogate_pair_is_a_character(encoding, units):
    text = TextLines("\ud83d\ud83dx\ude00", encoding)
    assert text.units(0, 2) == 2 * units
    assert text.locate(0, 2 * units) == (0, 2)


# --- edits ---


def edited(source: str, start: tuple[int, int], end: tuple[int, int], new: str) -> list[str]:
    text = TextLines(source)
    text.apply(start, end, new)
    assert TextLines(text.text).lines == text.lines, "as if opened like this"
    return list(text.lines)


def test_typing_a_character():
    assert edited("ab\ncd\n", (1, 1), (1, 1), "x") == ["ab\n", "cxd\n", ""]


def test_joining_and_splitting_lines():
    assert edited("ab\ncd\n", (0, 1), (1, 1), "") == ["ad\n", ""]
    assert edited("ab\ncd", (0, 1), (0, 1), "1\n2\r\n3") == ["a1\n", "2\r\n", "3b\n", "cd"]


def test_cr_and_lf_that_come_together_are_one_line_end():
    assert edited("a\rb\n", (1, 0), (1, 1), "") == ["a\r\n", ""]
    assert edited("a\rb", (1, 0), (1, 0), "\n") == ["a\r\n", "b"]
    assert edited("a\nb", (0, 1), (0, 1), "\r") == ["a\r\n", "b"]


def test_a_crlf_cannot_be_split_but_what_follows_it_can_be_cut():
    assert edited("a\r\nb", (0, 2), (0, 2), "x") == ["ax\r\n", "b"]
    assert edited("a\r\nb", (0, 1), (1, 0), "\r") == ["a\r", "b"]


def test_the_ends_of_a_range_may_come_in_either_order():
    assert edited("abcd", (0, 3), (0, 1), "x") == ["axd"]
    assert edited("ab\ncd", (1, 1), (0, 1), "") == ["ad"]


def test_an_edit_past_the_end_appends():
    assert edited("ab\ncd", (7, 7), (9, 9), "e") == ["ab\n", "cde"]


def test_an_edit_reports_code_points_of_the_text_before_it():
    text = TextLines("😀😀b\nc", "utf-16")
    assert text.apply((0, 2), (1, 99), "x\n") == Edit((0, 1), (1, 1), "x\n")
    assert text.replace_all("new") == Edit((0, 0), (1, 0), "new")
    assert text.text == "new"


def test_a_utf16_edit_may_replace_half_a_character():
    text = TextLines("a😀b")  # D83D DE00
    assert text.apply((0, 2), (0, 3), "\ude01") == Edit((0, 1), (0, 2), "😁")
    assert text.text == "a😁b"


def test_half_a_character_left_behind_is_kept_but_never_given_out():
    text = TextLines("😀b")
    text.apply((0, 1), (0, 2), "")
    assert text.text == "\ud83db"
    assert text.locate(0, 1) == (0, 1)
    assert text.window(0, 1, 9, 9) == ("\ufffd", "b")


def test_a_utf8_edit_inside_a_character_begins_at_its_start():
    text = TextLines("a😀b", "utf-8")
    text.apply((0, 2), (0, 4), "x")
    assert text.text == "ax😀b"


# --- windows ---

FIVE = TextLines("one\ntwo\r\nthree\rfour\nfive")


def test_a_window_has_whole_lines_and_lf_only():
    assert FIVE.window(2, 2, 100, 100) == ("one\ntwo\nth", "ree\nfour\nfive")
    assert FIVE.window(2, 2, 8, 9) == ("two\nth", "ree\nfour\n")
    assert FIVE.window(2, 2, 6, 8) == ("th", "ree\n")


def test_only_a_line_longer_than_the_window_is_cut_inside():
    text = TextLines("0123456789\nab\n0123456789")
    assert text.window(1, 1, 6, 5) == ("6789\na", "b\n012")
    assert text.window(0, 5, 3, 4) == ("234", "5678")


def test_a_window_of_nothing_is_empty():
    assert FIVE.window(2, 2, 0, 0) == ("", "")


# --- costs ---


def cost(operation, runs: int = 200) -> float:
    """Seconds for some runs, the least of several tries."""
    tries = []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(runs):
            operation()
        tries.append(time.perf_counter() - began)
    return min(tries)


@pytest.mark.parametrize("operation", ["insert", "new line", "window", "line ending"])
def test_cost_does_not_grow_with_the_document(operation):
    def run(lines: int) -> float:
        text = TextLines("x = call(argument)  # 😀\n" * lines)
        middle = lines // 2
        return cost(
            {
                "insert": lambda: text.apply((middle, 3), (middle, 3), "y"),
                "new line": lambda: text.apply((middle, 24), (middle + 1, 0), "\n"),
                "window": lambda: text.window(middle, 3, 2000, 1000),
                "line ending": lambda: text.line_ending,
            }[operation]
        )

    assert run(200_000) < 20 * run(1_000)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_very_long_line_is_no_python_loop(encoding):
    text = TextLines("ab😀é" * 25_000, encoding)
    middle = text.units(0, 50_000)
    looped = cost(lambda: [character for character in text.lines[0]], 10)  # noqa: C416
    assert cost(lambda: text.apply((0, middle), (0, middle), "x"), 10) < looped
