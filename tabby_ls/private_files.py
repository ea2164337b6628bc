"""Files that hold secrets by their name: never completed, never put into a prompt, never learned from.

The data is private_files.toml. It is read before the first suggestion, which should not wait for 50 regular
expressions to be compiled: a name with one `*` is told by its two ends.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files


# Asked at every keystroke, about few files.
@lru_cache(maxsize=1024)
def is_private(path: str) -> bool:
    """Return whether a file is private, by its path with forward slashes, in any case."""
    known = _known()
    parts = path.lower().split("/")
    return (
        any(_fits(part, name) for part in parts if part not in known["harmless"] for name in known["names"])
        or not set(parts[:-1]).isdisjoint(known["folders"])
        or any(f"/{file}/" in f"/{path.lower()}/" for file in known["in_folders"])
    )


def _fits(part: str, name: str) -> bool:
    """Return whether a part of a path is such a name, in which one `*` stands for anything."""
    start, star, end = name.partition("*")
    if not star:
        return part == name
    return part.startswith(start) and part.endswith(end)


@cache
def _known() -> Mapping[str, Sequence[str]]:
    return tomllib.loads(files("tabby_ls").joinpath("private_files.toml").read_text("utf-8"))
