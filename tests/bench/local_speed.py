"""Part of `local_model.py`: what building, loading and asking cost, for workspaces of several sizes.

    python -m tests.bench.local_speed WORKSPACE CACHE KEYSTROKES SEED

is the process that loads an index and types; it prints its measurements as JSON.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen
from rich.table import Table

from tabby_ls.local_model.files import list_files, read
from tabby_ls.local_model.index import folder_of
from tabby_ls.local_model.model import LocalModel, Query
from tests.bench.cursors import Question, code_lines, question_at

_THIS = "tests.bench.local_speed"
_THRESHOLD = 0.6


@frozen
class Speed:
    """What a workspace of one size costs."""

    megabytes: float
    build_seconds: float
    build_cpu_seconds: float
    disk_megabytes: float
    build_resident: float
    load_seconds: float
    first_seconds: float
    resident: float
    keystrokes: int
    median: float
    p99: float


def speed(roots: Sequence[Path], megabytes: int, keystrokes: int, seed: int) -> Speed:
    """Make a workspace of several projects' files, build its index, and type in its files."""
    with tempfile.TemporaryDirectory() as folder:
        workspace, cache = Path(folder) / "workspace", Path(folder) / "cache"
        size = _fill(workspace, roots, megabytes * 1_000_000)
        started = time.monotonic()
        cpu, peak = build(workspace, cache, cap=megabytes + 1)
        seconds = time.monotonic() - started
        disk = sum(path.stat().st_size for path in folder_of(workspace, cache).iterdir())
        asked = subprocess.run(
            [
                sys.executable,
                "-m",
                _THIS,
                str(workspace),
                str(cache),
                str(keystrokes),
                str(seed),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        return Speed(size / 1e6, seconds, cpu, disk / 1e6, peak, *json.loads(asked.stdout))


def _fill(workspace: Path, roots: Sequence[Path], most: int) -> int:
    size = 0
    for number, root in enumerate(roots):
        for file in list_files(root):
            if size < most and read(root, file.name):
                target = workspace / str(number) / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / file.name, target)
                size += file.size
    return size


def build(root: Path, cache: Path, cap: int = 20) -> tuple[float, float]:
    """Build in a child process; return its processor seconds and its peak of resident megabytes."""
    program = (
        "import resource, runpy, sys\n"
        "runpy.run_module('tabby_ls.local_model.build', run_name='__main__')\n"
        "usage = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", program, str(root), str(cache), "--cap", str(cap)]
    child = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    cpu, peak = map(float, child.stderr.split())
    return cpu, peak


def ask(workspace: Path, cache: Path, keystrokes: int, seed: int) -> None:
    """Print, as JSON, what it costs to load the index and to be asked at every key. A process of its own."""
    import resource

    rng = random.Random(seed)
    files = [file for file in list_files(workspace) if file.name.endswith((".py", ".ts", ".js"))]
    questions: list[Question] = []
    while len(questions) < keystrokes:
        file = rng.choice(files)
        lines = (read(workspace, file.name) or "").split("\n")
        numbers = list(code_lines("\n".join(lines)))
        if numbers:
            number = rng.choice(numbers)
            questions += [
                question_at(file.name, lines, number, column) for column in range(len(lines[number]))
            ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times: list[float] = []
    started = time.perf_counter()
    model = LocalModel(cache)
    model.add_root(workspace)
    loaded = time.perf_counter() - started
    for question in questions:
        query = Query(str(workspace / question.path), question.prefix, question.suffix, _THRESHOLD, 3)
        began = time.perf_counter()
        model.predict(query, deadline=0.1, cancelled=lambda: False)
        times.append(time.perf_counter() - began)
    first = loaded + times[0]
    times.sort()
    resident = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    median, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(json.dumps([loaded, first, resident, len(times), median, p99]))


def speed_table(measured: Sequence[Speed]) -> Table:
    """Return the table of what sizes cost."""
    table = Table(title="Speed and size (wall-clock unless said)")
    table.add_column("")
    for one in measured:
        table.add_column(f"{one.megabytes:.1f} MB")
    rows: dict[str, Callable[[Speed], str]] = {
        "building, MB/s": lambda one: f"{one.megabytes / one.build_seconds:.1f}",
        "building, MB per processor second": lambda one: f"{one.megabytes / one.build_cpu_seconds:.1f}",
        "peak of the building process, MB": lambda one: f"{one.build_resident:.0f}",
        "on disk, MB": lambda one: f"{one.disk_megabytes:.1f}",
        "loading, ms": lambda one: f"{one.load_seconds * 1000:.0f}",
        "start to first suggestion, ms": lambda one: f"{one.first_seconds * 1000:.0f}",
        "resident growth, MB a MB": lambda one: f"{one.resident / one.megabytes:.1f}",
        "keystrokes": lambda one: str(one.keystrokes),
        "a keystroke p50, ms": lambda one: f"{one.median * 1000:.1f}",
        "a keystroke p99, ms": lambda one: f"{one.p99 * 1000:.1f}",
    }
    for name, of in rows.items():
        table.add_row(name, *map(of, measured))
    return table


if __name__ == "__main__":
    ask(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
