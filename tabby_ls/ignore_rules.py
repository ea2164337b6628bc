"""The lines of an ignore file, as a stranger may have written it: bounded in number, and in what matching them costs.

Each `*` of a pattern multiplies how long matching a name may take, which has to be answered between two keys. A pattern
with more of them than anybody needs is taken for a simpler one that matches at least as much: a file too many stays out
rather than one too few.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tabby_ls.foreign_files import read_file

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

#: Bytes of an ignore file that are read, and stars that a pattern may have.
_MOST_BYTES = 64 * 1024
_MOST_STARS = 2


def read_rules(file: Path) -> list[str]:
    """Return the lines of an ignore file, of a large one the first; raises OSError."""
    text = read_file(file, _MOST_BYTES, follow=True).decode("utf-8", "replace")
    return [simplify(line) for line in text.splitlines()]


def compile_rules(lines: Iterable[str]) -> GitIgnoreSpec | None:
    """Return what matches paths with these lines, None if there is none: nobody then waits for pathspec to be imported.

    Lines that are no pattern (`name\\`, `[z-a]`) match nothing, as with git, and take nothing from the others.
    """
    if not (lines := list(lines)):
        return None
    from pathspec import GitIgnoreSpec

    # A `[[:name:]]` that git does not know reaches Python's `re`, which would write of its own future to standard error.
    warnings.filterwarnings("ignore", "Possible ", FutureWarning)
    try:
        return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        return GitIgnoreSpec.from_lines(filter(_is_pattern, lines))


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True


def simplify(line: str) -> str:
    """Return a pattern that is cheap to match, and matches what `line` does; "" for an exception that is not cheap."""
    parts = line.split("/")
    simple = [part if part == "**" or part.count("*") <= _MOST_STARS else _widen(part) for part in parts]
    folders = [number for number, part in enumerate(simple) if part == "**"]
    if len(folders) > _MOST_STARS:
        simple = simple[: folders[0] + 1] + simple[folders[-1] + 1 :]
    return "" if simple != parts and line.startswith("!") else "/".join(simple)


def _widen(part: str) -> str:
    if "[" in part or "\\" in part:  # what looks like a star may be none
        return "*"
    return part[: part.index("*") + 1] + part[part.rindex("*") + 1 :]
