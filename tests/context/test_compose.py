"""The prompt within its budget."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.backends.backend import Snippet
from tabby_ls.context.compose import Document, compose, room_for_snippets
from tabby_ls.context.redaction import REDACTED
from tabby_ls.prompts.families import Family, families, family_named
from tabby_ls.prompts.sentinels import all_sentinels, first_sentinel

USABLE = [family for family in families() if family.fim]
texts = st.lists(st.text("ab ", max_size=12), max_size=60).map("\n".join)
pieces = st.lists(st.builds(Snippet, st.sampled_from(["a.py", "in/a/folder/far/away.py"]), texts), max_size=6)


@given(texts, texts, pieces, st.integers(64, 2000), st.floats(0.1, 1.0))
def test_everything_together_fits(
    prefix: str, suffix: str, snippets: list[Snippet], room: int, prefix_share: float
) -> None:
    document = Document("main.py", "python", 0, prefix, suffix)
    composed = compose(
        document, snippets, family=family_named("qwen-coder"), room=room, prefix_share=prefix_share
    )
    assert len(composed.prefix) + len(composed.suffix) + sum(len(it.text) for it in composed.snippets) <= room
    assert prefix.endswith(composed.prefix)
    assert suffix.startswith(composed.suffix)
    assert list(composed.snippets) == snippets[: len(composed.snippets)]
    if prefix and not prefix.endswith("\n"):
        assert composed.prefix
    as_comments = compose(document, snippets, family=None, room=room, prefix_share=prefix_share)
    assert len(as_comments.prompt) <= room


@given(texts, texts, st.integers(64, 2000), st.floats(0.0, 0.8))
def test_the_room_for_snippets_is_a_part_of_all_the_room(
    prefix: str, suffix: str, room: int, share: float
) -> None:
    assert 0 <= room_for_snippets(Document("main.py", "python", 0, prefix, suffix), room, share) <= room


def test_what_a_short_document_leaves_snippets_may_have_and_that_changes_seldom() -> None:
    document = Document("main.py", "python", 0, "x = 1\n" * 20, "")
    spare = {
        room_for_snippets(evolve(document, prefix=document.prefix + "y" * keys), 2000, 0.3)
        for keys in range(200)
    }
    assert min(spare) > 1000
    assert len(spare) <= 2


def test_the_document_goes_before_snippets() -> None:
    """However many there are, half of the room is the document's, or all that it needs."""
    document = Document("main.py", "python", 0, "x = 1\n" * 500, "")
    composed = compose(
        document,
        [Snippet("a.py", "y = 2\n" * 150)] * 3,
        family=family_named("qwen-coder"),
        room=2000,
        prefix_share=0.75,
    )
    assert len(composed.prefix) >= 900


@pytest.mark.parametrize("family", USABLE, ids=lambda family: family.name)
def test_no_special_token_of_any_family_gets_through(family: Family) -> None:
    """In prefix, suffix, snippets and paths alike; what the template itself holds is taken out first."""
    all_of_them = " ".join(sorted(all_sentinels()))
    document = Document(all_of_them, "python", 0, all_of_them, all_of_them)
    composed = compose(
        document, [Snippet(all_of_them, all_of_them)], family=family, room=100_000, prefix_share=0.75
    ).defused(family)
    assert family.template is not None
    form = family.with_files if family.with_files and family.file else family.template
    rest = composed.prompt
    for literal in form.literals:
        assert literal in rest or not literal
        rest = rest.replace(literal, "\0", 1) if literal.strip() else rest
    if family.file and family.with_files:
        for literal in filter(str.strip, family.file.literals):
            rest = rest.replace(literal, "\0", 1)
    assert first_sentinel(rest, family) == -1
    for text in (composed.prefix, composed.suffix, *((it.path + it.text) for it in composed.snippets)):
        assert first_sentinel(text, family) == -1


def test_keys_go_from_the_window_and_from_snippets() -> None:
    key = "AKIA" + "Z7Q2M4N6P8R1T3V5"
    document = Document("a.py", "python", 0, f'a = "{key}"\nx = ', f'\nb = "{key}"\n')
    composed = compose(document, [Snippet("b.py", f'c = "{key}"')], family=None, room=4000, prefix_share=0.75)
    assert key not in composed.prompt + composed.prefix + composed.suffix + composed.snippets[0].text
    assert composed.suffix == f'\nb = "{REDACTED}"\n'


@pytest.mark.parametrize("at", range(1, 20))
def test_a_key_that_the_cursor_stands_in_goes_as_a_whole(at: int) -> None:
    key = "AKIA" + "Z7Q2M4N6P8R1T3V5"
    document = Document("a.py", "python", 0, f'x = 1\na = "{key[:at]}', f'{key[at:]}"\ny = 2\n')
    composed = compose(document, [], family=None, room=4000, prefix_share=0.75)
    assert (composed.prefix, composed.suffix) == (f'x = 1\na = "{REDACTED}', '"\ny = 2\n')


def test_without_a_family_what_is_before_the_cursor_is_all() -> None:
    composed = compose(
        Document("a.py", "python", 0, "x = ", "\n"), [], family=None, room=4000, prefix_share=0.75
    )
    assert composed.prompt == "x = "
