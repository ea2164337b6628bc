"""Finds what a text defines and what it imports by regular expressions on its lines.

There is no parser, so all of it works in any language that looks alike, and in files that do not parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tabby_ls.context.words import identifiers

_MODIFIERS = (
    r"(?:(?:export|default|declare|pub(?:\([\w:]+\))?|public|private|protected|internal|static|final|abstract|async"
    r"|unsafe|inline|override|sealed|partial|data|open|virtual|extern)\s+)*"
)
#: Keywords after which the name of a definition stands, in one language or another.
KEYWORDS = (
    *(
        "def",
        "class",
        "function",
        "func",
        "fn",
        "fun",
        "sub",
        "proc",
        "struct",
        "record",
        "enum",
        "type",
        "typedef",
    ),
    *(
        "trait",
        "interface",
        "protocol",
        "impl",
        "const",
        "let",
        "var",
        "val",
        "module",
        "namespace",
        "object",
    ),
)
_KINDS = rf"(?:{'|'.join(KEYWORDS)}|function\*|macro_rules!)"
_DEFINITION = re.compile(
    rf"\s*{_MODIFIERS}{_KINDS}\s+(?:\([^)]*\)\s*)?(?:self\.)?([^\W\d]\w*)"
    r"|#\s*define\s+(\w+)"
    r"|([^\W\d]\w*)\s*(?::[^=\n]+)?=[^=]"  # a name given a value at the left margin
)
_IMPORT = re.compile(
    r"[ \t]*(?:from\s+\S+\s+import\b|import\b|use\s+\w|using\s+\w|#\s*include\b|require\b|export\s+.*\bfrom\b"
    r"|(?:const|let|var)\s.*\brequire\()"
)
#: One of these is in the first line of each.
_IMPORT_SIGNS = ("import", "use", "using", "include", "require", "from")
#: Words that import statements consist of, besides the names in them.
_IMPORT_WORDS = frozenset(
    {"import", "from", "use", "using", "include", "require", "const", "let", "var", "export", "type"}
)
#: A list of imported names that goes on over lines is followed for so many characters.
_LONGEST_IMPORT = 4000
#: Lines of a definition that are shown at most: a head says more than a body.
_MOST_LINES = 16
#: Lines between a head and its first member that are shown at most: bases, a docstring's beginning.
_MOST_INTRODUCTION = 4
#: Lines in which the members of a block are looked for: a bound on the work for a class of thousands of lines.
_LONGEST_BLOCK = 400


def definitions(lines: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield each name that `lines` define, with the index of the line that does it."""
    for number, line in enumerate(lines):
        match = _DEFINITION.match(line)
        if match is not None:
            yield match[1] or match[2] or match[3], number


def imports(text: str) -> frozenset[str]:
    """Return the names and the parts of module paths that occur in the import statements of `text`."""
    names: set[str] = set()
    end = 0
    for start in sorted(_lines_with(_IMPORT_SIGNS, text)):
        if start < end or not _IMPORT.match(text, start):
            continue
        statement: list[str] = []
        opening = 0
        for line in text[start : start + _LONGEST_IMPORT].split("\n"):
            statement.append(line)
            opening += line.count("(") + line.count("{") - line.count(")") - line.count("}")
            if opening <= 0:
                break
        end = start + len("\n".join(statement))
        names.update(identifiers("\n".join(statement)))
    return frozenset(names - _IMPORT_WORDS)


def _lines_with(signs: Sequence[str], text: str) -> set[int]:
    """Return where the lines begin that hold one of `signs`: in half the time that looking at each line takes."""
    starts: set[int] = set()
    for sign in signs:
        at = text.find(sign)
        while at >= 0:
            starts.add(text.rfind("\n", 0, at) + 1)
            line_end = text.find("\n", at)
            at = text.find(sign, line_end) if line_end >= 0 else -1
    return starts


def outline(lines: Sequence[str], start: int) -> list[str]:
    """Return the first line of the definition at line `start`, and what tells how to use it.

    Of a block with members, such as a class, those are their first lines; of any other its beginning.
    """
    head = lines[start]
    margin = _indentation(head)
    end = start + 1
    members: list[int] = []
    while end < len(lines) and end - start < _LONGEST_BLOCK:
        line = lines[end]
        if line.strip():
            depth = _indentation(line)
            if depth < margin or (depth == margin and line.lstrip()[:1] not in ")]}"):
                break
            if depth > margin and _DEFINITION.match(line):
                members.append(end)
        end += 1
    if len(members) < 2:
        return list(lines[start : min(end, start + _MOST_LINES)])
    shallowest = min(_indentation(lines[member]) for member in members)
    shown = [member for member in members if _indentation(lines[member]) == shallowest]
    body = [number for number in range(start + 1, min(members)) if lines[number].strip()]
    return [head, *(lines[number] for number in (*body[:_MOST_INTRODUCTION], *shown)[:_MOST_LINES])]


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())
