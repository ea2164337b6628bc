"""The prompt of each family, to the letter, and what holds for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.languages import language_named
from tabby_ls.prompts.families import Family, families, family_named
from tabby_ls.prompts.render import render
from tabby_ls.prompts.sentinels import all_sentinels, sentinels_of
from tabby_ls.prompts.template import Template

USABLE = [family for family in families() if family.fim]


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("qwen-coder", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("starcoder2", "<fim_prefix>P<fim_suffix>S<fim_middle>"),
        ("santacoder", "<fim-prefix>P<fim-suffix>S<fim-middle>"),
        ("codestral", "[SUFFIX]S[PREFIX]P"),
        ("codellama", "<PRE> P <SUF>S <MID>"),
        ("deepseek", "<｜fim▁begin｜>P<｜fim▁hole｜>S<｜fim▁end｜>"),
        ("seed-coder", "<[fim-suffix]>S<[fim-prefix]>P<[fim-middle]>"),
        ("mellum", "<fim_suffix>S<fim_prefix>P<fim_middle>"),
        ("refact", "<fim_suffix>S<fim_prefix>P<fim_middle>"),
        ("glm4.5", "<|code_prefix|>P<|code_suffix|>S<|code_middle|>"),
        (
            "aixcoder",
            "▁<AIX-SPAN-PRE>▁<AIX-SPAN-POST>S▁<AIX-SPAN-MIDDLE>"
            "// the file path is: src/a.cs\n// the code file is written by C#\nP",
        ),
        (
            "codegeex",
            "<|user|>\n###PATH:src/a.cs\n###LANGUAGE:C#\n###MODE:BLOCK\n"
            "<|code_suffix|>S<|code_prefix|>P<|code_middle|><|assistant|>\n",
        ),
    ],
)
def test_every_layout(family: str, text: str) -> None:
    prompt = render(family_named(family), "P", "S", path="src/a.cs", language=language_named("csharp"))
    assert prompt.text == text


@pytest.mark.parametrize(
    ("family", "text"),
    [
        (
            "qwen-coder",
            "<|repo_name|>workspace\n<|file_sep|>a.py\nA\n<|file_sep|>b.py\nB\n<|file_sep|>c.py\n"
            "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>",
        ),
        (
            "starcoder2",
            "<repo_name>workspace<file_sep>a.py\nA<file_sep>b.py\nB<file_sep>"
            "<fim_prefix>c.py\nP<fim_suffix>S<fim_middle>",
        ),
        (
            "mellum",
            "<filename>a.py\nA\n<filename>b.py\nB\n<filename>c.py\n<fim_suffix>S<fim_prefix>P<fim_middle>",
        ),
        ("deepseek", "<｜fim▁begin｜>#a.py\nA\n#b.py\nB\n#c.py\nP<｜fim▁hole｜>S<｜fim▁end｜>"),
        ("codestral", "[SUFFIX]S[PREFIX]+++++ a.py\nA\n\n+++++ b.py\nB\n\n+++++ c.py\nP"),
        ("codegemma", "A<|file_separator|>B<|file_separator|><|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("stable-code", "<fim_prefix># a.py:\n# A\n# b.py:\n# B\nP<fim_suffix>S<fim_middle>"),
    ],
)
def test_other_files_in_the_familys_own_form_or_as_comments(family: str, text: str) -> None:
    snippets = [("a.py", "A\n"), ("b.py", "B")]
    assert render(family_named(family), "P", "S", snippets=snippets, path="c.py").text == text


def test_comments_are_in_the_files_language() -> None:
    stable_code = family_named("stable-code")
    python = render(stable_code, "P", "", snippets=[("a.py", "a\n\nb")])
    assert python.text.startswith("<fim_prefix># a.py:\n# a\n#\n# b\nP")
    html = render(stable_code, "P", "", snippets=[("a.html", "<b>\n\n</b>")], language=language_named("html"))
    assert html.text.startswith("<fim_prefix><!-- a.html: -->\n<!-- <b> -->\n<!--  -->\n<!-- </b> -->\nP")


@pytest.mark.parametrize("family", USABLE, ids=lambda family: family.name)
def test_an_empty_suffix_keeps_its_place(family: Family) -> None:
    assert render(family, "P", "").text == render(family, "P", "<>").text.replace("<>", "")


def test_stop_strings_of_the_files_form_come_with_the_files() -> None:
    codestral = family_named("codestral")
    assert "\n+++++ " not in render(codestral, "P", "S").stop
    assert "\n+++++ " in render(codestral, "P", "S", snippets=[("a", "A")]).stop


def test_a_family_without_template_is_refused() -> None:
    zeta = next(family for family in families() if family.name == "zeta1")
    with pytest.raises(ValueError, match=r"zeta1.*rewrites a marked region"):
        render(zeta, "P", "S")


def test_the_head_stays_while_the_user_types() -> None:
    """Nothing before the prefix depends on it, and the suffix comes after it or is the same."""
    snippets = [("a.py", "A")]
    for family in USABLE:
        before = render(family, "def f(", ")", snippets=snippets).text
        after = render(family, "def f(x", ")", snippets=snippets).text
        head = before[: before.index("def f(") + len("def f(")]
        assert after.startswith(head + "x"), family.name


PIECES = [
    *sorted(all_sentinels()),
    "{prefix}",
    "{suffix}",
    "{",
    "}",
    "%s",
    "\\1",
    "\n",
    "x",
    "<",
    "[",
    "|>",
    " ",
]
user_text = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=6).map("".join)


@given(st.sampled_from(USABLE), user_text, user_text, user_text, user_text)
def test_only_the_template_puts_special_tokens_into_a_prompt(
    family: Family, prefix: str, suffix: str, path: str, text: str
) -> None:
    def tokens(prompt: str) -> dict[str, int]:
        return {token: prompt.count(token) for token in sentinels_of(family)}

    assert tokens(render(family, prefix, suffix, path=path).text) == tokens(
        render(family, "", "", path="").text
    )
    with_files = render(family, prefix, suffix, path=path, snippets=[(path, text)]).text
    assert tokens(with_files) == tokens(render(family, "", "", path="", snippets=[("", "")]).text)


@given(st.sampled_from(USABLE), st.text(alphabet="{}prefix sufix%\\1\n"), st.text(alphabet="{}prefix\n"))
def test_the_users_text_is_never_read_as_a_template(family: Family, prefix: str, suffix: str) -> None:
    prompt = render(family, prefix, suffix).text
    assert prompt == render(family, "\0P", "\0S").text.replace("\0P", prefix).replace("\0S", suffix)


def test_a_template_has_literals_and_places() -> None:
    template = Template.parse("a{one}b{two}")
    assert template.literals == ("a", "b", "")
    assert template.places == ("one", "two")
    assert template.fill({"one": "{two}", "two": "2"}) == "a{two}b2"
    with pytest.raises(KeyError):
        template.fill({"one": "1"})
