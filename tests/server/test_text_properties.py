"""Edits and windows against models that are slow and plainly right: one string, searched from its start."""

from __future__ import annotations

import re
import struct

from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.server.text import Edit, TextLines

LINE_END = re.compile(r"\r\n|\r|\n")

encodings = st.sampled_from(["utf-8", "utf-16", "utf-32"])
pieces = st.sampled_from(
    [
        "a",
        "bc",
        " ",
        "é",
        "世",
        "😀",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\f",
        "\v",
        "\x1c",
        "\x85",
        "\u2028",
        "\u2029",
    ]
)
texts = st.lists(pieces, max_size=20).map("".join)
broken_texts = st.lists(st.one_of(pieces, st.sampled_from(["\ud83d", "\ude00"])), max_size=20).map("".join)
points = st.tuples(st.integers(0, 8), st.integers(0, 14))
edits = st.lists(st.tuples(points, points, broken_texts), max_size=12)


def as_client_counts(text: str, encoding: str) -> str:
    """The text with one character a unit: for UTF-16 pairs come apart. UTF-8 counts in `offset`."""
    if encoding != "utf-16":
        return text
    encoded = text.encode("utf-16-le", "surrogatepass")
    return "".join(map(chr, struct.unpack(f"<{len(encoded) // 2}H", encoded)))


def offset(text: str, point: tuple[int, int], encoding: str) -> int:
    """Where a client's position is in what `as_client_counts` made."""
    line, character = point
    begin = 0
    for _ in range(line):
        found = LINE_END.search(text, begin)
        if found is None:
            return len(text)
        begin = found.end()
    found = LINE_END.search(text, begin)
    end = found.start() if found else len(text)
    units = 0
    for index in range(begin, end):
        units += len(text[index].encode("utf-8", "surrogatepass")) if encoding == "utf-8" else 1
        if units > character:
            return index
    return end


def as_lines(text: str) -> list[str]:
    lines, begin = [], 0
    for found in LINE_END.finditer(text):
        lines.append(text[begin : found.end()])
        begin = found.end()
    return [*lines, text[begin:]]


def replayed(text: str, edit: Edit) -> str:
    """An edit applied by code point indices."""
    lines = as_lines(text)
    start, end = (sum(map(len, lines[:line])) + index for line, index in (edit.start, edit.end))
    assert start <= end
    return text[:start] + edit.text + text[end:]


@given(broken_texts, edits, encodings)
def test_edits_leave_what_the_client_has(source, changes, encoding):
    text = TextLines(source, encoding)
    model = as_client_counts(source, encoding)
    for start, end, new in changes:
        before = text.text
        edit = text.apply(start, end, new)
        first, last = sorted((offset(model, start, encoding), offset(model, end, encoding)))
        model = model[:first] + as_client_counts(new, encoding) + model[last:]
        assert as_client_counts(text.text, encoding) == model
        assert text.lines == as_lines(text.text)
        assert replayed(before, edit) == text.text


@given(broken_texts, encodings)
def test_every_code_point_is_found_again_by_its_position(source, encoding):
    text = TextLines(source, encoding)
    for number in range(len(text)):
        for index in range(len(text.line(number)) + 1):
            assert text.locate(number, text.units(number, index)) == (number, index)


@given(broken_texts, points, encodings)
def test_any_position_is_found_in_the_text(source, point, encoding):
    text = TextLines(source, encoding)
    line, index = text.locate(*point)
    assert 0 <= line < len(text)
    assert 0 <= index <= len(text.line(line))


def whole_lines(lines: list[str], limit: int, last: bool) -> str:
    """The lines that fit, from one end; one longer than the limit is cut to what still fits."""
    taken = ""
    for line in reversed(lines) if last else lines:
        room = limit - len(taken)
        if len(line) > room:
            if len(line) > limit:
                taken = line[len(line) - room :] + taken if last else taken + line[:room]
            break
        taken = line + taken if last else taken + line
    return taken.replace("\r\n", "\n").replace("\r", "\n")


@given(texts, points, st.integers(0, 40), st.integers(0, 40))
def test_windows_hold_the_whole_lines_that_fit(source, point, before, after):
    text = TextLines(source)
    line, index = text.locate(*point)
    lines = as_lines(source)
    prefix, suffix = text.window(line, index, before, after)
    assert prefix == whole_lines([*lines[:line], lines[line][:index]], before, last=True)
    assert suffix == whole_lines([lines[line][index:], *lines[line + 1 :]], after, last=False)


@given(broken_texts, points)
def test_a_window_over_everything_is_the_text_with_lf_and_fit_to_be_sent(source, point):
    text = TextLines(source)
    prefix, suffix = text.window(*text.locate(*point), 1000, 1000)
    (prefix + suffix).encode("utf-8")
    assert "\r" not in prefix + suffix
    expected = LINE_END.sub("\n", source)
    joined = expected.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert len(prefix + suffix) >= len(joined)
    if not re.search("[\ud800-\udfff]", source):
        assert prefix + suffix == expected
