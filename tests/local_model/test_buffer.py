"""The text around a cursor, taken apart; and matches in it that grow step by step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.local_model.buffer import Buffer, BufferMatches, Cursor
from tabby_ls.local_model.suffixes import DEPTH
from tabby_ls.local_model.tokens import render

TEXTS = st.text(st.sampled_from("ab (.\n"), max_size=80)


def cursor(text: str) -> Cursor:
    prefix, _, suffix = text.partition("|")
    return Cursor.at(prefix, suffix)


@pytest.mark.parametrize(
    ("line", "tokens", "typed"),
    [
        ("    self.wid|", ["self", "."], "wid"),
        ("x = |", ["x", " ="], " "),
        ("x = wid|", ["x", " ="], " wid"),
        ("x =  |", ["x", " =", " "], " "),
        ("foo(|", ["foo", "("], ""),
        ("foo(12|", ["foo", "("], "12"),
        ("    |", [], ""),
        ("|", [], ""),
    ],
)
def test_what_is_being_typed_is_no_part_of_the_context(line: str, tokens: list[str], typed: str) -> None:
    found = cursor("first()\n" + line)
    assert list(found.line[1:]) == tokens
    assert found.typed == typed


@given(TEXTS, TEXTS)
def test_the_line_before_the_cursor_survives(prefix: str, suffix: str) -> None:
    found = Cursor.at(prefix, suffix)
    line = prefix.rpartition("\n")[2]
    assert render(found.line[1:]) + found.typed == (line.lstrip() if line.strip() else "")


def test_the_newline_token_below_is_seen_from_the_cursors_line() -> None:
    assert cursor("if x:\n    |\n    y()\n").following == ("\n0", "y", "(")
    assert cursor("if x:\n    |\nz()\n").following == ("\n-4", "z", "(")
    assert cursor("if x:\n    |").following == ("\n",)


def test_a_buffer_serves_as_long_as_only_its_line_changes() -> None:
    first = cursor("a\nb = |\nc")
    assert Cursor.at("a\nb = 1", "\nc", first.buffer).buffer is first.buffer
    assert Cursor.at("a\nb = 1\n", "\nc", first.buffer).buffer == Buffer.of("a\nb = 1\n", "c")
    assert Cursor.at("a\nb = 1", "\nd", first.buffer).buffer == Buffer.of("a\n", "d")


def test_a_name_is_known_with_and_without_a_space_before_it() -> None:
    found = cursor("one(two, three)\nfour = |")
    assert all(found.has_word(word) for word in ("one", " one", "two", "three", " three", "four"))
    assert not found.has_word("five")


@given(TEXTS, TEXTS, st.lists(st.sampled_from(["a", "b", " a", "(", ".", "\n0"]), max_size=6))
def test_matches_grow_to_what_a_search_would_find(prefix: str, suffix: str, words: list[str]) -> None:
    found = Cursor.at(prefix, suffix)
    matches = BufferMatches(found)
    context = list(found.tokens)
    for word in words:
        matches.advance(word)
        context.append(word)
        for at, length in matches.lengths.items():
            assert 1 <= length <= DEPTH
            assert found.tokens[at - 1] == word
            assert found.tokens[max(0, at - length) : at] == context[-length:]
        assert len(matches.lengths) == sum(token == word for token in found.tokens[:-1])
