"""Text to tokens and back, without loss but for blank lines, trailing white space, the rest of long lines, and secrets.

A token is a word, a number, an operator or one other character, with one space before it glued on (`" foo"` and
`"foo"` differ). Every non-blank line starts with a newline token that carries how much its indentation differs from
that of the non-blank line before it, so that a repeated block is the same tokens at any depth: `"\\n4"`, `"\\n-8"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from tabby_ls.local_model.secrets import holds_secret

#: Stands between two texts; no line can hold it, since lines hold no line feed.
SEPARATOR = "\n"

#: Columns from one tab stop to the next. Where a file has tabs alone any number would do, since only differences of
#: indentation are learned and they become tabs again.
TAB_COLUMNS = 4
#: Columns by which a line may be indented more or less than the one before; more is alignment, and taken for so many.
_MAX_STEP = 40
_NEWLINES = [f"\n{step}" for step in range(-_MAX_STEP, _MAX_STEP + 1)]
#: All tokens that end what is before them: newline tokens and the separator.
LINE_STARTS = frozenset((*_NEWLINES, SEPARATOR))
#: Characters of a line that count: longer ones are data or generated. It also bounds every regular expression here.
MAX_LINE = 1000

_WORD = r"[^\W\d][\w$]*"
_NUMBER = r"\d\w*(?:\.\d\w*)?"
# Longer ones first: the first that fits is taken.
_OPERATORS = [
    "===",
    "!==",
    "...",
    "<<=",
    ">>=",
    "**=",
    "//=",
    "==",
    "!=",
    "<=",
    ">=",
    "+=",
    "-=",
    "*=",
    "/=",
    "%=",
    "|=",
    "&=",
    "^=",
    "->",
    "=>",
    ":=",
    "::",
    "**",
    "//",
    "&&",
    "||",
    "??",
    "?.",
    "<<",
    ">>",
    "++",
    "--",
    "..",
]
_OPERATOR = "|".join(map(re.escape, _OPERATORS))
# White space of its own comes last but one: what remains before a token once the glued space is taken off.
_TOKEN = re.compile(
    rf" ?(?:{_WORD}|{_NUMBER}|\"\"\"|'''|{_OPERATOR}|\S)" r"|\s+(?= \S)|\s+",
)
#: Tokens after which the name of a member is expected.
MEMBER_ACCESS = frozenset({".", "->", "::", "?."})
_FIRST_OF_WORD = re.compile(r" ?[^\W\d]")


def split_line(text: str) -> tuple[str, ...]:
    """Return the tokens of one line without indentation. A line that holds a secret has none.

    Whatever learns from tokens thus never sees it.
    """
    return () if holds_secret(text) else tuple(_TOKEN.findall(text))


_split_again = lru_cache(maxsize=8192)(split_line)


def line_tokens(line: str) -> tuple[str, ...]:
    """Return the tokens of one line, its indentation and the white space at its end left out; remembered."""
    return _split_again(line.strip()[:MAX_LINE])


def indentation(line: str) -> int:
    """Return the columns before the first character of `line` that is neither space nor tab."""
    columns = 0
    for character in line:
        if character == " ":
            columns += 1
        elif character == "\t":
            columns += TAB_COLUMNS - columns % TAB_COLUMNS
        else:
            break
    return columns


def newline(step: int) -> str:
    """Return the newline token before a line indented by `step` columns more than the one before."""
    return _NEWLINES[max(-_MAX_STEP, min(_MAX_STEP, step)) + _MAX_STEP]


def is_newline(token: str) -> bool:
    """Return whether `token` starts a line."""
    return token[0] == "\n" and token != SEPARATOR


def is_word(token: str) -> bool:
    """Return whether `token` is an identifier or a keyword."""
    return _FIRST_OF_WORD.match(token) is not None


def is_open(token: str) -> bool:
    """Return whether letters typed after `token` would make it longer: it is a word or a number."""
    first = token[1:2] if token[:1] == " " else token[:1]
    return first.isalnum() or first == "_"


def tokenize(text: str, columns: int = 0) -> list[str]:
    """Return the tokens of whole lines, which end in LF; `columns` is the indentation of the line before them."""
    tokens: list[str] = []
    for line in text.split("\n"):
        content = line_tokens(line)
        if content:
            here = indentation(line)
            tokens.append(newline(here - columns))
            tokens += content
            columns = here
    return tokens


def render(tokens: Iterable[str], columns: int = 0, *, tabs: bool = False) -> str:
    """Return the text of `tokens`; `columns` is the indentation of the line they go on from, `tabs` whether to use tabs."""
    pieces: list[str] = []
    for token in tokens:
        if is_newline(token):
            columns = min(MAX_LINE, max(0, columns + int(token)))
            pieces.append("\n" + indent(columns, tabs=tabs))
        else:
            pieces.append(token)
    return "".join(pieces)


def indent(columns: int, *, tabs: bool) -> str:
    """Return the white space that indents by `columns`."""
    return "\t" * (columns // TAB_COLUMNS) + " " * (columns % TAB_COLUMNS) if tabs else " " * columns
