"""Cursors to ask the local model about, drawn from sources by a seed, with the text that really came next."""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from tabby_ls.local_model.buffer import Cursor
from tabby_ls.local_model.files import list_files, read
from tabby_ls.local_model.segment import File
from tabby_ls.local_model.tokens import line_tokens

PREFIX_WINDOW, SUFFIX_WINDOW = 64 * 1024, 32 * 1024
HELD_OUT = 0.15
_CODE = {
    ".py",
    ".js",
    ".mjs",
    ".cjs",
    ".ts",
    ".tsx",
    ".jsx",
    ".c",
    ".h",
    ".go",
    ".rs",
    ".pyx",
    ".cpp",
    ".java",
}
_COMMENT = re.compile(r"\s*(#(?!include|define|if|endif)|//|/?\*|<!--|\"\"\"|'''|\.\. )")
_KINDS = {
    "line start": re.compile(r"^\s*(?=\S)"),
    "in word": re.compile(r"(?<=\w)(?=\w)"),
    "after .": re.compile(r"(?<=[\w)\]]\.)(?=\w)"),
    "after (": re.compile(r"\((?=.)"),
    "after space": re.compile(r"(?<=\S) (?=\S)"),
}


@frozen
class Question:
    """A cursor: `rest` is what came next on its line, `lines` the lines after that which are not in `suffix`."""

    path: str
    kind: str
    prefix: str
    suffix: str
    rest: str
    lines: tuple[str, ...] = ()

    @property
    def cursor(self) -> Cursor:
        return Cursor.at(self.prefix, self.suffix)


@frozen
class Project:
    """The files that are the workspace, and those that are asked about."""

    name: str
    workspace: list[tuple[File, str]]
    held_out: list[tuple[File, str]]


def read_project(name: str, root: Path, rng: random.Random, *, most_bytes: int = 8_000_000) -> Project:
    """Read a project's files and hold some out; of a large project a random part, the same for the same seed."""
    names = sorted(list_files(root), key=lambda file: file.name)
    rng.shuffle(names)
    workspace: list[tuple[File, str]] = []
    held_out: list[tuple[File, str]] = []
    size = 0
    for file in names:
        text = read(root, file.name)
        if text is None or size > most_bytes:
            continue
        size += len(text)
        is_code = Path(file.name).suffix in _CODE
        (held_out if is_code and rng.random() < HELD_OUT else workspace).append((file, text))
    return Project(name, workspace, held_out)


def held_out_questions(
    project: Project, count: int, rng: random.Random, *, gone: float = 0.0
) -> list[Question]:
    """Draw cursors from the files held out; with the probability `gone` up to 8 lines after it are missing too."""
    spots = [(file, text, number) for file, text in project.held_out for number in code_lines(text)]
    rng.shuffle(spots)
    questions: list[Question] = []
    for file, text, number in spots:
        if len(questions) >= count:
            break
        lines = text.split("\n")
        missing = rng.randint(1, 8) if rng.random() < gone else 0
        question = _ask(file.name, lines, number, missing, rng)
        if question is not None:
            questions.append(question)
    return questions


def code_lines(text: str) -> Iterator[int]:
    """Yield the numbers of lines that are neither blank nor comments nor in a triple-quoted string."""
    quoted = False
    for number, line in enumerate(text.split("\n")):
        marks = line.count('"""') + line.count("'''")
        if not quoted and line.strip() and not _COMMENT.match(line) and not marks:
            yield number
        quoted ^= bool(marks % 2)


def _ask(path: str, lines: Sequence[str], number: int, missing: int, rng: random.Random) -> Question | None:
    line = lines[number].rstrip()
    kinds = list(_KINDS)
    rng.shuffle(kinds)
    for kind in kinds:
        places = [match.end() for match in _KINDS[kind].finditer(line)]
        if places:
            return question_at(path, lines, number, rng.choice(places), missing, kind)
    return None


def question_at(
    path: str, lines: Sequence[str], number: int, column: int, missing: int = 0, kind: str = ""
) -> Question:
    """Return the question at a column of a line, with the rest of the line and `missing` more lines taken out."""
    line = lines[number].rstrip()
    prefix = "\n".join((*lines[:number], line[:column]))[-PREFIX_WINDOW:]
    suffix = "\n" + "\n".join(lines[number + 1 + missing :])[:SUFFIX_WINDOW]
    return Question(
        path, kind, prefix, suffix, line[column:], tuple(lines[number + 1 : number + 1 + missing])
    )


def true_tokens(question: Question, cursor: Cursor) -> list[str] | None:
    """Return the tokens that should be decoded, the first with what is typed of it; None if the cursor cuts one."""
    line = question.prefix.rpartition("\n")[2] + question.rest
    tokens, before = line_tokens(line), cursor.line[1:]
    if tokens[: len(before)] != before or len(tokens) == len(before):
        return None
    if not tokens[len(before)].startswith(cursor.typed):
        return None
    return list(tokens[len(before) :])


@frozen
class Change:
    """A run of lines that a new version of a file has and the old one did not."""

    path: str
    above: list[str]
    added: list[str]
    below: list[str]


def changes(old: list[tuple[File, str]], new: list[tuple[File, str]], most_lines: int = 30) -> list[Change]:
    """Return what was added between two versions, each with the text around it as it was when it was written.

    Earlier changes to a file are made by then, later ones are not.
    """
    before = {file.name: text for file, text in old}
    found: list[Change] = []
    for file, text in new:
        former = before.get(file.name)
        if former is None or former == text or Path(file.name).suffix not in _CODE:
            continue
        a, b = former.split("\n"), text.split("\n")
        code = set(code_lines(text))
        for kind, _, a2, b1, b2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if kind in ("insert", "replace") and b2 - b1 <= most_lines and code.intersection(range(b1, b2)):
                found.append(Change(file.name, b[:b1], b[b1:b2], a[a2:]))
    return found


def replay_questions(found: Sequence[Change], count: int, rng: random.Random) -> list[Question]:
    """Draw cursors in added lines; what was added after them is still missing."""
    spots = [(change, number) for change in found for number in code_lines("\n".join(change.added))]
    rng.shuffle(spots)
    questions: list[Question] = []
    for change, number in spots[:count]:
        lines = [*change.above, *change.added, *change.below]
        missing = len(change.added) - number - 1
        question = _ask(change.path, lines, len(change.above) + number, missing, rng)
        if question is not None:
            questions.append(question)
    return questions


def read_texts(root: Path) -> list[tuple[File, str]]:
    """Return all files of a project that the local model would learn from."""
    return [(file, text) for file in list_files(root) if (text := read(root, file.name))]
