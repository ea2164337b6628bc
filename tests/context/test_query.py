"""Which words around a cursor are looked for in other text, and how much each counts."""

from __future__ import annotations

from tabby_ls.context.query import query_at


def test_a_word_counts_more_the_nearer_it_is_to_the_cursor() -> None:
    words = query_at("farther = 1\nnear = 2\nhere = ", "there\nbelow = 3\n").whole
    assert words["here"] == words["there"] > words["near"] > words["farther"]
    assert words["near"] > words["below"] > 0


def test_blank_lines_are_no_distance() -> None:
    apart = query_at("\n".join(f"word_{number}\n\n" for number in range(20)), "").whole
    assert {f"word_{number}" for number in range(20)} <= apart.keys()


def test_parts_of_a_compound_word_count_less_than_the_word() -> None:
    query = query_at("x = InvoiceStore(", "")
    assert query.whole.keys() == {"InvoiceStore"}
    assert query.words["InvoiceStore"] > query.words["invoice"] == query.words["store"] > 0


def test_what_the_file_imports_is_looked_for_wherever_the_cursor_is() -> None:
    query = query_at("from store import Invoice\n" + "other = 1\n" * 100, "")
    assert query.imported == {"store", "Invoice"}
    assert query.whole["other"] > query.whole["Invoice"] > 0
