"""Sessions at random: whatever is edited, asked, taken back and broken, the server has the documents the editor has.

What the server has is read off the prompts it sends. A notebook is a document of several parts.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from lsprotocol import types

from tabby_ls.engine.shaping.tidy import with_lf
from tests.support.buffer import Buffer
from tests.support.client import Ask
from tests.support.editor import Editor
from tests.support.profiles import GHOST_TEXT, with_encoding
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

_TEXT = st.lists(
    st.sampled_from(
        ["a", "bc ", "é", "世", "😀", "\n", "\r", "\r\n", "\t", "\f", "\u2028", "(", "}", "    "]
    ),
    max_size=12,
).map("".join)
_PLACES = st.floats(0, 1)
_NOTEBOOK = "file:///home/user/notebook.ipynb"


class Sessions(RuleBasedStateMachine):
    """Documents and notebook cells, edited and asked about."""

    # Set by the test: one process and one backend for all sessions.
    runner: asyncio.Runner
    editor: Editor
    backend: ScriptedTabbyAPI

    def __init__(self) -> None:
        super().__init__()
        self.documents: list[Buffer] = []
        self.cells: list[Buffer] = []
        self.asks: list[Ask] = []
        self.marks = 0
        self.notebook_version = 1

    # --- documents ---

    @initialize(text=_TEXT)
    def open_first(self, text: str) -> None:
        self.open(text)

    @rule(text=_TEXT)
    def open(self, text: str) -> None:
        async def work() -> None:
            self.documents.append(self.editor.open(f"{text}§", cursor="§"))

        self.runner.run(work())

    @precondition(lambda self: len(self.documents) > 1)
    @rule(which=_PLACES)
    def close(self, which: float) -> None:
        async def work() -> None:
            self.editor.switch(self.documents.pop(_pick(which, len(self.documents))))
            self.editor.close()

        self.runner.run(work())

    @rule(which=_PLACES, changes=st.lists(st.tuples(_PLACES, _PLACES, _TEXT), min_size=1, max_size=4))
    def change(self, which: float, changes: list[tuple[float, float, str]]) -> None:
        """Several changes in one notification: each is about the text as the one before left it."""

        async def work() -> None:
            buffer = self.documents[_pick(which, len(self.documents))]
            content = [_change(buffer, *change) for change in changes]
            buffer.version += 1
            self.editor.client.text_document_did_change(
                types.DidChangeTextDocumentParams(
                    types.VersionedTextDocumentIdentifier(buffer.version, buffer.uri), content
                )
            )

        self.runner.run(work())

    @rule(which=_PLACES, text=_TEXT)
    def replace(self, which: float, text: str) -> None:
        async def work() -> None:
            buffer = self.documents[_pick(which, len(self.documents))]
            buffer.text, buffer.cursor, buffer.version = text, 0, buffer.version + 1
            self.editor.client.text_document_did_change(
                types.DidChangeTextDocumentParams(
                    types.VersionedTextDocumentIdentifier(buffer.version, buffer.uri),
                    [types.TextDocumentContentChangeWholeDocument(text)],
                )
            )

        self.runner.run(work())

    # --- a notebook ---

    @precondition(lambda self: not self.cells)
    @rule(texts=st.lists(_TEXT, min_size=1, max_size=3))
    def open_notebook(self, texts: list[str]) -> None:
        async def work() -> None:
            encoding = str(self.editor.capabilities.position_encoding)
            self.cells = [
                Buffer(f"cell:{id(self)}-{number}", "python", text, 0, encoding)
                for number, text in enumerate(texts)
            ]
            self.editor.client.notebook_document_did_open(
                types.DidOpenNotebookDocumentParams(
                    types.NotebookDocument(
                        _NOTEBOOK,
                        "jupyter-notebook",
                        1,
                        [types.NotebookCell(types.NotebookCellKind.Code, cell.uri) for cell in self.cells],
                    ),
                    [types.TextDocumentItem(cell.uri, "python", 1, cell.text) for cell in self.cells],
                )
            )

        self.runner.run(work())

    @precondition(lambda self: self.cells)
    @rule(which=_PLACES, start=_PLACES, end=_PLACES, text=_TEXT)
    def change_cell(self, which: float, start: float, end: float, text: str) -> None:
        async def work() -> None:
            cell = self.cells[_pick(which, len(self.cells))]
            change = _change(cell, start, end, text)
            cell.version += 1
            self._tell_cell(cell, change)

        self.runner.run(work())

    # --- requests ---

    @rule(which=_PLACES, place=_PLACES, invoked=st.booleans(), menu=st.booleans(), cancels=st.booleans())
    def ask_and_go_on(self, which: float, place: float, invoked: bool, menu: bool, cancels: bool) -> None:
        async def work() -> None:
            buffer = self.documents[_pick(which, len(self.documents))]
            buffer.cursor = _pick(place, len(buffer.text) + 1)
            buffer.cursor = _between_line_ends(buffer.text, buffer.cursor)
            self.editor.switch(buffer)
            self.asks.append(self.editor.ask_menu() if menu else self.editor.ask_ghost(invoked=invoked))
            if cancels:
                self.editor.cancel(self.asks[-1])

        self.runner.run(work())

    @rule(how=st.sampled_from(["well", "500", "error", "cut", "garbage", "slowly", "nothing"]))
    def backend_behaves(self, how: str) -> None:
        backend = self.backend
        match how:
            case "well":
                backend.reply("total = (1)\nnext\n")
            case "500":
                backend.fail(500, "no")
            case "error" | "cut" as ending:
                backend.reply("abc def", ending=ending, after=1)
            case "garbage":
                backend.send(b"HTTP/1.1 200 OK\r\n\r\nwhat?")
            case "slowly":
                backend.reply("a b c d\n", delay_before_first=0.02, delay_between=0.01)
            case _:
                backend.reply("")

    @rule(which=_PLACES, place=_PLACES, cell=st.booleans())
    def look(self, which: float, place: float, cell: bool) -> None:
        """Write something that was never there before, and see what the server makes of the document."""

        async def work() -> None:
            cells = cell and self.cells
            buffers = self.cells if cells else self.documents
            number = _pick(which, len(buffers))
            buffer = buffers[number]
            self.marks += 1
            mark = f"mark{id(self)}x{self.marks} "
            index = _between_line_ends(buffer.text, _pick(place, len(buffer.text) + 1))
            where = buffer.position(index)
            change = types.TextDocumentContentChangePartial(range=types.Range(where, where), text=mark)
            buffer.text = buffer.text[:index] + mark + buffer.text[index:]
            buffer.cursor = index + len(mark)
            buffer.version += 1
            if cells:
                self._tell_cell(buffer, change)
            else:
                self.editor.client.text_document_did_change(
                    types.DidChangeTextDocumentParams(
                        types.VersionedTextDocumentIdentifier(buffer.version, buffer.uri), [change]
                    )
                )
            self.editor.switch(buffer)
            asked = len(self.backend.completions)
            prompts: list[str] = []
            # A generation from before may be joined, and fail: it is asked again.
            while not any(mark in prompt.rpartition("<|fim_prefix|>")[2] for prompt in prompts):
                await self.editor.ask_ghost(invoked=True)
                prompts = [one.body["prompt"] for one in self.backend.completions[asked:]]
            before, after = buffer.text[: buffer.cursor], buffer.text[buffer.cursor :]
            if cells:
                before = "".join(_as_a_file(c.text) for c in self.cells[:number]) + before
                rest = "".join(_as_a_file(c.text) for c in self.cells[number + 1 :])
                after = f"{after}\n{rest}" if rest else after
            expected = f"<|fim_prefix|>{with_lf(before)}<|fim_suffix|>{with_lf(after)}"
            if cells:  # how many blank lines are between two cells is nobody's truth
                expected, *prompts = (_without_blank_lines(text) for text in (expected, *prompts))
            assert any(expected.rstrip() in prompt for prompt in prompts), (expected, prompts)

        self.runner.run(work())

    def _tell_cell(self, cell: Buffer, change: types.TextDocumentContentChangePartial) -> None:
        self.notebook_version += 1
        content = types.NotebookDocumentCellContentChanges(
            types.VersionedTextDocumentIdentifier(cell.version, cell.uri), [change]
        )
        self.editor.client.notebook_document_did_change(
            types.DidChangeNotebookDocumentParams(
                types.VersionedNotebookDocumentIdentifier(self.notebook_version, _NOTEBOOK),
                types.NotebookDocumentChangeEvent(
                    cells=types.NotebookDocumentCellChanges(text_content=[content])
                ),
            )
        )

    def teardown(self) -> None:
        async def work() -> None:
            for ask in self.asks:
                await asyncio.wait([ask.answer], timeout=20)
                assert ask.answered, "every request is answered"
            if self.cells:
                self.editor.client.notebook_document_did_close(
                    types.DidCloseNotebookDocumentParams(
                        types.NotebookDocumentIdentifier(_NOTEBOOK),
                        [types.TextDocumentIdentifier(cell.uri) for cell in self.cells],
                    )
                )
            self.editor.close_all()
            self.backend.reply("")
            await eventually(lambda: self.backend.open_streams == 0)
            self.backend.requests.clear()

        self.runner.run(work())


def _pick(share: float, count: int) -> int:
    return min(count - 1, int(share * count))


def _between_line_ends(text: str, index: int) -> int:
    """The index, or the one before it where that is inside CRLF: no editor's cursor can be there."""
    return index - 1 if text[index - 1 : index + 1] == "\r\n" else index


def _without_blank_lines(text: str) -> str:
    return re.sub(r"\n+", "\n", text)


def _as_a_file(cell: str) -> str:
    return cell if not cell or cell.endswith(("\n", "\r")) else f"{cell}\n"


def _change(buffer: Buffer, start: float, end: float, text: str) -> types.TextDocumentContentChangePartial:
    """Make a change in the buffer and return it as the client tells it."""
    first, last = sorted(_pick(share, len(buffer.text) + 1) for share in (start, end))
    first, last = (_between_line_ends(buffer.text, index) for index in (first, last))
    where = types.Range(buffer.position(first), buffer.position(last))
    buffer.text = buffer.text[:first] + text + buffer.text[last:]
    buffer.cursor = first
    return types.TextDocumentContentChangePartial(range=where, text=text)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_the_server_has_what_the_editor_has(encoding: str, runner: asyncio.Runner) -> None:
    timeouts: Any = {"backend": {"first_token_timeout": 1.0, "progress_timeout": 1.0}}
    with ScriptedTabbyAPI() as backend, tempfile.TemporaryDirectory() as home:
        profile = with_encoding(GHOST_TEXT, encoding)
        editor = Editor(Path(home), profile, backend=backend.url, settings=timeouts)
        runner.run(_enter(editor))
        machine = type("Sessions", (Sessions,), {"runner": runner, "editor": editor, "backend": backend})
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=60,
                    stateful_step_count=40,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except BaseException:
            runner.run(_leave(editor, failed=True))
            raise
        runner.run(_leave(editor, failed=False))


async def _enter(editor: Editor) -> None:
    await editor.__aenter__()


async def _leave(editor: Editor, *, failed: bool) -> None:
    error = RuntimeError("the session failed") if failed else None
    await editor.__aexit__(type(error) if error else None, error, None)
