"""Special tokens: found in answers, harmless in the user's text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.prompts.families import Family, families, family_named
from tabby_ls.prompts.sentinels import (
    all_sentinels,
    defuse,
    first_sentinel,
    partial_sentinel_at_end,
    sentinels_of,
)

FAMILIES = [None, *families()]
TOKENS = sorted(all_sentinels())
FRAGMENTS = sorted(
    {token[start:end] for token in TOKENS for start, end in ((0, 1), (1, None), (0, -1), (0, None))}
)

some_family = st.sampled_from(FAMILIES)
some_text = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3) | st.just(" "), max_size=12).map(
    "".join
)


def naive_first(text: str, family: Family | None, start: int = 0) -> int:
    return min((at for token in sentinels_of(family) if (at := text.find(token, start)) >= 0), default=-1)


def test_all_families_tokens_are_known() -> None:
    expected = "<|fim_prefix|> <fim_middle> <fim-pad> <｜fim▁hole｜> [SUFFIX] <[fim-suffix]> <PRE> <EOT> <AIX-SPAN-PRE>"
    assert set(expected.split()) <= all_sentinels()
    assert {"<|endoftext|>", "<|im_end|>", "</s>", "<|file_sep|>", "<filename>"} <= all_sentinels()


def test_a_space_defuses_every_token_for_good() -> None:
    """What :func:`defuse` relies on: tokens hold no space, hold no other token and cannot overlap."""
    assert not [token for token in TOKENS if any(character.isspace() for character in token)]
    assert not [pair for pair in itertools.permutations(TOKENS, 2) if pair[0] in pair[1]]
    for first, second in itertools.product(TOKENS, repeat=2):
        shared = range(1, min(len(first), len(second)))
        assert not [size for size in shared if first.endswith(second[:size])], (first, second)


@pytest.mark.parametrize(
    ("text", "defused"),
    [
        ("x = '<|fim_middle|>'", "x = '< |fim_middle|>'"),
        ("<fim_prefix><fim_suffix>", "< fim_prefix>< fim_suffix>"),
        ("<｜fim▁hole｜>", "< ｜fim▁hole｜>"),
        ("a <| b |> c", "a <| b |> c"),
        ("<s>gone</s> <filename> [PREFIX] <PRE>", "<s>gone</s> <filename> [PREFIX] <PRE>"),
    ],
)
def test_tokens_in_the_users_text_are_defused(text: str, defused: str) -> None:
    assert defuse(text, family_named("qwen-coder")) == defused
    assert defuse(text) == defused


def test_what_is_also_code_counts_only_for_its_own_family() -> None:
    html = "<s>gone</s>"
    assert defuse(html, family_named("codestral")) == "< s>gone< /s>"
    assert first_sentinel(html, family_named("codestral")) == 0
    assert first_sentinel(html, family_named("qwen-coder")) == -1
    assert first_sentinel("usage: x <filename>", family_named("mellum")) == 9
    assert first_sentinel("usage: x <filename>", family_named("starcoder2")) == -1


@pytest.mark.parametrize(
    "token", ["<fim_middle>", "<fim-pad>", "<|im_end|>", "<｜fim▁hole｜>", "<[fim-suffix]>", "<AIX-SPAN-PRE>"]
)
def test_an_unmistakable_token_counts_for_every_family(token: str) -> None:
    assert [first_sentinel(f"ab{token}c", family) for family in FAMILIES] == [2] * len(FAMILIES)


@given(some_text, some_family)
def test_defused_text_holds_no_token(text: str, family: Family | None) -> None:
    defused = defuse(text, family)
    assert not [token for token in sentinels_of(family) if token in defused]
    assert defuse(defused, family) == defused
    assert defused.replace(" ", "") == text.replace(" ", "")


@given(some_text, some_family)
def test_text_without_tokens_is_unchanged(text: str, family: Family | None) -> None:
    if naive_first(text, family) < 0:
        assert defuse(text, family) == text


@given(some_text, some_family, st.integers(0, 20))
def test_the_first_token_is_found(text: str, family: Family | None, start: int) -> None:
    assert first_sentinel(text, family, start) == naive_first(text, family, start)


@given(some_text, some_family)
def test_the_longest_beginning_of_a_token_is_held_back(text: str, family: Family | None) -> None:
    held = partial_sentinel_at_end(text, family)
    beginnings = {token[:size] for token in sentinels_of(family) for size in range(1, len(token))}
    assert held == max((size for size in range(1, len(text) + 1) if text[-size:] in beginnings), default=0)


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("", 0),
        ("code", 0),
        ("a <", 1),
        ("a <|fim", 5),
        ("a <|fim_middle|", 13),
        ("a <|fim_middle|>", 0),
        ("x << 1", 0),
    ],
)
def test_a_beginning_of_a_token_waits_for_the_rest(text: str, held: int) -> None:
    assert partial_sentinel_at_end(text) == held


@given(st.sampled_from(sorted(sentinels_of(None))), some_text, st.data())
def test_streamed_text_never_lets_a_token_through(token: str, before: str, data: st.DataObject) -> None:
    """Cutting at the first token and holding beginnings back is the same however text is split."""
    text = f"{before}{token}after"
    splits = data.draw(st.lists(st.integers(0, len(text)), max_size=6).map(sorted))
    seen = shown = ""
    for start, end in itertools.pairwise([0, *splits, len(text)]):
        seen += text[start:end]
        cut = first_sentinel(seen)
        if cut >= 0:
            assert shown == seen[: len(shown)]
            assert len(shown) <= cut
            shown = seen[:cut]
            break
        shown = seen[: len(seen) - partial_sentinel_at_end(seen)]
    assert shown == text[: first_sentinel(text)]
