"""Part of `local_model.py`: cursors in files held out of the workspace, answered and held against the truth."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path, PurePosixPath

from attrs import define, field, frozen
from rich.table import Table

from tabby_ls.local_model import calibrator
from tabby_ls.local_model.blend import END_OF_LINE, Source
from tabby_ls.local_model.cut import Cut, best_cut
from tabby_ls.local_model.decode import decode
from tabby_ls.local_model.nearness import weights
from tabby_ls.local_model.segment import Segment, build_segment
from tabby_ls.local_model.tokens import line_tokens
from tests.bench.baselines import longest_match, recent_word
from tests.bench.corpus import Package, fetch
from tests.bench.cursors import Question, held_out_questions, read_project, true_tokens

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
