"""The running generation of a document: one stream from a backend that several requests may wait for.

Requests join it. It goes on while what the user types agrees with it, and ends, closing its connection, as soon as
the user types something else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from typing import Any

from attrs import Factory, define, field, frozen

from tabby_ls.backends.backend import BackendError
from tabby_ls.engine.anchor import Anchor, region_agrees, rest_of, typed_since, was_typed
from tabby_ls.engine.memory import Answer
from tabby_ls.engine.outcome import Generated
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.target import Target
from tabby_ls.engine.writing import Writing


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


class Purpose(Enum):
    """What a generation is for."""

    AUTOMATIC = auto()
    #: Asked for by key.
    INVOKED = auto()
    #: For the state after a suggestion that is on the screen was accepted.
    PREFETCH = auto()


@define(eq=False)
class Generation:
    """One stream of text for one cursor. `text` is what can be used of it so far."""

    origin: Snapshot
    mode: Mode
    purpose: Purpose
    target: Target
    text: str = ""
    #: The numbers of the lines of `text` with which a suggestion ends, as far as is known.
    stops: tuple[int, ...] = ()
    #: Other texts for the same cursor, and how many of them the request has a use for.
    alternatives: tuple[str, ...] = ()
    alternatives_wanted: int = 0
    ended: bool = False
    error: BackendError | None = None
    #: Seconds of the monotonic clock, None before it happened.
    asked_at: float | None = None
    first_text_at: float | None = None
    #: How many tokens its prompt was, once the server said so.
    prompt_tokens: int | None = None
    writing: Writing = Factory(Writing)
    #: Nobody may wait for it any more: the document went another way.
    abandoned: bool = False
    #: How many edits of the document it has survived, and how many requests have joined it.
    edits: int = 0
    requests: int = 0
    place: Anchor = field(init=False)
    #: What stands at the origin's cursor now, kept from edit to edit; on a blank line, from the line's start.
    _region: str = field(init=False)
    _task: asyncio.Task[None] | None = None
    _waiters: set[asyncio.Future[None]] = Factory(set)

    def __attrs_post_init__(self) -> None:
        self.place = Anchor.of(self.origin)
        self._region = self.place.head

    @property
    def invoked(self) -> bool:
        """True if it was asked for by key."""
        return self.purpose is Purpose.INVOKED

    def start(self, work: Callable[[Generation], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Begin to generate; `work` fills this object in, and returns when the answer ended."""
        self._task = asyncio.create_task(work(self))
        self._task.add_done_callback(lambda _: self._settle())
        return self._task

    def take(self, text: str, stops: tuple[int, ...]) -> bool:
        """Take in what has arrived; return True if another suggestion is complete with it."""
        has_line = text.count("\n") > self.text.count("\n")
        has_suggestion = len(stops) > len(self.stops)
        self.text, self.stops = text, stops
        if has_line or has_suggestion:
            self._wake()
        return has_suggestion

    def _settle(self) -> None:
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def report(self, now: float) -> Generated | None:
        """Return what the backend has done for it until `now`, a time as `asked_at`; None before it was asked."""
        if self.asked_at is None:
            return None
        return Generated(
            backend=self.target.backend.kind,
            model=self.target.model.id or "",
            language=self.origin.language,
            max_tokens=self.writing.max_tokens,
            characters=self.writing.characters,
            pieces=self.writing.pieces,
            tokens=self.writing.tokens,
            first_text=None if self.first_text_at is None else self.first_text_at - self.asked_at,
            seconds=now - self.asked_at,
            failed=self.error is not None,
            rule=self.writing.rule,
        )

    def waiter(self) -> asyncio.Future[None]:
        """Return a future that is done once there may be more to offer. Hand it back with :meth:`leave`."""
        waiter = asyncio.get_running_loop().create_future()
        if self.ended:
            waiter.set_result(None)
        self._waiters.add(waiter)
        return waiter

    def leave(self, waiter: asyncio.Future[None]) -> None:
        """Take a future back that nobody waits on any more."""
        self._waiters.discard(waiter)

    @property
    def is_awaited(self) -> bool:
        """True if a request waits for it."""
        return bool(self._waiters)

    def abandon(self) -> None:
        """End it and close its connection; whoever waits is told at once."""
        self.abandoned = True
        # Once only: a second cancel would interrupt the closing of the connection.
        if self._task is not None and not self._task.cancelling():
            self._task.cancel()
        self._settle()

    @property
    def answer(self) -> Answer | None:
        """What is complete of it, None if nothing is yet."""
        if self.ended:
            return Answer(self.text, self.stops or (self.text.count("\n"),))
        if not self.stops:
            return None
        lines = self.text.split("\n")
        return Answer("\n".join(lines[: self.stops[-1] + 1]), self.stops)

    def rest_for(self, now: Snapshot) -> str | None:
        """Return what it has for a later state of the document, None if that state contradicts it."""
        typed = typed_since(self.place, now)
        return None if typed is None else rest_of(self.text, typed, self.place, finished=self.ended)

    def suggestion_for(self, now: Snapshot) -> str | None:
        """Return the suggestion that is complete for a state of the document, None if none is."""
        typed, rest = typed_since(self.place, now), self.rest_for(now)
        if typed is None or rest is None or self.answer is None:
            return None
        return self.answer.next_piece(rest, typed, self.place)

    def leads_to(self, now: Snapshot) -> bool:
        """Return whether the document is in the state `now`, and that agrees with what is generated.

        What stands between the two cursors must have been typed: moving down over text that was there is not
        typing, even where it reads the same.
        """
        typed = typed_since(self.place, now)
        return typed is not None and was_typed(typed, self._region) and self.agrees()

    def resumes_at(self, now: Snapshot) -> bool:
        """Return whether it leads to the state `now`, of whose edits it was not told; from here on it is."""
        typed = typed_since(self.place, now)
        if typed is None or rest_of(self.text, typed, self.place, finished=self.ended) is None:
            return False
        self._region = typed
        return True

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
            before = self.place.fixed[start:]
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
        return region_agrees(self._region, self.text, self.place, finished=self.ended)

    def _offset(self, line: int, column: int) -> int | None:
        """Return a document position as an index into the region, None if it is on none of its lines.

        On the first line it may be negative, on the last one beyond the region's end.
        """
        lines = self._region.split("\n")
        row = line - self.origin.line
        if not 0 <= row < len(lines):
            return None
        if row == 0:
            column -= len(self.place.fixed)
        return sum(len(text) + 1 for text in lines[:row]) + column
