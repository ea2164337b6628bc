"""How much of a prompt's head stays from one request to the next: so much need not be read again by the server.

    python -m tests.bench.prompt_head [FILE ...] [--tokens N]

Real files are walked through as users do: typed line by line, stepped through down and up, jumped about in. Prints, for
windows that begin at lines whose number is a multiple of so many (1: wherever they fit; of several, the first that leaves
half of the room in use), the share of the text before
the cursor that is the same as in the prompt before, and how much of the room for it is in use.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tabby_ls.context import budget

#: Modules of Python's own library, long and short lines among them.
_FILES = ("argparse", "typing", "tarfile", "turtle", "ipaddress", "difflib")
_CHARACTERS_PER_TOKEN = 3.2
_STEPS = ((1,), (8,), (16,), (32,), (64,), (64, 32, 16, 8), (32, 16, 8))
_SHARE = 0.75


def walks(lines: Sequence[str], rng: random.Random) -> dict[str, list[int]]:
    """Return the lines on which the cursor stands, one after the other, by what the user does."""
    start = len(lines) // 3
    somewhere = [rng.randrange(len(lines)) for _ in range(20)]
    return {
        "typing": [line for line in range(start, min(start + 120, len(lines))) for _ in range(3)],
        "down": list(range(start, min(start + 300, len(lines)), 3)),
        "up": list(range(start, max(0, start - 300), -3)),
        "jumping, typing": [
            line + more for line in somewhere for more in range(6) if line + more < len(lines)
        ],
    }


def prefixes(lines: Sequence[str], places: Sequence[int], characters: int) -> Iterator[str]:
    """Yield the window before the cursor at the end of each line."""
    for line in places:
        before, after = "".join(lines[: line + 1]), "".join(lines[line + 1 :])
        yield budget.fit_window(before.removesuffix("\n"), "\n" + after, 0, characters, _SHARE)[0]


def kept(windows: Sequence[str]) -> float:
    """Return the mean share of a window that is the head of the one before."""
    shares = [_same(one, other) / len(other) for one, other in itertools.pairwise(windows) if other]
    return statistics.mean(shares)


def _same(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--tokens", type=int, default=budget.DEFAULT_PROMPT_TOKENS)
    options = parser.parse_args()
    library = Path(sys.modules["os"].__file__ or "")
    files = options.files or [library.with_name(f"{name}.py") for name in _FILES]
    characters = int(budget.prompt_tokens(options.tokens, None) * _CHARACTERS_PER_TOKEN)
    print(f"{'lines':>13}  {'head kept while':<28} {'p':>7} {'room in use':>12}")
    for step in _STEPS:
        budget._ANCHOR_LINES = step
        label = ", ".join(map(str, step))
        found: dict[str, list[list[str]]] = {}
        for file in files:
            lines = file.read_text("utf-8").splitlines(keepends=True)
            for name, places in walks(lines, random.Random(file.name)).items():
                found.setdefault(name, []).append(list(prefixes(lines, places, characters)))
        for name, walked in found.items():
            used = [len(window) for windows in walked for window in windows]
            share = statistics.mean(map(kept, walked))
            room = statistics.mean(used) / (characters * _SHARE)
            print(f"{label:>13}  {name:<28} {100 * share:6.1f}% {100 * room:11.0f}%")


if __name__ == "__main__":
    main()
