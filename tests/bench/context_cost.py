"""What the pieces of other text cost: per key, when the choice is made anew, and per edit, by the number of files.

    python -m tests.bench.context_cost [FOLDER]

Opens 1, 100 and 1,000 documents (parts of the interpreter's own library, or of FOLDER) and types in one of them. Printed
are milliseconds: the median and the worst of a key (the choice holds), of a new choice, and of taking note of an edit;
then the longest stretch that the event loop was held up meanwhile, and what all of it takes of memory.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import sysconfig
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, thread_time

from tabby_ls.context.budget import fit_window
from tabby_ls.context.surroundings import Cursor, Surroundings

_LINES = 300
_ROOM = 2100
_KEYS, _CHOICES = 200, 30


def texts(folder: Path, count: int) -> list[list[str]]:
    """Return `count` documents of a few hundred lines of real code; parts of long files are documents of their own."""
    found: list[list[str]] = []
    for file in sorted(folder.rglob("*.py")):
        lines = file.read_text("utf-8", "replace").split("\n")
        found += [lines[start : start + _LINES] for start in range(0, len(lines), _LINES)]
        if len(found) >= count:
            return found[:count]
    return list(itertools.islice(itertools.cycle(found), count))


async def _longest_stretch(stop: asyncio.Event) -> float:
    """Return the longest time, of this thread's own, between two turns of the event loop."""
    longest, last = 0.0, thread_time()
    while not stop.is_set():
        await asyncio.sleep(0)
        now = thread_time()
        longest, last = max(longest, now - last), now
    return longest


async def measure(documents: Sequence[list[str]]) -> dict[str, list[float]]:
    """Return what each kind of step took, in milliseconds."""
    around = Surroundings()
    took: dict[str, list[float]] = {"first": [], "key": [], "choice": [], "edit": []}
    for number, lines in enumerate(documents):
        around.opened(
            f"file:///work/package{number % 20}/file{number}.py", "python", lambda lines=lines: lines
        )
    number = max(range(len(documents)), key=lambda number: len(documents[number]))
    own = documents[number]
    uri = f"file:///work/package{number % 20}/file{number}.py"

    async def ask(row: int, typed: str, kind: str) -> None:
        prefix = "\n".join([*own[:row], typed])
        suffix = "\n" + "\n".join(own[row + 1 :])
        window = fit_window(prefix, suffix, 0, 4000, 0.75)
        cursor = Cursor(uri, "file.py", "python", row, prefix, suffix, window)
        start = perf_counter()
        await around.snippets(cursor, _ROOM)
        took[kind].append(1000 * (perf_counter() - start))

    stop = asyncio.Event()
    watching = asyncio.create_task(_longest_stretch(stop))
    await ask(10, "", "first")
    await asyncio.sleep(3)
    rows = itertools.cycle(range(20, max(21, len(own) - 20), 37))
    for _ in range(_CHOICES):
        row = next(rows)
        line = own[row]
        await ask(row, "", "choice")
        for column in range(1, 1 + _KEYS // _CHOICES):
            start = perf_counter()
            around.edited(uri, row, row, line[column - 1 : column] or "x")
            took["edit"].append(1000 * (perf_counter() - start))
            await ask(row, line[:column], "key")
    stop.set()
    took["longest stretch"] = [1000 * await watching]
    await around.close()
    return took


def main() -> None:
    """Measure, and print the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(sysconfig.get_paths()["stdlib"])
    print(
        f"{'files':>6}{'first':>9}{'key':>8}{'worst':>8}{'choice':>9}{'worst':>8}{'edit':>8}{'stretch':>9}{'MB':>7}"
    )
    for count in (1, 100, 1000):
        documents = texts(folder, count)
        took = asyncio.run(measure(documents))
        tracemalloc.start()
        asyncio.run(_open_only(documents))
        megabytes = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        middle = {kind: statistics.median(values) for kind, values in took.items()}
        print(
            f"{count:6}{middle['first']:9.1f}{middle['key']:8.2f}{max(took['key']):8.2f}{middle['choice']:9.1f}"
            f"{max(took['choice']):8.1f}{middle['edit']:8.3f}{middle['longest stretch']:9.1f}{megabytes:7.1f}"
        )


async def _open_only(documents: Sequence[list[str]]) -> None:
    around = Surroundings()
    for number, lines in enumerate(documents):
        around.opened(f"file:///work/file{number}.py", "python", lambda lines=lines: lines)
    cursor = Cursor("file:///work/x.py", "x.py", "python", 0, "import os\n", "\n", ("import os\n", "\n"))
    await around.snippets(cursor, _ROOM)
    await asyncio.sleep(8)  # until all is taken apart
    await around.close()


if __name__ == "__main__":
    main()
