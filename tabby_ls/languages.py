"""What has to be known of a programming language: its comment marks and how its blocks open and close.

The data is languages.toml, read when the first language is asked for. Every name leads to a language:
editors do not agree on names, and a language nobody has heard of is still written in lines and brackets.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib import resources
from pathlib import PurePath
from typing import Any

from attrs import frozen

_OPENING_BRACKETS = ("(", "[", "{")
_CLOSING_BRACKETS = (")", "]", "}")
#: How blocks end in most languages that end them with words, for those that nobody has heard of.
_ENDS = ("end", "End", "END", "endif", "done", "fi")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`(?:\\.|[^`\\])*`')
_TAG = re.compile(r"(?:^|[\s({>])<([A-Za-z][\w.:-]*)(?:\s[^<>]*)?(?<!/)>$")
#: Elements without an end tag (HTML Living Standard, "Void elements"), and `param`, which was one.
_VOID_TAGS = frozenset(
    (
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    )
)
_NUMBER = re.compile(r"\d{1,3}[.)]")


@frozen
class Language:
    """One language, by its id in LSP. languages.toml says what each field means."""

    id: str
    name: str
    line_comment: str | None = None
    block_comment: tuple[str, str] | None = None
    openers: tuple[str, ...] = _OPENING_BRACKETS
    heads: tuple[str, ...] = ()
    closers: tuple[str, ...] = _CLOSING_BRACKETS
    continues: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    markup: bool = False
    prose: bool = False
    is_known: bool = True

    @property
    def comment(self) -> tuple[str, str]:
        """What to write before and after a line to show it as a comment.

        `# ` if the language has no comments or is unknown: a reader will understand.
        """
        if self.line_comment is not None:
            return f"{self.line_comment.rstrip()} ", ""
        if self.block_comment is not None:
            return f"{self.block_comment[0]} ", f" {self.block_comment[1]}"
        return "# ", ""

    def opens_block(self, line: str) -> bool:
        """Return True if `line`, or its part before the cursor, opens a block: `if x:`, `for (`, `def f`."""
        line = self.code_of(line)
        if any(_ends_with(line, opener) for opener in self.openers):
            return True
        if not self.prose and _leaves_open(line):
            return True
        if self.markup and (tag := _TAG.search(line)) is not None and tag[1].lower() not in _VOID_TAGS:
            return True
        return any(_starts_with(line, head) for head in self.heads) and not any(
            _ends_with(line, closer) for closer in self.closers if closer not in _CLOSING_BRACKETS
        )

    def is_comment(self, line: str) -> bool:
        """Return True if `line` is nothing but a comment, or a line of a longer one."""
        line = line.strip()
        if self.line_comment is not None and line.startswith(self.line_comment.rstrip()):
            return True
        if self.block_comment is None:
            return False
        # Lines of a C comment customarily begin with a star of their own.
        inner = self.block_comment[0] == "/*" and (line == "*" or line.startswith(("* ", "*/")))
        return inner or line.startswith(self.block_comment[0])

    def is_item(self, line: str) -> bool:
        """Return True if `line` begins an item of a list: `- `, in prose also `1. `."""
        mark, _, _ = line.strip().partition(" ")
        return mark in self.items or (self.prose and _NUMBER.fullmatch(mark) is not None)

    def code_of(self, line: str) -> str:
        """Return `line` without the comment at its end, without the insides of its strings, and stripped."""
        line = _STRING.sub('""', line)
        if self.line_comment is not None:
            mark = self.line_comment.strip()
            start = line.find(f" {mark}")
            line = line[:start] if start >= 0 else line
        return line.strip()

    def closes_block(self, line: str) -> bool:
        """Return True if `line` begins by closing a block: `})`, `end`, `} else {`."""
        line = line.lstrip()
        return any(_starts_with(line, closer) for closer in self.closers)

    def continues_block(self, line: str) -> bool:
        """Return True if `line` goes on with the block before it: `else:`, `} catch (e) {`."""
        line = line.lstrip().lstrip(")]}").lstrip()
        return any(_starts_with(line, word) for word in self.continues)


@lru_cache(maxsize=256)
def language_named(name: str) -> Language:
    """Return the language an editor calls `name`: an LSP id, a file type, a mode.

    Compound names ("yaml.ansible") mean what their first known part means. A name nobody knows gives a
    language of that name in which brackets open and close blocks and nothing is known to be a comment.
    """
    by_name = _table().by_name
    wanted = name.strip().lower()
    for known in (wanted, wanted.removesuffix("-mode").removesuffix("-ts"), *wanted.split(".")):
        if known in by_name:
            return by_name[known]
    return Language(id=wanted, name=name.strip(), closers=(*_CLOSING_BRACKETS, *_ENDS), is_known=False)


def language_of_path(path: str | PurePath) -> Language:
    """Return the language of a file, told by its name alone; plain text if the name tells nothing."""
    by_file = _table().by_file
    name = PurePath(path).name.lower()
    # "Makefile", then ".d.ts" before ".ts", then "Dockerfile" of "Dockerfile.dev".
    endings = [name[index:] for index, character in enumerate(name) if character == "."]
    for known in (name, *endings, name.partition(".")[0]):
        if known in by_file:
            return by_file[known]
    return language_named(endings[-1].lstrip(".") or "plaintext") if endings else language_named("plaintext")


@frozen
class _Table:
    by_name: dict[str, Language]
    by_file: dict[str, Language]


@cache
def _table() -> _Table:
    data = tomllib.loads(resources.files("tabby_ls").joinpath("languages.toml").read_text("utf-8"))
    table = _Table({}, {})
    for language_id, entry in data.items():
        language = _language(language_id, entry)
        table.by_name.update(dict.fromkeys((language_id, *entry.get("aliases", ())), language))
        table.by_file.update((file.lower(), language) for file in entry.get("files", ()))
    return table


def _language(language_id: str, entry: dict[str, Any]) -> Language:
    block_comment = entry.get("block_comment")
    return Language(
        id=language_id,
        name=entry.get("name", language_id.capitalize()),
        line_comment=entry.get("line_comment"),
        block_comment=(block_comment[0], block_comment[1]) if block_comment else None,
        openers=(*(() if entry.get("prose") else _OPENING_BRACKETS), *entry.get("openers", ())),
        heads=tuple(entry.get("heads", ())),
        closers=(*_CLOSING_BRACKETS, *entry.get("closers", ())),
        continues=tuple(entry.get("continues", ())),
        items=tuple(entry.get("items", ())),
        markup=entry.get("markup", False),
        prose=entry.get("prose", False),
    )


def _leaves_open(code: str) -> bool:
    """True if a bracket is opened in `code` that is not closed in it."""
    depth = 0
    for character in code:
        if character in _OPENING_BRACKETS:
            depth += 1
        elif character in _CLOSING_BRACKETS and depth:
            depth -= 1
    return depth > 0


def _ends_with(line: str, mark: str) -> bool:
    """True if `line` ends with `mark`, as a whole word if it is one."""
    before = len(line) - len(mark)
    return line.endswith(mark) and (before == 0 or not (_is_word(mark[0]) and _is_word(line[before - 1])))


def _starts_with(line: str, mark: str) -> bool:
    """True if `line` starts with `mark`, as a whole word if it is one."""
    after = len(mark)
    return line.startswith(mark) and (
        after == len(line) or not (_is_word(mark[-1]) and _is_word(line[after]))
    )


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
