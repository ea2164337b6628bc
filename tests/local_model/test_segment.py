"""A segment says what it was built from, and anything that is not a whole segment is refused."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabby_ls.local_model.segment import CorruptError, File, Segment, build_segment
from tabby_ls.local_model.tokens import SEPARATOR, tokenize

TEXTS = st.lists(st.text(st.sampled_from("ab .(\n"), max_size=60), max_size=4)


def files(*texts: str) -> list[tuple[File, str]]:
    return [(File(f"{number}.py", len(text), number), text) for number, text in enumerate(texts)]


def words(segment: Segment) -> list[str]:
    return [segment.word(token) for token in segment.tokens]


@given(TEXTS)
def test_it_holds_the_tokens_of_its_files(texts: list[str]) -> None:
    segment = Segment(build_segment(files(*texts)))
    held = words(segment)
    for number, text in enumerate(texts):
        start = segment.starts[number]
        expected = [*tokenize(text), SEPARATOR]
        assert held[start : start + len(expected)] == expected
        assert segment.file_at(start) == number
    assert [file for file, _ in files(*texts)] == segment.files


@given(TEXTS, st.lists(st.sampled_from(["a", "b", ".", "(", " a", "ab", "\n0"]), min_size=1, max_size=3))
def test_a_context_is_found_wherever_it_is(texts: list[str], context: list[str]) -> None:
    segment = Segment(build_segment(files(*texts)))
    held = words(segment)
    found: Counter[str] = Counter()
    ranges = segment.ranges(context)
    if len(ranges) == len(context):
        low, high = ranges[-1]
        found.update(held[segment.order[rank]] for rank in range(low, high))
    size = len(context)
    ends = [at for at in range(size, len(held)) if held[at - size : at] == context]
    assert found == Counter(held[at] for at in ends)


def test_words_with_a_prefix_are_a_range() -> None:
    segment = Segment(build_segment(files("foo food fool bar föö 变量")))
    assert [segment.word(number) for number in segment.starting_with(" foo")] == [" food", " fool"]
    assert [segment.word(number) for number in segment.starting_with(" 变")] == [" 变量"]
    assert segment.number("nowhere") == -1


def test_the_same_files_make_the_same_bytes() -> None:
    assert build_segment(files("a = b\n", "c")) == build_segment(files("a = b\n", "c"))


def test_every_truncation_is_refused() -> None:
    block = build_segment(files("def f():\n    return 1\n"))
    for size in range(len(block)):
        with pytest.raises(CorruptError):
            Segment(block[:size])


def test_every_altered_byte_is_refused_or_changes_nothing() -> None:
    block = build_segment(files("a = 1\nb = 2\n"))
    whole = words(Segment(block))
    for at in range(len(block)):
        altered = bytearray(block)
        altered[at] ^= 0xFF
        try:
            held = words(Segment(bytes(altered)))
        except CorruptError:
            continue
        assert held == whole


def test_more_bytes_than_a_segment_are_refused() -> None:
    with pytest.raises(CorruptError):
        Segment(build_segment(files("a")) + b"x")


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(block: bytes) -> None:
    with pytest.raises(CorruptError):
        Segment(block)
