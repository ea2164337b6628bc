"""What the user made of a suggestion, told by editors or by the document itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.engine.inflight import Edit
from tabby_ls.engine.outcome import Outcome, Reason
from tabby_ls.engine.snapshot import Snapshot, Suggestion
from tabby_ls.journal.counters import Counters
from tabby_ls.journal.offers import Offers
from tabby_ls.server.text import TextLines

URI = "file:///work/a.py"


class Buffer:
    """A document with a cursor, in which suggestions are offered and things are typed."""

    def __init__(self, marked: str) -> None:
        before, _, after = marked.partition("|")
        self.text = TextLines(before + after)
        self.cursor = len(before)
        self.counters = Counters()
        self.offers = Offers(lambda: self.counters)
        self._number = 0

    def point(self, index: int) -> tuple[int, int]:
        before = self.text.text[:index]
        return before.count("\n"), len(before) - before.rfind("\n") - 1

    def offer(self, text: str, replaces: int = 0, **more: object) -> str:
        """Offer a suggestion at the cursor."""
        self._number += 1
        whole, line = self.text.text, self.point(self.cursor)[0]
        ending = self.text.line_ending
        snapshot = Snapshot(URI, 1, "python", line, whole[: self.cursor], whole[self.cursor :], ending)
        suggestion = Suggestion(text, replaces)
        outcome = Outcome(Reason.SHOWN, suggestion, backend="fake", number=self._number, snapshot=snapshot)
        return self.offers.made(outcome, suggestion, **more)  # type: ignore[arg-type]

    def put(self, text: str, replaces: int = 0) -> None:
        """One change: `text` at the cursor, in the place of the next `replaces` characters."""
        self.change(self.cursor, self.cursor + replaces, text)
        self.cursor += len(text)

    def change(self, start: int, end: int, text: str) -> None:
        edit = Edit(*self.point(start), *self.point(end), text)
        whole = self.text.text
        self.text.replace_all(whole[:start] + text + whole[end:])
        self.offers.edited(URI, [edit], self.text.after)

    def type(self, text: str) -> None:
        for key in text:
            self.put(key)

    @property
    def verdicts(self) -> dict[str, int]:
        """What was counted, but for zeros."""
        total = self.counters.total()
        named = {
            "shown": total.shown,
            "accepted": total.accepted,
            "typed": total.typed_through,
            "partly": total.partially_accepted,
            "kept": total.characters_kept,
        }
        return {name: number for name, number in named.items() if number}


@pytest.fixture
def buffer() -> Buffer:
    return Buffer("x = |\n")


def test_the_whole_text_at_once_was_accepted(buffer: Buffer) -> None:
    buffer.offer("compute(y)")
    buffer.put("compute(y)")
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 10}


def test_the_whole_text_key_by_key_was_typed(buffer: Buffer) -> None:
    buffer.offer("compute(y)")
    buffer.type("compute(y)")
    assert buffer.verdicts == {"shown": 1, "typed": 1}


def test_what_the_editor_adds_to_a_key_was_typed(buffer: Buffer) -> None:
    buffer.offer("f()")
    buffer.type("f")
    buffer.put("()")
    assert buffer.verdicts == {"shown": 1, "typed": 1}


def test_the_rest_that_is_offered_at_each_key_is_the_same_suggestion(buffer: Buffer) -> None:
    text = "compute(y)"
    for index in range(4):
        buffer.offer(text[index:])
        buffer.type(text[index])
    buffer.offer(text[4:])
    buffer.put(text[4:])
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 6}, "kept is what was not typed"


@pytest.mark.parametrize("is_told_first", [True, False])
def test_an_editor_that_tells_it_is_not_counted_twice(buffer: Buffer, is_told_first: bool) -> None:
    offer = buffer.offer("compute(y)")
    if is_told_first:
        buffer.offers.accepted(offer)
    buffer.put("compute(y)")
    buffer.offers.accepted(offer)
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 10}


def test_a_short_one_that_an_editor_says_was_accepted_was_not_typed(buffer: Buffer) -> None:
    offer = buffer.offer("y")
    buffer.put("y")
    assert buffer.verdicts == {"shown": 1, "typed": 1}
    buffer.offers.accepted(offer)
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 1}


def test_something_else_was_typed(buffer: Buffer) -> None:
    buffer.offer("compute(y)")
    buffer.type("compare")
    assert buffer.verdicts == {"shown": 1}
    buffer.offer("(y)")  # it reads like the end of the one before, of which other letters were typed
    assert buffer.verdicts == {"shown": 2}


def test_word_by_word(buffer: Buffer) -> None:
    buffer.offer("compute some thing")
    buffer.put("compute ")
    assert buffer.verdicts == {"shown": 1, "partly": 1, "kept": 8}
    buffer.offer("some thing")
    buffer.put("some ")
    buffer.offer("thing")
    assert buffer.verdicts == {"shown": 1, "partly": 1, "kept": 13}
    buffer.put("thing")
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 18}


@pytest.mark.parametrize("is_told_first", [True, False])
def test_word_by_word_told_by_the_editor(buffer: Buffer, is_told_first: bool) -> None:
    buffer.type("y")
    offer = buffer.offer("compute some thing")
    if is_told_first:
        buffer.offers.partially_accepted(offer, 8)
    buffer.put("compute ")
    buffer.offers.partially_accepted(offer, 8)
    buffer.offers.partially_accepted(offer, 3)
    assert buffer.verdicts == {"shown": 1, "partly": 1, "kept": 8}
    buffer.offers.partially_accepted(offer, 18)
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 18}


def test_a_typo_that_is_corrected(buffer: Buffer) -> None:
    buffer.offer("compute(y)")
    buffer.type("cp")
    buffer.change(buffer.cursor - 1, buffer.cursor, "")
    buffer.cursor -= 1
    buffer.put("ompute(y)")
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 9}


def test_what_stands_behind_the_cursor_is_no_merit() -> None:
    buffer = Buffer("f(|)\n")
    buffer.offer("a, b)", replaces=1)
    buffer.put("a, b)", replaces=1)
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 4}
    assert buffer.counters.total().characters_shown == 4


def test_lines_above_may_come_and_go_meanwhile() -> None:
    buffer = Buffer("a\nb\nx = |\n")
    buffer.offer("compute(y)")
    buffer.change(0, 0, "import os\n\n")
    buffer.cursor += len("import os\n\n")
    buffer.put("compute(y)")
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 10}


def test_a_menu_that_replaces_the_word_as_well() -> None:
    buffer = Buffer("x = comp|\n")
    buffer.offer("ute(y)")
    buffer.change(4, 8, "compute(y)")
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 6}


def test_what_goes_with_its_place_is_forgotten() -> None:
    buffer = Buffer("a\nx = |\n")
    buffer.offer("compute(y)")
    buffer.change(0, 6, "b\nz = ")  # what stands there now, the suggestion was not made for
    buffer.put("compute(y)")
    assert buffer.verdicts == {"shown": 1}
    buffer.offer("z = 1")
    buffer.offers.closed(URI)
    buffer.put("z = 1")
    assert buffer.verdicts == {"shown": 2}


def test_several_lines_in_a_document_with_crlf() -> None:
    buffer = Buffer("if x:|\r\ny\r\n")
    offer = buffer.offer("\n    go()\n    stop()")
    buffer.offers.partially_accepted(offer, len("\r\n    go()"))
    assert buffer.verdicts == {"shown": 1, "partly": 1, "kept": 9}


def test_units_behind_the_word_of_an_item_and_of_astral_characters(buffer: Buffer) -> None:
    offer = buffer.offer("'😀' + y", lead="pre")
    buffer.offers.partially_accepted(offer, 3)
    assert buffer.verdicts == {"shown": 1}, "only the word that stood there"
    buffer.offers.partially_accepted(offer, 3 + 2)
    assert buffer.verdicts == {"shown": 1, "partly": 1, "kept": 1}, "half a character is none"
    buffer.offers.partially_accepted(offer, 3 + 4)
    assert buffer.verdicts == {"shown": 1, "partly": 1, "kept": 3}


def test_alternatives_are_not_shown_but_may_be_taken(buffer: Buffer) -> None:
    buffer.offer("compute(y)")
    other = buffer.offer("calculate(y)", alternative=1)
    assert buffer.verdicts == {"shown": 1}
    buffer.offers.accepted(other)
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 12}


def test_an_answer_that_grows_is_one_suggestion(buffer: Buffer) -> None:
    buffer.offer("compute(")
    buffer.offer("compute(y)")
    buffer.put("compute(y)")
    assert buffer.verdicts == {"shown": 1, "accepted": 1, "kept": 10}


words = st.text(alphabet="ab(\n ", min_size=1, max_size=12)


@given(
    suggestion=words,
    pieces=st.lists(st.integers(1, 12), max_size=8),
    after=st.sampled_from(["", "\n", ")", "ab"]),
)
def test_however_it_gets_there_it_is_counted_once_and_no_more_than_it_is_long(
    suggestion: str, pieces: list[int], after: str
) -> None:
    buffer = Buffer("x = |" + after)
    done = 0
    for length in pieces:
        rest = suggestion[done:]
        if buffer.text.text.startswith(f"x = {suggestion}"):
            break
        offer = buffer.offer(rest)
        buffer.put(rest[:length])
        if length % 2:
            buffer.offers.partially_accepted(offer, length)
        done += length
    total = buffer.counters.total()
    assert total.characters_kept <= len(suggestion)
    assert total.accepted + total.typed_through + total.partially_accepted <= total.shown
    assert min(total.accepted, total.typed_through, total.partially_accepted) >= 0
    if done >= len(suggestion) and not after:
        assert total.accepted + total.typed_through == 1
