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
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import accumulate
from pathlib import Path, PurePosixPath

from attrs import define, field, frozen
from rich.console import Console
from rich.table import Table

from tabby_ls.local_model import calibrator
from tabby_ls.local_model.blend import END_OF_LINE, Source
from tabby_ls.local_model.cut import Cut, best_cut
from tabby_ls.local_model.decode import decode
from tabby_ls.local_model.files import list_files, read
from tabby_ls.local_model.index import folder_of
from tabby_ls.local_model.model import LocalModel, Query
from tabby_ls.local_model.nearness import weights
from tabby_ls.local_model.segment import Segment, build_segment
from tabby_ls.local_model.tokens import line_tokens
from tests.bench.baselines import longest_match, recent_word
from tests.bench.corpus import DEFAULT_FOLDER, TEST, Package, fetch
from tests.bench.cursors import (
    Change,
    Question,
    changes,
    code_lines,
    held_out_questions,
    question_at,
    read_project,
    read_texts,
    true_tokens,
)

THRESHOLDS = (0.35, 0.5, 0.6, 0.7, 0.8)
AUTOMATIC = 0.6
#: Characters of context from which the longest-match copy shows its text unasked.
COPIER_SHOWS = 20


@frozen
class Shown:
    """A suggestion: whether it was right to its end, and what it saves of the characters to type."""

    is_right: bool
    characters: int
    saved: int


@define
class Answers:
    """What came of the questions of one project or kind."""

    asked: int = 0
    next_right: int = 0
    lines_right: int = 0
    copied_next: int = 0
    copied_lines: int = 0
    to_type: int = 0
    shown: dict[float, list[Shown]] = field(factory=lambda: {threshold: [] for threshold in THRESHOLDS})
    copier: list[Shown] = field(factory=list)
    word: list[Shown] = field(factory=list)

    def add(self, other: Answers) -> None:
        """Add the answers of another project."""
        for name in ("asked", "next_right", "lines_right", "copied_next", "copied_lines", "to_type"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for threshold in THRESHOLDS:
            self.shown[threshold] += other.shown[threshold]
        self.copier += other.copier
        self.word += other.word


def judge(text: str, question: Question) -> Shown:
    """Hold a suggestion against what came next; it is right if it is a beginning that ends with a token."""
    line = question.prefix.rpartition("\n")[2].lstrip() + question.rest
    end = len(line) - len(question.rest) + len(text)
    is_right = question.rest.startswith(text) and end in accumulate(map(len, line_tokens(line)))
    return Shown(is_right, len(text), len(text) - 1 if is_right else -1)


def held_out(package: Package, folder: Path, count: int, seed: int) -> tuple[Answers, dict[str, Answers]]:
    """Ask about cursors in files held out of a project: all of them, and by kind of cursor."""
    rng = random.Random(f"{seed} {package.name}")
    project = read_project(package.name, fetch(package, folder), rng)
    segment = Segment(build_segment(project.workspace))
    names = [file.name for file in segment.files]
    texts = {file.name: text for file, text in project.workspace}
    everything, kinds = Answers(), dict[str, Answers]()
    for question in held_out_questions(project, count, rng):
        here = str(PurePosixPath(question.path).parent)
        answers = _answer(question, Source(segment, weights(names, here)), _near(texts, here))
        everything.add(answers)
        kinds.setdefault(question.kind, Answers()).add(answers)
    return everything, kinds


def _near(texts: dict[str, str], folder: str) -> list[str]:
    """Return the texts of the same folder, for the copier: it has no index and cannot search everything."""
    return [text for name, text in texts.items() if str(PurePosixPath(name).parent) == folder]


def _answer(question: Question, source: Source, near: Sequence[str]) -> Answers:
    cursor = question.cursor
    truth = true_tokens(question, cursor)
    if truth is None:
        return Answers()
    probability = calibrator.load().probability
    steps = list(decode(cursor, [source], probability, least=0.0, crossing=2.0, lines=1))
    tokens = [step.token for step in steps]
    copied, matched = longest_match(question.prefix, (question.prefix[:-1], question.suffix, *near))
    copied = copied.rstrip()
    answers = Answers(1, to_type=len(question.rest))
    answers.next_right = tokens[:1] == truth[:1]
    answers.lines_right = tokens == [*truth, END_OF_LINE]
    answers.copied_lines = copied == question.rest
    answers.copied_next = _begins_with(copied, truth[0][len(cursor.typed) :])
    for threshold in THRESHOLDS:
        cut: Cut | None = best_cut(cursor, steps, threshold)
        if cut is not None:
            answers.shown[threshold].append(judge(cut.text, question))
    if matched >= COPIER_SHOWS and len(copied) >= 3:
        answers.copier.append(judge(copied, question))
    if len(word := recent_word(question.prefix)) >= 3:
        answers.word.append(judge(word, question))
    return answers


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _begins_with(text: str, token: str) -> bool:
    rest = text[len(token) :]
    return text.startswith(token) and not (token and rest and _in_word(token[-1]) and _in_word(rest[0]))


# Typing


@define
class Typed:
    """Keys pressed for characters typed, by way of completing, and how often a ghost changed or was accepted."""

    characters: int = 0
    keys: dict[str, int] = field(factory=dict)
    lines: int = 0
    accepted: int = 0
    ghosts: int = 0

    def add(self, other: Typed) -> None:
        """Add the count of another project."""
        self.characters += other.characters
        self.lines += other.lines
        self.accepted += other.accepted
        self.ghosts += other.ghosts
        for name, keys in other.keys.items():
            self.keys[name] = self.keys.get(name, 0) + keys


Completer = Callable[[Question], str]


def typing(package: Package, folder: Path, count: int, seed: int) -> Typed:
    """Type what the new version of a project added into the old one."""
    rng = random.Random(f"{seed} {package.name} typing")
    old_root, new_root = fetch(package, folder, version=package.previous), fetch(package, folder)
    old, new = (read_texts(root) for root in (old_root, new_root))
    found = changes(old, new)
    rng.shuffle(found)
    typed = Typed()
    with tempfile.TemporaryDirectory() as cache:
        _build(old_root, Path(cache))
        model = LocalModel(Path(cache))
        model.add_root(old_root)
        ghosts: list[str] = []

        def local_model(question: Question) -> str:
            path = str(old_root / question.path)
            query = Query(path, "", question.prefix, question.suffix, AUTOMATIC, 1)
            prediction = model.predict(query, deadline=5.0, cancelled=lambda: False)
            ghosts.append(prediction.text if prediction else "")
            return ghosts[-1]

        completers = {"local model": local_model, "recent word": _recent_word, "longest match": _copier}
        for change, number in list(_lines_to_type(found))[:count]:
            for name, completer in completers.items():
                keys, accepted = _type(change, number, completer)
                typed.keys[name] = typed.keys.get(name, 0) + keys
                if name == "local model":
                    typed.accepted += accepted
            typed.characters += len(change.added[number].strip())
            typed.lines += 1
        typed.ghosts = sum(bool(ghost) for ghost in ghosts)
    return typed


def _lines_to_type(found: Iterable[Change]) -> Iterator[tuple[Change, int]]:
    for change in found:
        for number in code_lines("\n".join(change.added)):
            yield change, number


def _type(change: Change, number: int, complete: Completer) -> tuple[int, int]:
    """Return the keys pressed for one line and how many of them accepted something."""
    line = change.added[number].rstrip()
    lines = [*change.above, *change.added[: number + 1], *change.below]
    here = len(change.above) + number
    column = len(line) - len(line.lstrip())
    keys = accepted = 0
    while column < len(line):
        question = question_at(change.path, lines, here, column)
        text = complete(question)
        keys += 1
        if len(text) >= 3 and judge(text, question).is_right:
            column += len(text)
            accepted += 1
        else:
            column += 1
    return keys, accepted


def _recent_word(question: Question) -> str:
    return recent_word(question.prefix) or recent_word(question.suffix + question.prefix)


def _copier(question: Question) -> str:
    copied, matched = longest_match(question.prefix, (question.prefix[:-1], question.suffix))
    return copied.rstrip() if matched >= COPIER_SHOWS else ""


# Speed


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
        cpu, peak = _build(workspace, cache, cap=megabytes + 1)
        seconds = time.monotonic() - started
        disk = sum(path.stat().st_size for path in folder_of(workspace, cache).iterdir())
        asked = subprocess.run(
            [
                sys.executable,
                "-m",
                __spec__.name,
                "--asked",
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


def _build(root: Path, cache: Path, cap: int = 20) -> tuple[float, float]:
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
        query = Query(str(workspace / question.path), "", question.prefix, question.suffix, AUTOMATIC, 3)
        began = time.perf_counter()
        model.predict(query, deadline=0.1, cancelled=lambda: False)
        times.append(time.perf_counter() - began)
    first = loaded + times[0]
    times.sort()
    resident = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    median, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(json.dumps([loaded, first, resident, len(times), median, p99]))


# The tables


def _quality_row(name: str, answers: Answers) -> list[str]:
    asked = max(1, answers.asked)
    row = [
        name,
        str(answers.asked),
        f"{answers.next_right / asked:.3f}",
        f"{answers.lines_right / asked:.3f}",
    ]
    row += [f"{answers.copied_next / asked:.3f}", f"{answers.copied_lines / asked:.3f}"]
    for threshold in (0.5, AUTOMATIC, 0.8):
        row.append(_shown(answers.shown[threshold], answers))
    return [*row, _shown(answers.copier, answers), _shown(answers.word, answers)]


def _shown(shown: list[Shown], answers: Answers) -> str:
    if not shown:
        return "-"
    right = sum(one.is_right for one in shown) / len(shown)
    saved = sum(one.saved for one in shown) / max(1, answers.to_type)
    return f"{right:.2f} / {len(shown) / answers.asked:.2f} / {saved:.2f}"


def quality_table(by_project: dict[str, Answers], by_kind: dict[str, Answers]) -> Table:
    """Return the table of the held-out files."""
    table = Table(title="Held-out files (shown: precision / coverage / characters saved)")
    for column in ("", "n", "next", "line", "copier next", "copier line", "shown .5", "shown .6", "shown .8"):
        table.add_column(column)
    table.add_column("copier >= 20")
    table.add_column("recent word")
    total = Answers()
    for name, answers in by_project.items():
        table.add_row(*_quality_row(name, answers))
        total.add(answers)
    table.add_section()
    for name, answers in sorted(by_kind.items()):
        table.add_row(*_quality_row(name, answers))
    table.add_section()
    table.add_row(*_quality_row("all", total))
    return table


def typing_table(by_project: dict[str, Typed]) -> Table:
    """Return the table of the typing simulation."""
    table = Table(title=f"Typing: keystrokes saved (threshold {AUTOMATIC})")
    for column in (
        "",
        "lines",
        "local model",
        "recent word",
        "longest match",
        "accepted a line",
        "accepted of shown",
    ):
        table.add_column(column)
    total = Typed()
    for typed in by_project.values():
        total.add(typed)
    for name, typed in {**by_project, "all": total}.items():
        if typed.lines:
            saved = [f"{1 - typed.keys[way] / typed.characters:.3f}" for way in typed.keys]
            share = f"{typed.accepted / max(1, typed.ghosts):.2f}"
            table.add_row(name, str(typed.lines), *saved, f"{typed.accepted / typed.lines:.1f}", share)
    return table


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
    console = Console(width=170)
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
    if sys.argv[1:2] == ["--asked"]:
        ask(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
