"""What was typed since: compared with a plain model of a document and its cursor."""

from __future__ import annotations

import re

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from tabby_ls.engine.anchor import Anchor, region_agrees, rest_of, typed_since
from tabby_ls.engine.inflight import Edit, Generation, Purpose
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.target import Target
from tabby_ls.settings import Settings
from tests.support.fake_backend import FakeBackend
from tests.support.typist import snapshot_at

TARGET = Target(FakeBackend([]), Settings())
PAIRS = {"(": ")", "[": "]", "{": "}", '"': '"', "'": "'"}
fragments = st.lists(
    st.sampled_from(["a", "b", "xy", " ", "\n", "\n  ", "(", ")", "]", '"', ";"]), max_size=8
)
texts = fragments.map("".join)


class Document:
    """Two strings around a cursor; `edits` are what an editor would have sent."""

    def __init__(self, prefix: str, suffix: str) -> None:
        self.prefix, self.suffix = prefix, suffix
        self.start = len(prefix)
        self.closed = ""  # what the editor closed by itself, as far as it is still there
        self.edits: list[Edit] = []

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot("file:///a", 1, "python", self.prefix.count("\n"), self.prefix, self.suffix)

    @property
    def typed(self) -> str:
        return self.prefix[self.start :]

    def replace(self, deleted: int, text: str, replaces: int = 0, closers: str = "") -> None:
        """Put `text` and, behind the cursor, `closers` in the place of what stands around it."""
        before = self.prefix[: len(self.prefix) - deleted]
        edit = Edit(
            *self._position(len(before)), *self._position(len(self.prefix) + replaces), text + closers
        )
        self.edits.append(edit)
        self.prefix, self.suffix = before + text, closers + self.suffix[replaces:]
        self.closed = closers + self.closed[replaces:]

    def type_over(self) -> None:
        """Type the character that the editor closed: the cursor moves, the text stays."""
        self.prefix, self.suffix = self.prefix + self.suffix[0], self.suffix[1:]
        self.closed = self.closed[1:]

    def _position(self, index: int) -> tuple[int, int]:
        before = (self.prefix + self.suffix)[:index]
        return before.count("\n"), len(before) - before.rfind("\n") - 1


@st.composite
def documents_typed_into(draw: st.DrawFn) -> tuple[Snapshot, Document]:
    document = Document(draw(texts), draw(texts))
    origin = document.snapshot
    for action in draw(
        st.lists(st.sampled_from(["key", "enter", "pair", "over", "back", "accept"]), max_size=8)
    ):
        rest = document.suffix.partition("\n")[0]
        if action == "key":
            document.replace(0, draw(st.sampled_from("ab x;.")))
        elif action == "enter" and not document.closed:
            document.replace(0, "\n" + draw(st.sampled_from(["", "  ", "\t"])))
        elif action == "pair":
            opener = draw(st.sampled_from(sorted(PAIRS)))
            document.replace(0, opener, closers=PAIRS[opener])
        elif action == "over" and document.closed:
            document.type_over()
        elif action == "back" and document.typed:
            paired = document.closed[:1] == PAIRS.get(document.typed[-1], "none")
            document.replace(1, "", replaces=int(paired))
        elif action == "accept":
            replaces = draw(st.integers(0, min(3, len(rest))))
            document.replace(
                0, draw(st.sampled_from(["z", "z, ", "q("])) + rest[:replaces], replaces=replaces
            )
    return origin, document


@given(documents_typed_into())
def test_what_was_typed_is_found(case: tuple[Snapshot, Document]) -> None:
    origin, document = case
    now = document.snapshot
    place = Anchor.of(origin)
    found = typed_since(place, now)
    typed = place.head + document.typed
    assert found in (None, typed)
    grown = len(now.suffix) - len(origin.suffix)
    only_closed = now.suffix == document.closed + origin.suffix
    openers = all(
        document.typed.count(opener) >= document.closed.count(closer) for opener, closer in PAIRS.items()
    )
    if now.suffix == origin.suffix or (only_closed and grown <= 8 and openers):
        assert found == typed


@given(st.tuples(texts, texts), st.tuples(texts, texts))
def test_whatever_is_found_was_typed(then: tuple[str, str], later: tuple[str, str]) -> None:
    origin, now = Document(*then).snapshot, Document(*later).snapshot
    place = Anchor.of(origin)
    typed = typed_since(place, now)
    if typed is not None:
        assert now.prefix == origin.prefix.removesuffix(place.head) + typed
        assert now.suffix.endswith(origin.suffix) or origin.suffix.endswith(now.suffix)


@pytest.mark.parametrize(
    ("then", "now", "typed"),
    [
        ("x = |", "x = |", ""),
        ("x = |", "x = com|", "com"),
        ("def f():|", "def f():\n    a|", "\n    a"),
        ("print|", "print(|)", "("),
        ("print(|)", "print(a|)", "a"),
        ("print(|)", "print(a)|", "a)"),
        ("print(|)", "print(a).b|", "a).b"),
        ("print(|)", 'print("|")', '"'),
        ("f(|bar)", "f(a, bar)|", "a, bar)"),
        ("x|\ny", "x|\nz", None),
        ("x|", "y|", None),
        ("x|", "|", None),
        ("a\nx|", "b\nx|", None),
        ("x|", "a\nx|", None),
        ("x|", "xa|)", None),
        ("x|", "x{\n  |\n}", "{\n  "),
        ("x|\ny", "x([{\n  |\n}])\ny", "([{\n  "),
        ("x|", "x{\n  |\n)", None),
        ("x|", "x{\n  |\n\n}", None),
        ("f(|)", "f(|", None),
    ],
)
def test_typed_since(then: str, now: str, typed: str | None) -> None:
    assert typed_since(Anchor.of(snapshot_at(then)), snapshot_at(now)) == typed


def test_other_documents_and_languages_are_nothing_to_go_by() -> None:
    then = snapshot_at("x|")
    assert typed_since(Anchor.of(then), evolve(then, uri="file:///other")) is None
    assert typed_since(Anchor.of(then), evolve(then, language="ruby")) is None


def test_windows_that_begin_at_different_lines_are_compared_where_they_overlap() -> None:
    lines = "".join(f"line {number}\n" for number in range(2000))
    then = Snapshot("file:///a", 1, "python", 2000, lines + "x", lines)
    now = Snapshot("file:///a", 2, "python", 2001, lines[lines.index("line 9") :] + "xy\nz", lines[:9000])
    assert typed_since(Anchor.of(then), now) == "y\nz"


@given(
    st.lists(st.sampled_from(["a", "b(", ")", "[", "]", '"', " ", "\n  ", "{}", "c"]), max_size=10).map(
        "".join
    ),
    st.integers(0, 10),
    st.booleans(),
)
def test_typing_the_generated_text_never_ends_it(text: str, arrived: int, finished: bool) -> None:
    """Whatever the editor closes by itself, and however much of the text is known already."""
    document = Document("x\ny = ", ")\nz")
    known = text if finished else text[:arrived]
    generation = Generation(
        document.snapshot, Mode.BLOCK, Purpose.AUTOMATIC, TARGET, text=known, ended=finished
    )
    for key in text:
        if document.closed.startswith(key):
            document.type_over()
        else:
            if key == "\n" and document.closed:
                return  # editors make two lines of that: another text
            document.replace(0, key, closers=PAIRS.get(key, ""))
            if len(document.closed) > 8:
                return
            assert generation.survives(document.edits[-1])
        assert generation.rest_for(document.snapshot) == known[len(document.typed) :]


keys = st.text("abc\n", max_size=6)


@given(keys, keys, st.booleans())
@example("ab", "abc", False)
@example("abc", "ab", False)
@example("abc", "ab", True)
def test_a_generation_lives_exactly_as_long_as_keys_agree(typed: str, text: str, finished: bool) -> None:
    document = Document("x\ny = ", " + 1\nz")
    generation = Generation(
        document.snapshot, Mode.BLOCK, Purpose.AUTOMATIC, TARGET, text=text, ended=finished
    )
    for count, key in enumerate(typed, start=1):
        document.replace(0, key)
        expected = text.startswith(typed[:count]) or (not finished and typed[:count].startswith(text))
        assert generation.survives(document.edits[-1]) == expected
        assert (generation.rest_for(document.snapshot) is not None) == expected
        if not expected:
            return


def survives(text: str, *edits: Edit, before: str = "x = |") -> bool:
    generation = Generation(snapshot_at(before), Mode.LINE, Purpose.AUTOMATIC, TARGET, text=text)
    return all(generation.survives(edit) for edit in edits)


@pytest.mark.parametrize(
    ("text", "edits", "survived"),
    [
        ("f(a)", [Edit(0, 4, 0, 4, "f"), Edit(0, 5, 0, 5, "()")], True),
        ("f(a)", [Edit(0, 4, 0, 4, "f("), Edit(0, 6, 0, 6, ")")], True),
        ("f(a[0])", [Edit(0, 4, 0, 4, "f()"), Edit(0, 6, 0, 6, "a[]")], True),
        ("a + b", [Edit(0, 4, 0, 4, "a"), Edit(0, 5, 0, 5, ")")], False),
        ("f(a, b)", [Edit(0, 4, 0, 4, "f()"), Edit(0, 6, 0, 6, "c")], False),
        ("a", [Edit(0, 4, 0, 4, "b"), Edit(0, 4, 0, 5, "")], False),
        ("", [Edit(0, 4, 0, 4, "b"), Edit(0, 4, 0, 5, "")], True),
        ("a", [Edit(0, 0, 0, 4, "x = a")], True),
        ("a", [Edit(0, 0, 0, 4, "y = a")], False),
        ("a", [Edit(0, 0, 0, 1, "x")], False),
        ("a", [Edit(0, 0, 0, 1, "x = a")], False),
        ("a", [Edit(1, 0, 1, 0, "a")], False),
        ("a\nb", [Edit(0, 4, 0, 4, "a\n"), Edit(1, 0, 1, 0, "b")], True),
        ("a\nb", [Edit(0, 4, 0, 4, "a\n"), Edit(2, 0, 2, 0, "b")], False),
    ],
)
def test_edits_one_by_one(text: str, edits: list[Edit], survived: bool) -> None:
    assert survives(text, *edits) == survived


def test_an_accepted_suggestion_may_replace_what_stands_behind_the_cursor() -> None:
    assert survives("a, b)\nmore", Edit(0, 2, 0, 3, "a, b)"), before="f(|)")
    assert not survives("a, b)\nmore", Edit(0, 2, 0, 3, "a, b"), before="f(|)")
    assert not survives("a, b)\nmore", Edit(0, 4, 0, 4, ") "), before="f(|) + 1")


@pytest.mark.parametrize(
    ("region", "text", "agreed"),
    [
        ("f()", "f(a)", True),
        ("f)", "f(a)", False),
        ('f("")', 'f("a")', True),
        ("[()]", "[(a)]", True),
        ("f({\n  \n})", "f({\n  a\n})", True),
        ("f({\n  \n\n})", "f({\n  a\n})", False),
    ],
)
def test_only_what_was_opened_can_have_been_closed_by_the_editor(
    region: str, text: str, agreed: bool
) -> None:
    assert region_agrees(region, text, Anchor.of(snapshot_at("x = |")), finished=False) == agreed


# Indentation


def rest(then: str, text: str, now: str, *, finished: bool = True) -> str | None:
    place = Anchor.of(snapshot_at(then))
    typed = typed_since(place, snapshot_at(now))
    return None if typed is None else rest_of(text, typed, place, finished=finished)


@pytest.mark.parametrize(
    ("then", "text", "now", "remains"),
    [
        # The editor indents the new line, in part or in full, or in its own way.
        ("def f():|", "\n    a\n    b", "def f():\n|", "    a\n    b"),
        ("def f():|", "\n    a\n    b", "def f():\n  |", "  a\n    b"),
        ("def f():|", "\n    a\n    b", "def f():\n\t|", "a\n\tb"),
        ("def f():|", "\n    a\n    b", "def f():\n\ta\n|", "\tb"),
        ("def f():|", "\n    a\n    b", "def f():\n        |", "a\n        b"),
        ("def f():|", "\n  a\n    b", "def f():\n    |", "a\n      b"),
        ("f() |", "{\n  a\n}", "f() {\n\t|", "a\n}"),
        ("f():|", "\n        a\n    b", "f():\n\t\ta|", ""),
        # What is deeper inside cannot be said in tabs: it is left out, never made up.
        ("def f():|", "\n    if a:\n        b", "def f():\n\t|", "if a:"),
        # On a line that was blank the user changes the indentation, which then counts for all of it.
        ("if a:\n    |", "b\n    c", "if a:\n\t|", "b\n\tc"),
        ("if a:\n    |", "b\n    c", "if a:\n        |", "b\n        c"),
        ("if a:\n    |", "b\n    c", "if a:\n  |", "b\n  c"),
        ("if a:\n    |", "b\n    c", "if a:\n|", "b\nc"),
        ("if a:\n    |", "b\nc", "if a:\n  |", "b"),
        ("if a:\n|", "    b\n    c", "if a:\n\tb\n|", "\tc"),
        # Less deep than the line before says something else, unless that was generated.
        ("    a|", "\n    b", "    a\n|", "    b"),
        ("        a|", "\n    b", "        a\n        |", None),
        ("    a|", "\n    b", "    a\n        |", None),
        # White space inside a line is no indentation.
        ("x =|", " a", "x =  |", None),
    ],
)
def test_indentation_is_the_users_own(then: str, text: str, now: str, remains: str | None) -> None:
    assert rest(then, text, now) == remains


def test_typing_beyond_what_has_arrived_is_no_contradiction_with_other_indentation_either() -> None:
    assert rest("def f():|", "\n    retu", "def f():\n\treturn x\n\t|", finished=False) == ""
    assert rest("def f():|", "\n    retu", "def f():\n\treturn x\n\t|") is None
    assert rest("def f():|", "\n    retu", "def f():\n\trx|", finished=False) is None


@given(
    st.lists(st.sampled_from(["a", "b c", "", "d("]), min_size=1, max_size=5),
    st.lists(st.integers(1, 2), min_size=5, max_size=5),
    st.integers(0, 30),
)
def test_whatever_was_indented_alike_is_indented_alike_in_what_remains(
    lines: list[str], depths: list[int], typed: int
) -> None:
    """The same text in spaces and in tabs: what remains is the rest of the one that is typed."""
    spaces = "\n".join("    " * depth + line for depth, line in zip(depths, lines, strict=False))
    tabs = "\n".join("\t" * depth + line for depth, line in zip(depths, lines, strict=False))
    place = Anchor.of(snapshot_at("x = |"))
    if not tabs[:typed].rpartition("\n")[2].strip():
        return  # how much of the indentation is still to come is anybody's guess
    remains = rest_of("(\n" + spaces, "(\n" + tabs[:typed], place, finished=True)
    if remains is not None:
        as_tabs, as_remains = (re.sub("(?m)^[ \\t]+$", "", text) for text in (tabs[typed:], remains))
        assert as_tabs.startswith(as_remains)
