"""What holds for every document, every answer and every way an answer comes in pieces."""

from __future__ import annotations

import asyncio
import re

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from tabby_ls.backends.backend import Infill
from tabby_ls.engine.inflight import Generation, Purpose
from tabby_ls.engine.reading import read_answer
from tabby_ls.engine.shaping.cut import Cut, cut
from tabby_ls.engine.shaping.lines import indentation
from tabby_ls.engine.shaping.mode import Mode, choose_mode
from tabby_ls.engine.shaping.shape import shape
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.target import Target
from tabby_ls.prompts.families import Family, family_named
from tabby_ls.prompts.sentinels import first_sentinel
from tabby_ls.settings import Settings
from tests.support.fake_backend import FakeBackend
from tests.support.typist import applied

CODE = [
    *(
        "x",
        "foo",
        "f",
        "1",
        " ",
        "  ",
        "    ",
        "\t",
        "\n",
        "\n",
        "\n    ",
        "\n\n",
        ".",
        "=",
        "+",
        "-",
        "\\",
        "é",
        "𝒙",
    ),
    *("(", ")", "[", "]", "{", "}", "<", ">", '"', "'", "`", ":", ";", ",", "|", "#", "//"),
    *("def f():", "if x:", "else:", "do", "end", "return x", "} else {", "foo(a, b)", "it's"),
]
DIRT = [
    "<|fim_middle|>",
    "<|endoftext|>",
    "<|",
    "fim",
    "</s>",
    "\r\n",
    "\r",
    "\x1b",
    "\x0c",
    "\ufffd",
    "\u202e",
    "\0",
]

documents = st.lists(st.sampled_from([*CODE, "\x0c", "<|fim_middle|>"]), max_size=12).map("".join)
answers = st.lists(st.sampled_from(CODE), max_size=14).map("".join)
dirty_answers = st.lists(st.sampled_from(CODE + DIRT), max_size=14).map("".join)
languages = st.sampled_from(["python", "javascript", "ruby", "yaml", "markdown", "html", "nobody knows it"])
families = st.sampled_from([None, family_named("qwen-coder"), family_named("codellama")])


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    prefix, suffix = draw(documents), draw(documents)
    return Snapshot("file:///a", 1, draw(languages), prefix.count("\n"), prefix, suffix)


@st.composite
def in_pieces(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[str]:
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def read(
    now: Snapshot,
    pieces: list[str],
    mode: Mode,
    family: Family | None,
    *,
    cut_short: bool,
    is_chat: bool = False,
) -> str:
    async def reading() -> str:
        generation = Generation(now, mode, Purpose.AUTOMATIC, Target(FakeBackend([]), Settings()))
        infill = Infill("", "", "", "", None, None, (), 64, 0.0, 0.0, 1)
        infill = evolve(infill, is_chat=is_chat)
        await read_answer(generation, FakeBackend(pieces, cut_short=cut_short), infill, family)
        generation.ended = True
        return generation.suggestion_for(now) or ""

    return asyncio.run(reading())


def without_last_indentation(text: str, now: Snapshot) -> str:
    """What is pushed to a line of its own, below a suggestion, keeps the indentation of the cursor's line."""
    return text.removesuffix(f"\n{indentation(now.line_prefix)}") if now.line_suffix.strip() else text


def cut_in_pieces(pieces: list[str], now: Snapshot, mode: Mode) -> Cut:
    text = ""
    for piece in pieces:
        text += piece
        result = cut(text, now, mode, finished=False)
        if result.ended:
            return result
    return cut(text, now, mode, finished=True)


@given(snapshots(), in_pieces(dirty_answers), st.sampled_from(Mode), families, st.booleans())
def test_an_applied_suggestion_damages_nothing(
    now: Snapshot, pieces: list[str], mode: Mode, family: Family | None, cut_short: bool
) -> None:
    suggestion = shape(read(now, pieces, mode, family, cut_short=cut_short), now)
    if suggestion is None:
        return
    replaced = now.suffix[: suggestion.replaces]
    assert "\n" not in replaced
    assert suggestion.text.endswith(replaced)
    assert len(replaced) == suggestion.replaces < len(suggestion.text)
    after = applied(suggestion, now)
    assert after.startswith(now.prefix)
    assert after.endswith(now.suffix)
    assert after != now.prefix + now.suffix


@given(snapshots(), in_pieces(dirty_answers), st.sampled_from(Mode), families)
@example(Snapshot("file:///a", 1, "python", 0, "", ""), ["\n\x1b"], Mode.ONE_LINE, None)
def test_what_is_inserted_is_clean(
    now: Snapshot, pieces: list[str], mode: Mode, family: Family | None
) -> None:
    suggestion = shape(read(now, pieces, mode, family, cut_short=False), now)
    if suggestion is not None:
        assert first_sentinel(suggestion.text, family) < 0
        assert re.search(r"[^\S \t\n\u00a0]|[\x00-\x08\x1b\x7f-\x9f\u202e\ufffd]", suggestion.text) is None


@given(snapshots(), in_pieces(dirty_answers), st.sampled_from(Mode), families, st.booleans())
def test_the_pieces_of_an_answer_do_not_matter(
    now: Snapshot, pieces: list[str], mode: Mode, family: Family | None, cut_short: bool
) -> None:
    whole = read(now, ["".join(pieces)], mode, family, cut_short=cut_short)
    assert read(now, pieces, mode, family, cut_short=cut_short) == whole


@given(snapshots(), in_pieces(answers), st.sampled_from(Mode))
def test_the_pieces_of_a_text_do_not_matter_to_its_cut(now: Snapshot, pieces: list[str], mode: Mode) -> None:
    text = "".join(pieces)
    whole = cut(text, now, mode, finished=True)
    assert whole.ended
    assert cut_in_pieces(pieces, now, mode).text == whole.text
    assert cut_in_pieces(list(text), now, mode).text == whole.text


@given(snapshots(), answers, st.sampled_from(Mode))
def test_a_cut_text_is_the_beginning_of_the_answer(now: Snapshot, answer: str, mode: Mode) -> None:
    result = cut(answer, now, mode, finished=True).text
    assert answer.startswith((result, without_last_indentation(result, now)))


@given(snapshots(), in_pieces(answers), st.booleans())
def test_one_line_means_one_line(now: Snapshot, pieces: list[str], invoked: bool) -> None:
    mode = choose_mode(now, multiline="never", invoked=invoked)
    assert mode is Mode.ONE_LINE
    suggestion = shape(cut_in_pieces(pieces, now, mode).text, now)
    if suggestion is not None:
        # Blank lines may stand before it where the cursor's line is blank, and the cursor's own line below it.
        assert "\n" not in suggestion.text.strip()
        assert "\n" not in suggestion.text or not now.line_prefix.strip()


@given(snapshots(), st.sampled_from(["auto", "always"]), st.booleans())
def test_text_to_the_right_means_one_line(now: Snapshot, multiline: str, invoked: bool) -> None:
    if now.line_prefix.strip() and re.search(r"\w", now.line_suffix):
        assert choose_mode(now, multiline=multiline, invoked=invoked) is Mode.ONE_LINE


@given(snapshots(), in_pieces(answers), st.sampled_from(Mode), st.booleans())
def test_nothing_inside_an_answer_is_rewritten(
    now: Snapshot, pieces: list[str], mode: Mode, is_chat: bool
) -> None:
    answer = "".join(pieces)
    text = read(now, pieces, mode, None, cut_short=False, is_chat=is_chat)
    assert text in answer or without_last_indentation(text, now) in answer
    suggestion = shape(text, now)
    if suggestion is not None:
        added = suggestion.text[: len(suggestion.text) - suggestion.replaces]
        assert added in answer or without_last_indentation(added, now) in answer


@given(snapshots(), in_pieces(answers), st.sampled_from(Mode), st.sampled_from(["\r\n", "\r"]))
def test_the_answers_line_ends_do_not_matter(
    now: Snapshot, pieces: list[str], mode: Mode, line_end: str
) -> None:
    other = [piece.replace("\n", line_end) for piece in pieces]
    # However CR and LF come apart.
    other = [half for piece in other for half in re.split(r"(?<=\r)", piece)]
    assert read(now, other, mode, None, cut_short=False) == read(now, pieces, mode, None, cut_short=False)


@given(snapshots(), in_pieces(answers), st.sampled_from(Mode))
def test_what_has_ended_stays_as_it_is(now: Snapshot, pieces: list[str], mode: Mode) -> None:
    text = ""
    ended: Cut | None = None
    for piece in pieces:
        text += piece
        result = cut(text, now, mode, finished=False)
        assert ended is None or result == ended
        ended = result if result.ended else ended
    if ended is not None:
        assert cut(text, now, mode, finished=True).text == ended.text


def test_a_form_feed_is_no_indentation_to_repeat() -> None:
    now = Snapshot("file:///a", 1, "python", 1, "x = 1\n\x0c", "y = 2\n")
    suggestion = shape(cut_in_pieces(["z = 3\n"], now, Mode.LINE).text, now)
    assert suggestion is None or "\x0c" not in suggestion.text


def test_a_form_feed_is_no_indentation_of_a_line_that_is_pushed_down() -> None:
    now = Snapshot("file:///a", 1, "javascript", 0, "\x0cif (x) {", "}\n")
    suggestion = shape(cut_in_pieces(["\n  y()\n"], now, Mode.BLOCK).text, now)
    assert suggestion is not None
    assert suggestion.text.startswith("\n  y()")
    assert "\x0c" not in suggestion.text


def test_an_answer_without_end_is_ended() -> None:
    now = Snapshot("file:///a", 1, "python", 0, "", "")
    answer = "".join(f"x{number} = 1\n" for number in range(100))
    result = cut(answer, now, Mode.BLOCK, finished=False)
    assert result.ended
    assert result.text.count("\n") == 39


@pytest.mark.parametrize("mode", Mode)
def test_a_line_without_end_is_ended(mode: Mode) -> None:
    now = Snapshot("file:///a", 1, "python", 0, "x = ", "")
    answer = " ".join(str(number) for number in range(1000))
    assert cut(answer, now, mode, finished=False) == Cut("", True)
