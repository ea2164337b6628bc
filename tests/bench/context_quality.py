"""How often a prompt holds the names that come next: ours against the window alone and what other tools put in.

    python -m tests.bench.context_quality [FOLDER] [--questions N] [--tokens N]

FOLDER is a git repository, whose last commits are replayed, or a folder to keep public sources in (see `corpus.py`),
whose last release is replayed over the one before: no history can be fetched by name. Changed files are visited in a
random order, with visits to neighbours in between, and their changes are typed one after the other. Before a changed
line is finished, each method fills a prompt of the same size; what is counted are the identifiers of the rest of the
line that the prompt holds. `elsewhere` are those that are nowhere in what the window alone would have shown.

    window      the text around the cursor
    ring        llama.vim: chunks of 64 lines around where the user was, the latest 16, evicted when alike
    jaccard     the windows of 50 lines of the last 10 files most similar to the 50 lines before the cursor
    ours, open  our own pieces of open documents alone
    ours        our own pieces, with the workspace's index
"""

from __future__ import annotations

import argparse
import asyncio
import io
import random
import re
import subprocess
import tarfile
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from attrs import define, field, frozen

from tabby_ls.context.budget import fit_window
from tabby_ls.context.surroundings import Cursor, Surroundings
from tabby_ls.languages import language_of_path
from tabby_ls.local_model.blend import Source
from tabby_ls.local_model.nearness import weights
from tabby_ls.local_model.segment import File, Segment, build_segment
from tests.bench.corpus import DEFAULT_FOLDER, TEST, TRAINING, fetch
from tests.bench.cursors import Change, Question, changes, code_lines, question_at, read_texts

_CHARACTERS = 3
_NAME = re.compile(r"[^\W\d]\w{2,}")
_CODE = {".py", ".pyi", ".ts", ".js", ".mjs", ".lua", ".el", ".c", ".h", ".go", ".rs", ".java"}
SHARE = 0.35


@frozen
class Replay:
    """The files of a project before some changes, and the changes in the order in which they are made."""

    name: str
    old: dict[str, str]
    changes: list[Change]


class Method(Protocol):
    """Puts pieces of other text into a prompt."""

    def visit(self, path: str, text: str, line: int) -> None: ...

    def edit(self, path: str, text: str, change: Change) -> None: ...

    async def pieces(self, question: Question, line: int, room: int) -> Sequence[str]: ...


class WindowOnly:
    """Puts in nothing."""

    def visit(self, path: str, text: str, line: int) -> None: ...

    def edit(self, path: str, text: str, change: Change) -> None: ...

    async def pieces(self, question: Question, line: int, room: int) -> Sequence[str]:
        return ()


@define(eq=False)
class Ring:
    """What llama.vim does: no ranking, but a ring of chunks around where the user was."""

    rng: random.Random
    ring: list[str] = field(factory=list)

    def visit(self, path: str, text: str, line: int) -> None:
        lines = text.split("\n")
        self._pick(lines[max(0, line - 32) : line + 32])

    def edit(self, path: str, text: str, change: Change) -> None:
        lines, line = text.split("\n"), len(change.above)
        self._pick(lines[max(0, line - 1024) : max(0, line - 256)])
        self._pick(lines[line + 64 : line + 128])

    async def pieces(self, question: Question, line: int, room: int) -> Sequence[str]:
        near = question.prefix.split("\n")[-32:]
        return [chunk for chunk in reversed(self.ring) if _alike(chunk, "\n".join(near)) <= 0.5]

    def _pick(self, lines: list[str]) -> None:
        if len(lines) < 3:
            return
        if len(lines) + 1 >= 64:
            start = self.rng.randrange(len(lines) - 32)
            lines = lines[start : start + 33]
        chunk = "\n".join(lines)
        self.ring = [other for other in self.ring if _alike(other, chunk) <= 0.9]
        self.ring = [*self.ring, chunk][-16:]


def _alike(one: str, other: str) -> float:
    first, second = re.split(r"\W+", one), re.split(r"\W+", other)
    known = set(first)
    return 2 * sum(token in known for token in second) / (len(first) + len(second))


@define(eq=False)
class Jaccard:
    """The windows of the last ten files that have most words in common with the text before the cursor."""

    files: OrderedDict[str, str] = field(factory=OrderedDict)

    def visit(self, path: str, text: str, line: int) -> None:
        self.files[path] = text
        self.files.move_to_end(path)

    def edit(self, path: str, text: str, change: Change) -> None:
        self.visit(path, text, 0)

    async def pieces(self, question: Question, line: int, room: int) -> Sequence[str]:
        target = _stems("\n".join(question.prefix.split("\n")[-50:]))
        found: list[tuple[float, str]] = []
        others = [path for path in reversed(self.files) if path != question.path]
        for path in others[:10]:
            lines = self.files[path].split("\n")
            for start in range(0, len(lines), 50):
                chunk = "\n".join(lines[start : start + 50])
                words = _stems(chunk)
                found.append((len(target & words) / (len(target | words) or 1), chunk))
        return [chunk for score, chunk in sorted(found, reverse=True) if score > 0]


def _stems(text: str) -> set[str]:
    words = _NAME.findall(text)
    return {part.lower() for word in words for part in (word, *re.findall(r"[A-Z]?[a-z]+|[A-Z]+", word))}


class Ours:
    """The product's own."""

    def __init__(self, segment: Segment | None) -> None:
        self._segment = segment
        self._texts: dict[str, str] = {}
        self.surroundings = Surroundings(indexed=self._indexed)

    def visit(self, path: str, text: str, line: int) -> None:
        if path not in self._texts:
            self._texts[path] = text
            language = language_of_path(path).id
            self.surroundings.opened(_uri(path), language, lambda: self._texts[path].split("\n"))

    def edit(self, path: str, text: str, change: Change) -> None:
        self._texts[path] = text
        start = len(change.above)
        self.surroundings.edited(_uri(path), start, start, "\n".join(change.added))

    async def pieces(self, question: Question, line: int, room: int) -> Sequence[str]:
        first = line - question.prefix.count("\n")
        window = fit_window(question.prefix, question.suffix, first, int(room / SHARE * (1 - SHARE)), 0.75)
        language = language_of_path(question.path).id
        cursor = Cursor(
            _uri(question.path), question.path, language, line, question.prefix, question.suffix, window
        )
        # Whoever begins to write has read first: everything is taken apart by then.
        for _ in self.surroundings._documents.refresh():
            pass
        return [f"{found.path}\n{found.text}" for found in await self.surroundings.snippets(cursor, room)]

    def _indexed(self, path: str) -> Sequence[tuple[Path, Source]]:
        if self._segment is None:
            return ()
        names = [file.name for file in self._segment.files]
        folder = path.rpartition("/")[0] or "."
        return [(Path("/"), Source(self._segment, weights(names, folder, frozenset(self._texts))))]


def _uri(path: str) -> str:
    return f"file:///{path}"


def replays(folder: Path, only: str) -> Iterator[Replay]:
    """Yield what there is to replay in `folder`: packages whose name contains `only`, or commits."""
    if (folder / ".git").exists():
        yield from commits(folder)
        return
    for package in (*TRAINING, *TEST):
        if package.previous and only in package.name:
            old = read_texts(fetch(package, folder, version=package.previous))
            new = read_texts(fetch(package, folder))
            yield Replay(package.name, {file.name: text for file, text in old}, _with_new(old, new))


def _with_new(old: list[tuple[File, str]], new: list[tuple[File, str]]) -> list[Change]:
    """Return the changes between two versions; new files are written in order, a dozen lines at a time."""
    found = changes(old, new)
    known = {file.name for file, _ in old}
    for file, text in new:
        if file.name in known or not language_of_path(file.name).line_comment:
            continue
        lines = text.split("\n")
        for start in range(0, len(lines), 12):
            added = lines[start : start + 12]
            if set(code_lines(text)).intersection(range(start, start + len(added))):
                found.append(Change(file.name, lines[:start], added, []))
    return found


def commits(repository: Path, most: int = 80) -> Iterator[Replay]:
    """Yield the last commits of a repository that change code, the oldest first."""

    def git(*arguments: str) -> bytes:
        command = ["git", "-C", str(repository), *arguments]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def texts(commit: str) -> dict[str, str]:
        found: dict[str, str] = {}
        with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", commit))) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.size < 200_000 else None
                if file is not None and Path(member.name).suffix in _CODE:
                    found[member.name] = file.read().decode("utf-8", "replace")
        return found

    for commit in git("rev-list", "--no-merges", f"--max-count={most}", "HEAD").decode().split()[::-1]:
        parents = git("rev-list", "--parents", "-n", "1", commit).decode().split()[1:]
        if not parents:
            continue
        old, new = texts(parents[0]), texts(commit)
        as_files = [[(File(name, 0, 0), text) for name, text in side.items()] for side in (old, new)]
        if found := _with_new(*as_files):
            yield Replay(f"{repository.name}@{commit[:8]}", old, found)


async def replay(
    it: Replay, methods: Mapping[str, Method], room: int, most: int, rng: random.Random
) -> Counter[str]:
    """Replay changes; return the counts, by method and kind."""
    counts: Counter[str] = Counter()
    by_file: dict[str, list[Change]] = {}
    for change in it.changes:
        by_file.setdefault(change.path, []).append(change)
    order = sorted(by_file)
    rng.shuffle(order)
    texts = dict(it.old)
    asked = 0
    for path in order:
        folder = path.rpartition("/")[0]
        near = sorted(name for name in texts if name.rpartition("/")[0] == folder and name != path)
        for name in rng.sample(near, min(2, len(near))):
            line = rng.randrange(texts[name].count("\n") + 1)
            for method in methods.values():
                method.visit(name, texts[name], line)
        for change in by_file[path][:12]:
            if asked >= most:
                return counts
            before = "\n".join((*change.above, *change.below))
            texts[path] = before
            for method in methods.values():
                method.visit(path, before, len(change.above))
            asked += await _ask(change, methods, room, counts, rng)
            texts[path] = "\n".join((*change.above, *change.added, *change.below))
            for method in methods.values():
                method.edit(path, texts[path], change)
    return counts


async def _ask(
    change: Change, methods: Mapping[str, Method], room: int, counts: Counter[str], rng: random.Random
) -> int:
    spots = list(code_lines("\n".join(change.added)))
    number = rng.choice(spots) if spots else 0
    lines = [*change.above, *change.added, *change.below]
    line = lines[len(change.above) + number]
    columns = [match.start() for match in re.finditer(r"\w+", line)]
    if not columns:
        return 0
    missing = len(change.added) - number - 1
    question = question_at(change.path, lines, len(change.above) + number, rng.choice(columns), missing)
    names = list(dict.fromkeys(_NAME.findall(question.rest)))
    if not names:
        return 0
    row = len(change.above) + number
    window = _window(question, row, room)
    known = set(_NAME.findall(window))
    new = [name for name in names if name not in known]
    counts["names"] += len(names)
    counts["new"] += len(new)
    counts["lines"] += 1
    for title, method in methods.items():
        text = await _prompt(question, row, method, room)
        assert len(text) <= room + 64, (title, len(text), room)
        held = set(_NAME.findall(text))
        counts[f"{title}/held"] += sum(name in held for name in names)
        counts[f"{title}/elsewhere"] += sum(name in held for name in new)
        counts[f"{title}/lines"] += all(name in held for name in names)
    return 1


async def _prompt(question: Question, row: int, method: Method, room: int) -> str:
    size = len(question.prefix) + len(question.suffix)
    most = max(int(room * SHARE), room - size)
    taken: list[str] = []
    left = most
    for piece in await method.pieces(question, row, most):
        if len(piece) + 2 > left:
            piece = piece[: max(0, left - 2)].rpartition("\n")[0]
        if piece:
            taken.append(piece)
            left -= len(piece) + 2
    extra = "\n\n".join(taken)
    return extra + "\n" + _window(question, row, room - len(extra))


def _window(question: Question, row: int, room: int) -> str:
    first = row - question.prefix.count("\n")
    prefix, suffix = fit_window(question.prefix, question.suffix, first, room, 0.75)
    return prefix + "\0" + suffix


def methods_for(it: Replay, rng: random.Random) -> dict[str, Method]:
    """Return the methods that are compared, new for each replay."""
    segment = Segment(build_segment([(File(name, 0, 0), text) for name, text in it.old.items()]))
    return {
        "window": WindowOnly(),
        "ring": Ring(rng),
        "jaccard": Jaccard(),
        "ours, open": Ours(None),
        "ours": Ours(segment),
    }


def table(counts: Counter[str], titles: Sequence[str]) -> str:
    """Return the results as a table."""
    rows = [f"{'':12}{'names held':>12}{'of elsewhere':>14}{'whole lines':>13}"]
    for title in titles:
        shares = [
            counts[f"{title}/{kind}"] / max(1, counts[of])
            for kind, of in (("held", "names"), ("elsewhere", "new"), ("lines", "lines"))
        ]
        rows.append(f"{title:12}{shares[0]:12.1%}{shares[1]:14.1%}{shares[2]:13.1%}")
    return "\n".join(rows)


def main() -> None:
    """Replay, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--questions", type=int, default=120, help="at most, per package or commit")
    parser.add_argument(
        "--tokens", type=int, default=2048, help=f"size of a prompt, at {_CHARACTERS} characters each"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="names that contain this")
    given = parser.parse_args()
    total: Counter[str] = Counter()
    titles: Sequence[str] = ()
    for it in replays(given.folder, given.only):
        rng = random.Random(f"{given.seed} {it.name}")
        methods = methods_for(it, rng)
        titles = list(methods)
        counts = asyncio.run(replay(it, methods, given.tokens * _CHARACTERS, given.questions, rng))
        total += counts
        shares = [counts[f"{title}/elsewhere"] / max(1, counts["new"]) for title in titles]
        print(
            f"{it.name:28}{counts['lines']:5} lines {counts['new']:5} names elsewhere:",
            *(f"{s:.0%}" for s in shares),
        )
    how = "commits" if (given.folder / ".git").exists() else "releases"
    print(
        f"\n{how} replayed: {total['lines']} lines, {total['names']} names, {total['new']} of them elsewhere"
    )
    print(table(total, titles))


if __name__ == "__main__":
    main()
