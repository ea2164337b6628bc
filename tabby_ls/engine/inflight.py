"""The running generation of a document: requests join it, it outlives keystrokes that agree with it, and
it ends, closing its connection, as soon as the user typed something else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from attrs import Factory, define, frozen

from tabby_ls.backends.backend import BackendError
from tabby_ls.engine.ahead import agrees, region_agrees, typed_since, was_typed
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.target import Target


@frozen(slots=True)
class Edit:
    """A change of a document: the text from (line, column) to (end line, end column) became `text`.

    Positions count lines and code points from 0, before the edit; `text` has LF line ends.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@define(eq=False)
class Generation:
    """One stream of text for one cursor. `text` is what can be used of it so far."""

    origin: Snapshot
    mode: Mode
    invoked: bool
    target: Target
    text: str = ""
    ended: bool = False
    error: BackendError | None = None
    asked_at: float | None = None
    first_text_at: float | None = None
    #: How many tokens its prompt was, once the server said so.
    prompt_tokens: int | None = None
    #: Nobody may wait for it any more: the document went another way.
    abandoned: bool = False
    #: How many edits of the document it has survived.
    edits: int = 0
    #: What stands at the origin's cursor now, kept from edit to edit.
    _region: str = ""
    _task: asyncio.Task[None] | None = None
    _waiters: set[asyncio.Future[None]] = Factory(set)

    def start(self, work: Callable[[Generation], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Begin to generate; `work` fills this object in, and returns when the answer ended."""
        self._task = asyncio.create_task(work(self))
        self._task.add_done_callback(lambda _: self._settle())
        return self._task

    def _settle(self) -> None:
        self.ended = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def waiter(self) -> asyncio.Future[None]:
        """Return a future that is done once the generation ended. Hand it back with :meth:`leave`."""
        waiter = asyncio.get_running_loop().create_future()
        if self.ended:
            waiter.set_result(None)
        self._waiters.add(waiter)
        return waiter

    def leave(self, waiter: asyncio.Future[None]) -> None:
        """Say that nobody waits on this future any more."""
        self._waiters.discard(waiter)

    @property
    def is_awaited(self) -> bool:
        """Return whether a request waits for it."""
        return bool(self._waiters)

    def abandon(self) -> None:
        """End it and close its connection; whoever waits is told at once."""
        self.abandoned = True
        # Once only: a second cancel would interrupt the closing of the connection.
        if self._task is not None and not self._task.cancelling():
            self._task.cancel()
        self._settle()

    def rest_for(self, now: Snapshot) -> str | None:
        """Return what it has for a later state of the document, None if that state contradicts it."""
        typed = typed_since(self.origin, now)
        if typed is None or not agrees(typed, self.text, finished=self.ended):
            return None
        return self.text[len(typed) :]

    def leads_to(self, now: Snapshot) -> bool:
        """Return whether the document is in the state `now`, and that agrees with what is generated.

        What stands between the two cursors must have been typed: moving down over text that was there is not
        typing, even where it reads the same.
        """
        typed = typed_since(self.origin, now)
        return typed is not None and was_typed(typed, self._region) and self.agrees()

    def survives(self, edit: Edit) -> bool:
        """Take note of an edit; return whether the document still agrees with what is generated.

        An edit may begin before the cursor or end behind what was typed, if it repeats what stands there:
        menus replace the whole word, and accepted suggestions the brackets behind it.
        """
        self.edits += 1
        start, end, text = (
            self._offset(edit.line, edit.column),
            self._offset(edit.end_line, edit.end_column),
            edit.text,
        )
        if start is None or end is None:
            return False
        if start < 0:
            before = self.origin.line_prefix[start:]
            if not text.startswith(before):
                return False
            start, text = 0, text[len(before) :]
        if end > len(self._region):
            after = self.origin.line_suffix[: end - len(self._region)]
            if not text.endswith(after):
                return False
            end, text = len(self._region), text[: len(text) - len(after)]
        if not start <= end:
            return False
        self._region = self._region[:start] + text + self._region[end:]
        return self.agrees()

    def agrees(self) -> bool:
        """Return whether what the user typed since agrees with what was generated so far."""
        return region_agrees(self._region, self.text, finished=self.ended)

    def _offset(self, line: int, column: int) -> int | None:
        """Return a document position as an index into the region, None if it is on none of its lines.

        On the first line it may be negative, on the last one beyond the region's end.
        """
        lines = self._region.split("\n")
        row = line - self.origin.line
        if not 0 <= row < len(lines):
            return None
        if row == 0:
            column -= len(self.origin.line_prefix)
        return sum(len(text) + 1 for text in lines[:row]) + column
