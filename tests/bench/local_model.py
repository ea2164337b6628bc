"""How good and how fast the local model is, on public sources its calibrator never saw.

    python -m tests.bench.local_model [FOLDER] [--quick] [--seed N]

Sources are fetched into FOLDER by name and version (corpus.py). Three parts:

- held-out files: a cursor anywhere in a file that is not in the workspace, the rest of its line gone
- typing: what a later version of a project added, typed key by key into the earlier version, by somebody who accepts
  whatever is right and saves three characters; accepting costs a key
- speed: a workspace of 1 and of 20 MB, built in a child process, saved, loaded, asked at every key
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console

from tests.bench.corpus import DEFAULT_FOLDER, TEST, fetch
from tests.bench.local_quality import Answers, held_out, quality_table
from tests.bench.local_speed import speed, speed_table
from tests.bench.local_typing import typing, typing_table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=DEFAULT_FOLDER)
    parser.add_argument("--quick", action="store_true", help="about two minutes")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--large", action="store_true", help="also a workspace of 200 MB")
    given = parser.parse_args()
    questions, lines, keystrokes = (150, 25, 500) if given.quick else (600, 80, 3000)
    console = Console(width=210)
    roots = [fetch(package, given.folder) for package in TEST]
    console.print("test sources:", ", ".join(f"{package.name} {package.version}" for package in TEST))
    console.print(f"seed {given.seed}, {questions} cursors and {lines} lines a project")
    with ProcessPoolExecutor(given.jobs) as pool:
        ask_all = partial(held_out, folder=given.folder, count=questions, seed=given.seed)
        answered = list(pool.map(ask_all, TEST))
        type_all = partial(typing, folder=given.folder, count=lines, seed=given.seed)
        replayed = [package for package in TEST if package.previous]
        typed = dict(zip((package.name for package in replayed), pool.map(type_all, replayed), strict=True))
    by_kind: dict[str, Answers] = {}
    for _, kinds in answered:
        for kind, answers in kinds.items():
            by_kind.setdefault(kind, Answers()).add(answers)
    by_project = {package.name: answers for package, (answers, _) in zip(TEST, answered, strict=True)}
    console.print(quality_table(by_project, by_kind))
    console.print(typing_table(typed))
    sizes = (1, 20, 200) if given.large else (1, 20)
    previous = [fetch(package, given.folder, version=package.previous) for package in replayed]
    console.print(speed_table([speed([*roots, *previous], size, keystrokes, given.seed) for size in sizes]))


if __name__ == "__main__":
    main()
