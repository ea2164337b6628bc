"""What was written out while an answer arrived is how the suggestion begins."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.engine.shaping.cut import cut
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.shaping.settled import settled
from tabby_ls.engine.shaping.shape import shape
from tabby_ls.engine.snapshot import Snapshot

PIECES = st.lists(
    st.sampled_from(["x", "foo", " ", "\n", "    ", "(", ")", "return", ":", "=", "}"]), max_size=12
)


def at(prefix: str, suffix: str) -> Snapshot:
    return Snapshot("file:///a.py", 1, "python", prefix.count("\n"), prefix, suffix)


@given(answer=PIECES, before=PIECES, after=PIECES, mode=st.sampled_from(Mode))
def test_what_is_settled_stays(answer: list[str], before: list[str], after: list[str], mode: Mode) -> None:
    snapshot = at("".join(before), "".join(after))
    whole = "".join(answer)
    suggestion = shape(cut(whole, snapshot, mode, finished=True).text, snapshot)
    for end in range(len(whole) + 1):
        sure = settled(cut(whole[:end], snapshot, mode, finished=False).text, snapshot)
        if suggestion is not None:
            assert suggestion.text.startswith(sure)
        else:
            assert sure == ""


def test_a_line_is_written_as_it_comes_but_for_the_word_at_its_end() -> None:
    assert settled("return a + cou", at("def f():\n    ", "\n")) == "return a +"


def test_nothing_is_settled_that_may_become_the_line_below() -> None:
    snapshot = at("    ", "\n    return total\n")
    assert settled("return to", snapshot) == ""
    assert settled("return to + x ", snapshot) == "return to + x"
