"""Two hours of typing, compressed: twenty documents in three folders, and a backend that comes and goes.

    python -m tests.bench.soak [--keys N]

Every key is a change and a request, as from an editor; suggestions are taken, requests taken back, documents closed
and opened again. What is left at the end is compared with what was there when everything had happened once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from attrs import define

from tests.bench.driver import Process, inline, opened, running
from tests.bench.rows import Row, print_table
from tests.support.rpc import message
from tests.support.tabbyapi import ScriptedTabbyAPI

#: Two hours at three keys a second.
_KEYS = 21_600
_DOCUMENTS, _FOLDERS = 20, 3
#: Keys after which the user goes to another document, and after which the backend behaves otherwise.
_STAYS, _FLAPS = 60, 400
_WARM = 0.25


@define
class _Document:
    uri: str
    text: str
    version: int = 1
    cursor: int = 0

    def edit(self, start: int, end: int, text: str) -> bytes:
        """Replace a range, and return the message that tells it."""
        where = {"start": self._position(start), "end": self._position(end)}
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = start + len(text)
        self.version += 1
        document = {"uri": self.uri, "version": self.version}
        change = {"range": where, "text": text}
        return message("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def _position(self, index: int) -> dict[str, int]:
        before = self.text[:index]
        return {"line": before.count("\n"), "character": index - before.rfind("\n") - 1}

    @property
    def place(self) -> dict[str, int]:
        """Where the cursor is."""
        return self._position(self.cursor)


class _Answers:
    """Reads all answers; the last suggestion may be taken."""

    def __init__(self, client: Process) -> None:
        self._client = client
        self.open: set[int] = set()
        self.suggestion = ""
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while True:
            try:
                answer: Any = await self._client.answer()
            except TimeoutError:
                continue
            self.open.discard(answer["id"])
            items = (answer.get("result") or {}).get("items") or []
            self.suggestion = items[0]["insertText"] if items else ""


async def measure(keys: int) -> list[Row]:
    """Type, and return what grew."""
    rng = random.Random(11)
    sources = sorted(Path(os.__file__).parent.glob("*.py"))
    with ScriptedTabbyAPI() as model, tempfile.TemporaryDirectory() as home:
        folders = [Path(home) / f"project{number}" for number in range(_FOLDERS)]
        documents = []
        for number, source in enumerate(rng.sample(sources, _DOCUMENTS)):
            folder = folders[number % _FOLDERS]
            folder.mkdir(exist_ok=True)
            text = source.read_text("utf-8", "replace")[:40_000]
            (folder / source.name).write_text(text, "utf-8")
            documents.append(_Document((folder / source.name).as_uri(), text))
        environment = {"TABBY_LS_BACKEND_URL": model.url, "HOME": home, "TABBY_LS_DEBOUNCE_MS": "5"}
        environment |= {f"XDG_{name}_HOME": f"{home}/{name.lower()}" for name in ("CACHE", "STATE", "CONFIG")}
        environment |= {
            "TABBY_LS_BACKEND_PROGRESS_TIMEOUT": "0.5",
            "TABBY_LS_BACKEND_FIRST_TOKEN_TIMEOUT": "0.5",
        }
        async with running((sys.executable, "-m", "tabby_ls"), **environment) as client:
            await client.initialize(
                processId=os.getpid(),
                workspaceFolders=[{"uri": folder.as_uri(), "name": folder.name} for folder in folders],
            )
            await client.send(message("initialized", {}))
            for document in documents:
                await client.send(opened(document.uri, document.text))
            answers = _Answers(client)
            warm = None
            began = time.monotonic()
            for number in range(keys):
                if number % _FLAPS == 0:
                    _flap(model, rng)
                if number % _STAYS == 0:
                    document = await _elsewhere(client, documents, rng)
                if number == int(keys * _WARM):
                    warm = await _at_rest(client, answers, model)
                await _press(client, document, answers, number, rng)
            spent = time.monotonic() - began
            assert warm is not None
            end = await _at_rest(client, answers, model)
            answers.reading.cancel()
            return [
                Row("keys pressed", keys, ""),
                Row("seconds they took", spent, "s"),
                Row("backend requests", len(model.completions), ""),
                Row("requests without an answer", len(answers.open), "", at_most=0),
                Row("resident memory at the end", end[0], "MB", warm[0], "after a quarter", 1.10),
                # The pool of threads grows as it is needed, up to six on two cores.
                Row("threads more than after a quarter", end[1] - warm[1], "", at_most=2),
                Row("descriptors more than after a quarter", end[2] - warm[2], "", at_most=2),
                Row("streams still open at the backend", model.open_streams, "", at_most=0),
            ]


def _flap(model: ScriptedTabbyAPI, rng: random.Random) -> None:
    match rng.randrange(6):
        case 0:
            model.fail(500, "Internal Server Error")
        case 1:
            model.reply("value = compute(", ending="cut", after=2)
        case 2:
            model.reply("value = compute(", ending="hang", after=2)
        case 3:
            model.send(b"HTTP/1.1 200 OK\r\n\r\nwhat?")
        case _:
            model.reply(f"value_{rng.randrange(50)} = compute(first)\n", delay_before_first=0.002)


async def _elsewhere(client: Process, documents: list[_Document], rng: random.Random) -> _Document:
    """Go to another document, closing and opening it again now and then."""
    document = rng.choice(documents)
    if rng.random() < 0.1:
        await client.send(message("textDocument/didClose", {"textDocument": {"uri": document.uri}}))
        document.version = 1
        document.text = document.text[:40_000]
        await client.send(opened(document.uri, document.text))
    document.cursor = document.text.find("\n", rng.randrange(len(document.text)))
    return document


async def _press(
    client: Process, document: _Document, answers: _Answers, number: int, rng: random.Random
) -> None:
    if answers.suggestion and rng.random() < 0.02:
        edit = document.edit(document.cursor, document.cursor, answers.suggestion)
    elif rng.random() < 0.1 and document.cursor:
        edit = document.edit(document.cursor - 1, document.cursor, "")
    else:
        edit = document.edit(document.cursor, document.cursor, rng.choice("abcdefghij (=.\n"))
    if len(document.text) > 60_000:  # nobody types forever in one file
        edit += document.edit(40_000, len(document.text), "")
    place = document.place
    ask = inline(document.uri, place["line"], place["character"], invoked=rng.random() < 0.02)
    ident = 10_000 + number
    answers.open.add(ident)
    await client.send(edit + message("textDocument/inlineCompletion", ask, ident))
    if rng.random() < 0.1:
        await client.send(message("$/cancelRequest", {"id": ident}))
    await asyncio.sleep(0.03 if rng.random() < 0.08 else 0.004 * rng.random())


async def _at_rest(client: Process, answers: _Answers, model: ScriptedTabbyAPI) -> tuple[float, int, int]:
    """Let everything come to an end; return memory in MB, threads and descriptors."""
    model.reply("")
    deadline = time.monotonic() + 30
    while (answers.open or model.open_streams) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    await asyncio.sleep(6)  # idle connections are closed after five seconds
    threads = len(list(Path(f"/proc/{client.usage.pid}/task").iterdir()))
    return client.usage.resident_mb, threads, client.usage.descriptors


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description="Two hours of typing, compressed.")
    parser.add_argument("--keys", type=int, default=_KEYS)
    rows = asyncio.run(measure(parser.parse_args().keys))
    print_table(rows)
    sys.exit(any(row.is_met is False for row in rows))


if __name__ == "__main__":
    main()
