"""The words by which texts are compared."""

from __future__ import annotations

import pytest

from tabby_ls.context.words import bag, parts


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("plain", ()),
        ("invoiceStore", ("invoice", "store", "invoicestore")),
        ("HTTPServer", ("http", "server", "httpserver")),
        ("snake_case_of", ("snake", "case", "snakecaseof")),
        ("LIMIT", ("limit",)),
    ],
)
def test_a_compound_word_has_parts_and_is_the_same_however_it_is_written(
    word: str, found: tuple[str, ...]
) -> None:
    assert parts(word) == found


def test_short_words_say_nothing() -> None:
    assert bag("if x: of(abc, 12)") == {"abc"}
