"""HumanEval-Infilling through the whole server: does the edit that arrives make a program that passes its test?

    python -m tests.bench.infill FOLDER [--limit N]

FOLDER holds HumanEval-SingleLineInfilling.jsonl.gz (github.com/openai/human-eval-infilling). The model is an
oracle: it knows the missing lines. "exact" writes just those and stops; "overrun" goes on into the text after
the cursor, as real models do. The cursor stands either before the line that follows the gap, or on an empty line.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

from attrs import frozen
from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.support.tabbyapi import ScriptedTabbyAPI

_FILE = "HumanEval-SingleLineInfilling.jsonl.gz"
_SECONDS = 10.0


@frozen
class Task:
    """One gap: the text before it, in it and after it, and the test that the whole program must pass."""

    name: str
    before: str
    gap: str
    after: str
    test: str


@frozen
class Setting:
    """Where the cursor stands, and how the oracle answers."""

    cursor: str
    answer: str

    def place(self, task: Task) -> tuple[str, str, str]:
        """Return what is before the cursor, the true text, and what is after it."""
        if self.cursor == "before the next line":
            return task.before, task.gap, task.after
        gap = task.gap.removesuffix("\n")
        return task.before, gap, "\n" + task.after

    def reply(self, gap: str, after: str) -> str:
        """Return what the oracle writes."""
        return gap + after if self.answer == "overrun" else gap


_SETTINGS = [
    Setting(cursor, answer)
    for cursor in ("before the next line", "on an empty line")
    for answer in ("exact", "overrun")
]


def read_tasks(folder: Path) -> list[Task]:
    """Return all tasks of the file in `folder`."""
    with gzip.open(folder / _FILE, "rt", encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
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


async def complete_all(tasks: list[Task], setting: Setting) -> tuple[list[str], int]:
    """Return the program that each task ends up as, and how many answers were cut before their end."""
    programs: list[str] = []
    with ScriptedTabbyAPI() as model:
        client = LanguageClient("infill", "1")
        settings = {"backend": {"url": model.url}, "debounce_ms": 0, "max_tokens": 512}
        await client.start_io(
            sys.executable, "-m", "tabby_ls", env={**os.environ, "TABBY_LS_CONFIG": os.devnull}
        )
        await client.initialize_async(
            types.InitializeParams(capabilities=types.ClientCapabilities(), initialization_options=settings)
        )
        client.initialized(types.InitializedParams())
        for number, task in enumerate(tasks):
            before, gap, after = setting.place(task)
            model.reply(setting.reply(gap, after))
            programs.append(await _complete(client, f"file:///task_{number}.py", before, after))
        model.wait_for(lambda: all(request.ended for request in model.completions))
        cut = sum(request.ended == "closed by client" for request in model.completions)
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()
    return programs, cut


async def _complete(client: LanguageClient, uri: str, before: str, after: str) -> str:
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", 1, before + after))
    )
    line = before.count("\n")
    position = types.Position(line, len(before) - before.rfind("\n") - 1)
    context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
    answer = await client.text_document_inline_completion_async(
        types.InlineCompletionParams(context, types.TextDocumentIdentifier(uri), position)
    )
    client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
    items = answer.items if isinstance(answer, types.InlineCompletionList) else answer or []
    if not items:
        return before + after
    [item] = items
    assert isinstance(item.insert_text, str)
    assert item.range is not None
    assert item.range.start == position
    replaced = item.range.end.character - item.range.start.character
    return before + item.insert_text + after[replaced:]


def passes(program: str) -> bool:
    """Return whether a program with its test ends well within the time, in a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=_run, args=(program,))
    process.start()
    process.join(_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == 0


def _run(program: str) -> None:
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    exec(compile(program, "task", "exec"), {"__name__": "task"})


def main() -> int:
    """Print the table; return 1 if an exact answer was damaged."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    tasks = read_tasks(options.folder)[: options.limit]
    print(f"{len(tasks)} single-line tasks")
    print(f"{'cursor':<22} {'answer':<8} {'passed':>15} {'same text':>10} {'cut early':>10} {'seconds':>8}")
    damaged = False
    for setting in _SETTINGS:
        started = time.monotonic()
        programs, cut = asyncio.run(complete_all(tasks, setting))
        seconds = time.monotonic() - started
        passed = [passes(f"{program}\n{task.test}") for program, task in zip(programs, tasks, strict=True)]
        truth = ["".join(setting.place(task)) for task in tasks]
        same = sum(program == true for program, true in zip(programs, truth, strict=True))
        share = f"{sum(passed)} ({sum(passed) / len(tasks):.1%})"
        print(
            f"{setting.cursor:<22} {setting.answer:<8} {share:>15} {same:>10} {cut:>10} {seconds:>8.1f}",
            flush=True,
        )
        for task, program, true, well in zip(tasks, programs, truth, passed, strict=True):
            if program != true and (not well or options.limit):
                print(
                    f"  {task.name}: {'passed' if well else 'FAILED'}, but for {task.gap!r} before {task.after[:50]!r}"
                )
        damaged = damaged or (setting.answer == "exact" and not all(passed))
    return int(damaged)


if __name__ == "__main__":
    sys.exit(main())
