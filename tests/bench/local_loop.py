"""What predicting and indexing cost the event loop: `python -m tests.bench.local_loop FOLDER`.

FOLDER holds source code; its first 20 MB or so are indexed. A task that wants to run every millisecond measures how
late it is, while nothing else happens, while suggestions are predicted one after the other, and while an index is built.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tabby_ls.backends.backend import Infill
from tabby_ls.backends.local import LocalBackend
from tabby_ls.commands.serve import SWITCH_SECONDS
from tabby_ls.local_model.indexer import build_index
from tabby_ls.local_model.model import LocalModel
from tabby_ls.server.connection import settle
from tests.bench.driver import at

_SEED = 7
_SECONDS = 10.0


async def lateness(work: Callable[[], Awaitable[object]]) -> list[float]:
    """Seconds by which a tick of one millisecond was late, all the while `work` ran."""
    late: list[float] = []
    working = asyncio.ensure_future(work())
    while not working.done():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        late.append(time.perf_counter() - began - 0.001)
    await working
    return late


async def predict_for_a_while(backend: LocalBackend, texts: list[str]) -> None:
    """Ask at random places of random files."""
    chance = random.Random(_SEED)
    ends = time.monotonic() + _SECONDS
    while time.monotonic() < ends:
        text = chance.choice(texts)
        cursor = chance.randrange(len(text) + 1)
        ask = Infill("file:///x.py", "python", text[:cursor], text[cursor:], None, None, (), 64, 0.0, 0.6, 3)
        async with backend.stream(ask) as stream:
            async for _ in stream:
                pass


async def run(folder: Path) -> None:
    """Print the table."""
    sys.setswitchinterval(SWITCH_SECONDS)
    paths = [path for path in folder.rglob("*.py") if path.stat().st_size > 1000][:2000]
    texts = [path.read_text("utf-8", "replace")[:60_000] for path in paths]
    with tempfile.TemporaryDirectory() as cache:
        model = LocalModel(Path(cache))
        nothing = await lateness(lambda: asyncio.sleep(_SECONDS / 2))
        indexing = await lateness(lambda: build_index(folder, Path(cache), lambda _: None))
        model.add_root(folder)
        settle()
        predicting = await lateness(lambda: predict_for_a_while(LocalBackend(lambda: model), texts))
    print(f"{os.cpu_count()} processors, {len(texts)} files asked about, seed {_SEED}")
    print(f"{'while':<12} {'ticks':>7} {'late p50':>9} {'p99':>7} {'most':>7}   (ms)")
    for name, late in (("nothing", nothing), ("indexing", indexing), ("predicting", predicting)):
        print(
            f"{name:<12} {len(late):>7} {at(late, 0.5) * 1e3:>9.2f} {at(late, 0.99) * 1e3:>7.2f} {max(late) * 1e3:>7.2f}"
        )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description="What the local model costs the event loop.")
    parser.add_argument("folder", type=Path)
    asyncio.run(run(parser.parse_args().folder))


if __name__ == "__main__":
    main()
