"""HumanEval-Infilling through whole servers: does the edit that arrives make a program that passes its tests?

    python -m tests.bench.infill FOLDER [--limit N] [--seed N] [--only WORD] [--show]

FOLDER holds HumanEval-SingleLineInfilling.jsonl.gz and HumanEval-MultiLineInfilling.jsonl.gz
(github.com/openai/human-eval-infilling). The model is an oracle that knows the missing text, and then makes one of
the mistakes that real models make. The same raw answers go through `tabby-ls`, into the document as they are, and
through `tabby-agent` (npm), with and without the stop words of its own server. Single lines are asked for as while
typing, gaps of several lines as by key.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from lsprotocol import types
from pygls.lsp.client import LanguageClient
from rich.console import Console
from rich.table import Table

from tests.bench.judge import judge
from tests.bench.tabby_agent import (
    DEBOUNCE_OFF,
    STOP_WORDS,
    TabbyServer,
    fetch_tabby_agent,
    items_of,
    tabby_agent,
)
from tests.support.rpc import message
from tests.support.tabbyapi import ScriptedTabbyAPI

_SINGLE = "HumanEval-SingleLineInfilling.jsonl.gz"
_MULTI = "HumanEval-MultiLineInfilling.jsonl.gz"
_TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]|\s+$")


@frozen
class Task:
    """One gap: the text before it, in it and after it, and the test that the whole program must pass."""

    name: str
    before: str
    gap: str
    after: str
    test: str

    @property
    def truth(self) -> str:
        return self.before + self.gap + self.after


def read_tasks(path: Path, limit: int | None, seed: int) -> list[Task]:
    """Return the tasks of a file, or a sample of them."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    if limit is not None and limit < len(rows):
        rows = random.Random(seed).sample(rows, limit)
    return [
        Task(
            row["task_id"],
            row["prompt"],
            row["canonical_solution"],
            row["suffix"],
            f"{row['test']}\ncheck({row['entry_point']})\n",
        )
        for row in rows
    ]


# Where the cursor stands. Each of these moves the gap's ends, and keeps the whole.


def before_the_next_line(task: Task) -> Task:
    return task


def on_an_empty_line(task: Task) -> Task:
    gap = task.gap.removesuffix("\n")
    return evolve(task, gap=gap, after=task.gap[len(gap) :] + task.after)


def on_an_indented_line(task: Task) -> Task:
    task = on_an_empty_line(task)
    gap = task.gap.lstrip(" ")
    return evolve(task, before=task.before + task.gap[: len(task.gap) - len(gap)], gap=gap)


def on_a_begun_line(task: Task) -> Task:
    """After some tokens of the line, with nothing to the right."""
    task = on_an_indented_line(task)
    ends = _ends_of_tokens(task.gap.partition("\n")[0])
    begun = random.Random(task.name).choice([end for end in ends if task.gap[end:].strip()] or [0])
    return evolve(task, before=task.before + task.gap[:begun], gap=task.gap[begun:])


def inside_a_line(task: Task) -> Task:
    """Between tokens of the line, with some of them to the right."""
    task = on_an_indented_line(task)
    ends = _ends_of_tokens(task.gap)
    if len(ends) < 3:
        return task
    start, end = sorted(ends[index] for index in random.Random(task.name).sample(range(len(ends) - 1), 2))
    before, after = task.before + task.gap[:start], task.gap[end:] + task.after
    return evolve(task, before=before, gap=task.gap[start:end], after=after)


def _ends_of_tokens(text: str) -> list[int]:
    return [found.end() for found in _TOKEN.finditer(text)]


# What the model does besides writing the gap.


def exact(task: Task) -> str:
    return task.gap


def runs_on(task: Task) -> str:
    return task.gap + task.after


def repeats_the_rest(task: Task) -> str:
    """It writes what stands to the right of the cursor once more, or the next line if nothing does."""
    rest, newline, below = task.after.partition("\n")
    return task.gap + (rest if rest.strip() else f"{rest}{newline}{below.partition(chr(10))[0]}")


def repeats_the_last_block(task: Task) -> str:
    """It goes in circles."""
    gap = task.gap.removesuffix("\n")
    lines = (task.before[task.before.rfind("\n") + 1 :] + gap).split("\n")
    block = "\n".join(lines[-3:])
    return gap + f"\n{block}" * 4 + "\n"


def stops_early(task: Task) -> str:
    """It ends after some of the tokens."""
    ends = _ends_of_tokens(task.gap)
    return task.gap[: random.Random(task.name).choice(ends)]


def goes_on_at_another_depth(task: Task) -> str:
    """It runs on with wrong indentation."""
    shift = random.Random(task.name).choice((-4, 2, 4))
    rest, newline, below = task.after.partition("\n")
    if shift > 0:
        moved = re.sub(r"(?m)^(?=[^\n])", " " * shift, below)
    else:
        moved = re.sub(rf"(?m)^ {{1,{-shift}}}", "", below)
    return f"{task.gap}{rest}{newline}{moved}"


def leaves_blank_lines(task: Task) -> str:
    """It runs on after blank lines."""
    gap = task.gap.removesuffix("\n")
    return f"{gap}\n\n\n{task.after.removeprefix(chr(10))}"


def fences(task: Task) -> str:
    """It puts the code into a fence, as in a chat, and explains it."""
    gap = task.gap.removesuffix("\n")
    return f"```python\n{gap}\n```\n\nThis code completes the function.\n"


def fences_at_the_end(task: Task) -> str:
    """It ends the code with a fence, and explains it."""
    gap = task.gap.removesuffix("\n")
    return f"{gap}\n```\nThis code completes the function.\n"


MODELS: dict[str, Callable[[Task], str]] = {
    "exact": exact,
    "runs on": runs_on,
    "repeats the rest": repeats_the_rest,
    "repeats the last block": repeats_the_last_block,
    "runs on, other depth": goes_on_at_another_depth,
    "runs on, blank lines": leaves_blank_lines,
    "fence": fences,
    "fence at the end": fences_at_the_end,
    "stops early": stops_early,
}
CURSORS: dict[str, tuple[Callable[[Task], Task], ...]] = {
    _SINGLE: (before_the_next_line, on_an_empty_line, on_an_indented_line, on_a_begun_line, inside_a_line),
    _MULTI: (before_the_next_line, on_an_empty_line, on_an_indented_line, on_a_begun_line),
}


@frozen
class Job:
    """One question: a task with its cursor, and what the model writes."""

    task: Task
    answer: str
    invoked: bool


# Who makes a program of it.


async def as_it_is(jobs: Sequence[Job]) -> list[str]:
    return [job.task.before + job.answer + job.task.after for job in jobs]


async def by_us(jobs: Sequence[Job]) -> list[str]:
    programs: list[str] = []
    with ScriptedTabbyAPI() as model:
        client = LanguageClient("infill", "1")
        settings = {"backend": {"url": model.url}, "debounce_ms": 0, "max_tokens": 2048, "stats": False}
        await client.start_io(
            sys.executable, "-m", "tabby_ls", env={**os.environ, "TABBY_LS_CONFIG": os.devnull}
        )
        await client.initialize_async(
            types.InitializeParams(capabilities=types.ClientCapabilities(), initialization_options=settings)
        )
        client.initialized(types.InitializedParams())
        for number, job in enumerate(jobs):
            model.reply(job.answer)
            programs.append(await _complete(client, f"file:///task_{number}.py", job))
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()
    return programs


async def _complete(client: LanguageClient, uri: str, job: Job) -> str:
    before, after = job.task.before, job.task.after
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", 1, before + after))
    )
    position = types.Position(**_position(before))
    kinds = types.InlineCompletionTriggerKind
    context = types.InlineCompletionContext(kinds.Invoked if job.invoked else kinds.Automatic)
    answer = await client.text_document_inline_completion_async(
        types.InlineCompletionParams(context, types.TextDocumentIdentifier(uri), position)
    )
    client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
    items = answer.items if isinstance(answer, types.InlineCompletionList) else answer or []
    if not items:
        return before + after
    item = items[0]
    assert isinstance(item.insert_text, str)
    assert item.range is not None
    assert item.range.start == position
    return before + item.insert_text + after[item.range.end.character - position.character :]


def by_tabby_agent(package: Path, stop_words: re.Pattern[str] | None) -> Callable[[Sequence[Job]], Any]:
    async def programs_of(jobs: Sequence[Job]) -> list[str]:
        programs: list[str] = []
        server = TabbyServer(lambda *_: "", stop_words=stop_words, max_tokens=64 if stop_words else 2048)
        async with server, tabby_agent(package, server, DEBOUNCE_OFF) as client:
            for number, job in enumerate(jobs):
                server.answer = lambda *_, answer=job.answer: answer
                uri, text = f"file:///task_{number}.py", job.task.before + job.task.after
                document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
                await client.send(message("textDocument/didOpen", {"textDocument": document}))
                where = {"textDocument": {"uri": uri}, "position": _position(job.task.before)}
                answer = await client.request("textDocument/completion", where)
                await client.send(message("textDocument/didClose", {"textDocument": {"uri": uri}}))
                programs.append(_applied(items_of(answer), text))
        return programs

    return programs_of


def _position(before: str) -> dict[str, int]:
    line = before[before.rfind("\n") + 1 :]
    return {"line": before.count("\n"), "character": len(line.encode("utf-16-le")) // 2}


def _applied(items: Sequence[dict[str, Any]], text: str) -> str:
    if not items:
        return text
    edit, lines = items[0]["textEdit"], text.split("\n")
    start, end = (
        sum(len(line) + 1 for line in lines[: point["line"]]) + point["character"]
        for point in (edit["range"]["start"], edit["range"]["end"])
    )
    return text[:start] + edit["newText"] + text[end:]


def plan(folder: Path, limit: int | None, seed: int, only: str) -> Iterator[tuple[str, str, str, list[Job]]]:
    """Yield every set of questions: the tasks' name, the cursor's, the model's, and the questions."""
    for file, cursors in CURSORS.items():
        tasks = read_tasks(folder / file, limit, seed)
        name = "one line" if file == _SINGLE else "several lines"
        for cursor in cursors:
            for model, answer in MODELS.items():
                label = cursor.__name__.replace("_", " ")
                if only in f"{name}, {label}, {model}":
                    placed = [cursor(task) for task in tasks]
                    jobs = [Job(task, answer(task), file == _MULTI) for task in placed]
                    yield name, label, model, jobs


def main() -> int:
    """Print the table; return 1 if an exact answer was damaged, or an answer served better as it was."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=300, help="tasks of each kind; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a word in a row's name")
    parser.add_argument("--show", action="store_true", help="print what failed")
    options = parser.parse_args()
    makers: dict[str, Callable[[Sequence[Job]], Any]] = {"tabby-ls": by_us, "as it is": as_it_is}
    package = fetch_tabby_agent()
    if isinstance(package, Path):
        makers["tabby-agent"] = by_tabby_agent(package, None)
        makers["with its server's stops"] = by_tabby_agent(package, STOP_WORDS)
    else:
        print(f"tabby-agent is left out: {package}")
    rows = list(plan(options.folder, options.limit or None, options.seed, options.only))
    jobs = [job for *_, of_row in rows for job in of_row]
    print(f"{len(jobs)} questions", file=sys.stderr, flush=True)
    passed = {maker: _passed(asyncio.run(make(jobs)), jobs, maker) for maker, make in makers.items()}
    table = Table("gap", "cursor", "model", *makers, title="Programs that pass their tests, in per cent")
    damaged, start = False, 0
    for name, cursor, model, of_row in rows:
        end = start + len(of_row)
        shares = {maker: 100 * sum(well[start:end]) / len(of_row) for maker, well in passed.items()}
        table.add_row(name, cursor, model, *(f"{shares[maker]:.1f}" for maker in makers))
        damaged |= shares["tabby-ls"] < (100 if model == "exact" else shares["as it is"])
        if options.show:
            for job, well in zip(of_row, passed["tabby-ls"][start:end], strict=True):
                if not well:
                    print(f"  {name}, {cursor}, {model}, {job.task.name}: {job.task.gap!r}")
                    print(
                        f"    {job.task.before[-80:]!r} | {job.task.after[:80]!r}\n    {job.answer[:300]!r}"
                    )
        start = end
    Console(width=140).print(table)
    return int(damaged)


def _passed(programs: Sequence[str], jobs: Sequence[Job], maker: str) -> list[bool]:
    whole = [f"{program}\n{job.task.test}" for program, job in zip(programs, jobs, strict=True)]
    unequal = {
        text for text, job, program in zip(whole, jobs, programs, strict=True) if program != job.task.truth
    }
    print(f"{maker}: {len(unequal)} programs to run", file=sys.stderr, flush=True)
    verdicts = judge(unequal)
    return [verdicts.get(text, True) for text in whole]


if __name__ == "__main__":
    sys.exit(main())
