"""Which pieces of other text say more about a cursor than others."""

from __future__ import annotations

from collections.abc import Callable

from tabby_ls.context.ranking import Piece, in_order, rarity

QUERY = {"invoice": 1.0, "customer": 0.5, "self": 1.0}


def piece(text: str, *, boost: float = 1.0, floor: float = 0.0) -> Piece:
    return Piece("a.py", "file:///a.py", 0, 1, text, frozenset(text.split()), boost, floor)


def ranked(*pieces: Piece, rare: Callable[[str], float] = lambda word: 1.0) -> list[str]:
    return [piece.text for piece in in_order(pieces, QUERY, rare)]


def test_more_words_in_common_say_more() -> None:
    assert ranked(piece("invoice other"), piece("invoice customer")) == ["invoice customer", "invoice other"]


def test_a_word_near_the_cursor_says_more() -> None:
    assert ranked(piece("customer"), piece("invoice")) == ["invoice", "customer"]


def test_a_rare_word_says_more_than_one_that_is_everywhere() -> None:
    counts = {"self": 99, "invoice": 2}
    found = ranked(piece("self"), piece("invoice"), rare=lambda word: rarity(counts.get(word, 0), 100))
    assert found == ["invoice", "self"]


def test_a_word_that_every_piece_holds_still_says_something() -> None:
    assert 0 < rarity(100, 100) < rarity(50, 100) < rarity(1, 100)


def test_the_same_words_in_a_longer_piece_say_less() -> None:
    long = "invoice " + " ".join(f"word{number}" for number in range(100))
    assert ranked(piece(long), piece("invoice")) == ["invoice", long]


def test_what_the_user_has_just_touched_counts_more() -> None:
    assert ranked(piece("invoice"), piece("customer", boost=3.0)) == ["customer", "invoice"]
    assert ranked(piece("nothing"), piece("nothing else", floor=0.1)) == ["nothing else"]


def test_what_says_nothing_is_left_out() -> None:
    assert ranked(piece("weather"), piece("invoice")) == ["invoice"]
