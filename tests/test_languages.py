"""Every name an editor gives a language, and every file, leads to the right entry of the table."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from tabby_ls.languages import language_named, language_of_path

TABLE = tomllib.loads(resources.files("tabby_ls").joinpath("languages.toml").read_text("utf-8"))
FIELDS = {
    "name",
    "aliases",
    "files",
    "line_comment",
    "block_comment",
    "openers",
    "heads",
    "closers",
    "continues",
    "items",
    "markup",
    "prose",
}


@pytest.mark.parametrize(
    ("name", "language_id"),
    [
        ("python", "python"),
        ("Python", "python"),
        ("py", "python"),
        ("cs", "csharp"),  # Vim
        ("c-sharp", "csharp"),  # Helix
        ("bash", "shellscript"),
        ("zsh", "shellscript"),
        ("sh-mode", "shellscript"),  # Emacs
        ("c++", "cpp"),
        ("c++-ts-mode", "cpp"),
        ("js", "javascript"),
        ("jsx", "javascriptreact"),
        ("tsx", "typescriptreact"),
        ("typescript.tsx", "typescriptreact"),  # Vim
        ("javascript.jsx", "javascript"),
        ("yaml.ansible", "yaml"),
        ("LaTeX", "latex"),
        ("tex", "latex"),
        ("emacs-lisp", "elisp"),
        ("make", "makefile"),
        ("hcl", "terraform"),
        ("arduino", "cpp"),
        ("bazel", "python"),
        ("aspnetcorerazor", "html"),  # VS Code
        ("blade", "html"),
        ("cucumber", "gherkin"),  # Vim and VS Code
        ("gherkin", "gherkin"),  # Helix
        ("qmljs", "qml"),
        ("jsonnet", "jsonnet"),
        ("nginx", "nginx"),
        ("odin", "odin"),
        ("rescript", "rescript"),
        ("ps1", "powershell"),
        ("objc", "objective-c"),
        ("text", "plaintext"),
    ],
)
def test_every_editors_name_leads_to_the_language(name: str, language_id: str) -> None:
    assert language_named(name).id == language_id


@pytest.mark.parametrize(
    ("path", "language_id"),
    [
        ("a/b/c.py", "python"),
        ("C.PY", "python"),
        ("types.d.ts", "typescript"),
        ("Makefile", "makefile"),
        ("sub/CMakeLists.txt", "cmake"),
        ("Dockerfile", "dockerfile"),
        ("Dockerfile.dev", "dockerfile"),
        ("notes.txt", "plaintext"),
        ("tsconfig.json", "jsonc"),
        (".bashrc", "shellscript"),
        ("BUILD.bazel", "python"),
        ("welcome.blade.php", "html"),
        ("etc/nginx.conf", "nginx"),
        ("analysis.R", "r"),
        ("README", "plaintext"),
        ("", "plaintext"),
        ("strange.", "plaintext"),
        ("a.unheardof", "unheardof"),
    ],
)
def test_a_files_name_tells_its_language(path: str, language_id: str) -> None:
    assert language_of_path(path).id == language_id


def test_an_unknown_language_keeps_its_name_and_has_brackets() -> None:
    unknown = language_named("Brainstorm")
    assert (unknown.id, unknown.name) == ("brainstorm", "Brainstorm")
    assert unknown.opens_block("f(")
    assert unknown.closes_block("  }")
    assert not unknown.opens_block("if x then")
    assert language_named("").opens_block("{")


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("python", "def f(x):"),
        ("python", "    call("),
        ("go", "func main() {"),
        ("lua", "for i = 1, 2 do  "),
        ("lua", "function f()"),
        ("ruby", "  def f(a)"),
        ("ruby", "list.each do |x|"),
        ("elixir", "defmodule A do"),
        ("shellscript", "if [ -f x ]; then"),
        ("brainstorm", "x = ["),
    ],
)
def test_lines_that_open_a_block(language: str, line: str) -> None:
    assert language_named(language).opens_block(line)


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("python", "x = 1"),
        ("go", "x := y"),
        ("lua", "undo"),  # ends with "do", but is another word
        ("lua", "function f() return 1 end"),
        ("ruby", "definition = 1"),
        ("json", '  "a":'),
        ("css", "color:"),
        ("python", ""),
    ],
)
def test_lines_that_open_no_block(language: str, line: str) -> None:
    assert not language_named(language).opens_block(line)


@pytest.mark.parametrize(
    ("language", "line", "opens"),
    [
        ("python", "x = f(a,", True),
        ("python", 'print("(")', False),
        ("python", "if x:  # why", True),
        ("python", "x = a[1:]", False),
        ("html", '<div class="a">', True),
        ("html", "<br>", False),
        ("html", "</div>", False),
        ("html", "<img />", False),
        ("typescriptreact", "const a: Array<string>", False),
        ("latex", "\\begin{itemize}", True),
        ("markdown", "the (first", False),
        ("elisp", "(defun f ()", True),
    ],
)
def test_brackets_tags_and_comments_at_the_end_of_a_line(language: str, line: str, opens: bool) -> None:
    assert language_named(language).opens_block(line) is opens


@pytest.mark.parametrize(
    ("language", "line", "comment", "item"),
    [
        ("python", "  # a", True, False),
        ("c", "/* a", True, False),
        ("c", " * a", True, False),
        ("c", "*p = 1;", False, False),
        ("html", "<!-- a", True, False),
        ("json", "# a", False, False),
        ("yaml", "  - a", False, True),
        ("yaml", "-1", False, False),
        ("markdown", "* a", False, True),
        ("markdown", "12. a", False, True),
        ("markdown", "1.5", False, False),
        ("latex", "\\item a", False, True),
    ],
)
def test_comments_and_items(language: str, line: str, comment: bool, item: bool) -> None:
    found = language_named(language)
    assert (found.is_comment(line), found.is_item(line)) == (comment, item)


@pytest.mark.parametrize(
    ("language", "line", "closes", "continues"),
    [
        ("javascript", "  } else {", True, True),
        ("javascript", "  } catch (e) {", True, True),
        ("javascript", "});", True, False),
        ("python", "else:", False, True),
        ("python", "elsewhere = 1", False, False),
        ("python", "except ValueError:", False, True),
        ("ruby", "end", True, False),
        ("ruby", "ending = 1", False, False),
        ("ruby", "rescue Error => e", False, True),
        ("shellscript", "fi", True, False),
        ("shellscript", "elif x; then", False, True),
        ("html", "</div>", True, False),
        ("cpp", "public:", False, True),
        ("cpp", "publicise();", False, False),
        ("svelte", "{:else}", False, True),
    ],
)
def test_lines_that_close_or_continue_a_block(
    language: str, line: str, closes: bool, continues: bool
) -> None:
    found = language_named(language)
    assert (found.closes_block(line), found.continues_block(line)) == (closes, continues)


@pytest.mark.parametrize(
    ("language", "comment"),
    [
        ("python", ("# ", "")),
        ("c", ("// ", "")),
        ("css", ("/* ", " */")),
        ("html", ("<!-- ", " -->")),
        ("bat", ("rem ", "")),
        ("json", ("# ", "")),
    ],
)
def test_a_line_can_be_shown_as_a_comment(language: str, comment: tuple[str, str]) -> None:
    assert language_named(language).comment == comment


def test_prose_is_told_from_code() -> None:
    assert all(language_named(name).prose for name in ("markdown", "latex", "plaintext", "git-commit"))
    assert not language_named("python").prose


@pytest.mark.parametrize("language_id", TABLE)
def test_the_tables_entries_are_sound(language_id: str) -> None:
    entry = TABLE[language_id]
    assert set(entry) <= FIELDS
    assert len(entry.get("block_comment", ["", ""])) == 2
    assert all(alias == alias.lower() for alias in entry.get("aliases", ()))
    language = language_named(language_id)
    assert language.id == language_id
    for key in ("openers", "heads", "closers", "continues"):
        assert all(entry.get(key, ["x"])), key
        assert set(entry.get(key, ())) <= set(getattr(language, key))


@pytest.mark.parametrize("key", ["aliases", "files"])
def test_no_name_leads_to_two_languages(key: str) -> None:
    seen: dict[str, str] = {}
    for language_id, entry in TABLE.items():
        names = {name.lower() for name in entry.get(key, ())}
        names |= {language_id} if key == "aliases" else set()
        for name in names:
            assert seen.setdefault(name, language_id) == language_id, name
