"""Text to tokens and back: what is lost is what the module says is lost, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.local_model.tokens import MAX_LINE, indentation, line_tokens, render, tokenize

WORDS = st.sampled_from(
    [
        "foo",
        "x1",
        "_a",
        "naïve",
        "变量",
        "$el",
        "12",
        "0x1F",
        "3.14",
        "==",
        "=>",
        "::",
        '"""',
        "'",
        "(",
        "{",
        "🙂",
        "\\",
    ]
)
SPACES = st.sampled_from(["", "", " ", " ", "  ", "   ", "\t", " \t "])
CONTENT = st.lists(st.tuples(WORDS, SPACES), min_size=1, max_size=12).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)
LINES = st.lists(
    st.tuples(st.integers(0, 10), CONTENT).map(lambda line: " " * 4 * line[0] + line[1]),
    min_size=1,
    max_size=8,
)


@given(LINES)
def test_text_survives(lines: list[str]) -> None:
    text = "\n".join(line.rstrip() for line in lines)
    assert render(tokenize(text)) == "\n" + text


@given(st.text(max_size=200))
def test_any_line_survives_but_for_white_space_around_it(text: str) -> None:
    line = text.replace("\n", " ")
    assert "".join(line_tokens(line)) in ("", line.strip())


@given(st.text())
def test_any_text_has_tokens_without_error(text: str) -> None:
    for token in tokenize(text):
        assert token


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("foo(bar, 1.5)", ["foo", "(", "bar", ",", " 1.5", ")"]),
        ("a == b", ["a", " ==", " b"]),
        ("a  == b", ["a", " ", " ==", " b"]),
        ("self.x += y1", ["self", ".", "x", " +=", " y1"]),
        ("0..10", ["0", "..", "10"]),
        ("x?.y ?? z", ["x", "?.", "y", " ??", " z"]),
        ("Foo::bar->baz", ["Foo", "::", "bar", "->", "baz"]),
    ],
)
def test_tokens_of_a_line(line: str, tokens: list[str]) -> None:
    assert list(line_tokens(line)) == tokens


def test_a_block_has_the_same_tokens_at_any_depth() -> None:
    block = "if x:\n    y()\nelse:\n    z()"
    deeper = "\n".join("        " + line for line in block.split("\n"))
    assert tokenize(deeper)[1:] == tokenize(block)[1:]


def test_blank_lines_vanish() -> None:
    assert tokenize("a\n\n\n  b\n") == tokenize("a\n  b")


def test_tabs_come_back_as_tabs() -> None:
    assert render(tokenize("a\n\tb\n\t\tc"), tabs=True) == "\na\n\tb\n\t\tc"


def test_a_tab_goes_to_the_next_stop() -> None:
    assert [indentation(line) for line in ("\tx", "  \tx", "    \tx", "   x")] == [4, 4, 8, 3]


def test_a_line_beyond_all_bounds_is_cut() -> None:
    assert sum(map(len, line_tokens("x " * 100_000))) <= MAX_LINE
    assert sum(map(len, line_tokens("a" + " " * 100_000 + "b"))) <= MAX_LINE
