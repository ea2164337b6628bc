"""Decoding: the most probable word, step by step, for as long as the text is probable enough."""

from __future__ import annotations

from tabby_ls.local_model.blend import END_OF_LINE, Blender, Source
from tabby_ls.local_model.buffer import Cursor
from tabby_ls.local_model.decode import Step, decode
from tabby_ls.local_model.segment import File, Segment, build_segment

BLOCK = "try:\n    connection.commit()\nexcept Error:\n    connection.rollback()\n"


def cursor(marked: str) -> Cursor:
    prefix, _, suffix = marked.partition("|")
    return Cursor.at(prefix, suffix)


def index_of(text: str) -> Source:
    return Source(Segment(build_segment([(File("a.py", 0, 0), text)])), [1.0])


def decoded(
    marked: str,
    *sources: Source,
    each: float = 1.0,
    least: float = 0.1,
    crossing: float = 0.1,
    lines: int = 1,
) -> list[Step]:
    """The steps if each is right with a probability of `each`."""
    return list(decode(cursor(marked), sources, lambda _: each, least=least, crossing=crossing, lines=lines))


def test_it_ends_with_the_first_step_that_makes_the_text_too_improbable() -> None:
    steps = decoded(BLOCK * 4 + "try:\n    connection.|", each=0.5, least=0.3)
    assert [step.so_far for step in steps] == [0.5, 0.25]


def test_it_goes_on_to_another_line_only_if_the_text_is_probable_enough_by_then() -> None:
    marked = BLOCK * 4 + "try:\n    connection.commit|"
    sure = decoded(marked, each=0.99, crossing=0.7, lines=2)
    assert [step.token for step in sure].count(END_OF_LINE) == 2
    unsure = decoded(marked, each=0.8, crossing=0.7, lines=2)
    assert [step.token for step in unsure].count(END_OF_LINE) == 1
    assert unsure[-1].token == END_OF_LINE


def test_what_is_typed_is_made_a_word_of_the_document_also_where_nobody_wrote_it_before() -> None:
    assert decoded("near.connector(1)\n\n\nother + conn|")[0].token == " conn"
    assert decoded("near + connector(1)\n\n\nother - conn|")[0].token == " connector"


def test_else_a_word_of_the_index() -> None:
    """Though what is typed is a word of it too."""
    assert decoded("other - conn|", index_of("x + conn + connection"))[0].token == " connection"


# What counts more


def share(marked: str, word: str, *sources: Source) -> float:
    """The probability of `word`, which goes on with what is typed."""
    at = cursor(marked)
    return Blender(at, sources).blend(at.typed).words[word]


def test_a_name_that_the_document_does_not_know_counts_less_but_as_a_member() -> None:
    index = index_of("alpha.beta\nalpha + beta\n" * 3)
    assert share("alpha.|", "beta", index) > 2 * share("alpha + |", " beta", index)


CALLS = "end()\nstop()\ncall(one)\nend_one()\nstop()\ncall(two)\nend_two()\nstop()\n"


def test_a_place_counts_more_where_the_lines_below_are_alike() -> None:
    here = CALLS + "call(|\nend_one()\n"
    assert share(here, "one") > share(here, "two"), "though that is nearer"
    here = "call(|\nend_one()\n"
    assert share(here, "one", index_of(CALLS)) > share(here, "two", index_of(CALLS))
