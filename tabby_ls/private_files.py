"""Files that hold secrets by their name: never completed, never put into a prompt, never learned from.

The data is private_files.toml.
"""

from __future__ import annotations

import tomllib
from functools import cache, lru_cache
from importlib.resources import files

from pathspec import GitIgnoreSpec


# Asked at every keystroke, about few files.
@lru_cache(maxsize=1024)
def is_private(path: str) -> bool:
    """Return whether a file is private, by its path with forward slashes, in any case."""
    return _names().match_file(path.lower().lstrip("/"))


@cache
def _names() -> GitIgnoreSpec:
    patterns = tomllib.loads(files("tabby_ls").joinpath("private_files.toml").read_text("utf-8"))["patterns"]
    return GitIgnoreSpec.from_lines(patterns)
