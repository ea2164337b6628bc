"""Part of `local_model.py`: what a release added, typed key by key into the release before."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from attrs import define, field
from rich.table import Table

from tabby_ls.local_model.model import LocalModel, Query
from tests.bench.baselines import longest_match, recent_word
from tests.bench.corpus import Package, fetch
from tests.bench.cursors import Change, Question, changes, code_lines, question_at, read_texts
from tests.bench.local_quality import AUTOMATIC, COPIER_SHOWS, judge
from tests.bench.local_speed import build


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
        build(old_root, Path(cache))
        model = LocalModel(Path(cache))
        model.add_root(old_root)
        ghosts: list[str] = []

        def local_model(question: Question) -> str:
            path = str(old_root / question.path)
            query = Query(path, question.prefix, question.suffix, AUTOMATIC, 1)
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
