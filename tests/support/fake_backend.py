"""A backend in the same process: it writes what a script says, waits where it says so, and keeps a record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from attrs import Factory, define

from tabby_ls.backends.backend import BackendError, Infill, ModelInfo, Snippet, Trouble

#: A piece of text, something to wait for, or the failure that ends it.
Step = str | asyncio.Event | Exception
#: The failure of a backend that is away.
DOWN = BackendError(Trouble.UNREACHABLE, "the server cannot be reached; is it running?")


@define(eq=False)
class FakeStream:
    """One stream: what was asked, and how far it came."""

    infill: Infill
    steps: Sequence[Step]
    cut_short: bool = False
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    written: list[str] = Factory(list)
    has_finished: bool = False
    is_closed: bool = False

    async def __aiter__(self) -> AsyncIterator[str]:
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, asyncio.Event):
                await step.wait()
            else:
                self.written.append(step)
                yield step
        self.has_finished = True


class FakeBackend:
    """Answers the n-th request with the n-th script, and all further ones with the last."""

    kind = "fake"
    label = "Fake"
    is_chat = False
    takes_tokens_as_text = False
    takes_snippets = False
    reads_ahead = False
    max_in_flight = 2

    def __init__(
        self,
        *scripts: Sequence[Step],
        headers: asyncio.Event | None = None,
        closing: asyncio.Event | None = None,
        cut_short: bool = False,
        model: ModelInfo | None = None,
        is_instant: bool = False,
        fills_in: bool = False,
    ) -> None:
        """Without a `model` it renders prompts itself. `headers` is waited for before a stream opens,
        `closing` before it has closed."""
        self.scripts = scripts
        self.headers = headers
        self.closing = closing
        self.cut_short = cut_short
        self.served = model or ModelInfo()
        self.renders_prompts = model is None
        self.is_instant = is_instant
        self.can_fill_in = fills_in
        #: Raised instead of telling what it serves.
        self.trouble: BackendError | None = None
        self.warmed: list[tuple[Snippet, ...]] = []
        self.streams: list[FakeStream] = []
        self.models_asked = 0

    @property
    def open_streams(self) -> int:
        """How many connections are open."""
        return sum(not stream.is_closed for stream in self.streams)

    async def model(self) -> ModelInfo:
        self.models_asked += 1
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        return self.served

    async def fills_in(self, family: str | None, *, has_template: bool) -> bool:
        return self.can_fill_in

    async def warm(self, snippets: tuple[Snippet, ...]) -> None:
        self.warmed.append(snippets)

    @asynccontextmanager
    async def stream(self, infill: Infill) -> AsyncIterator[FakeStream]:
        script = self.scripts[min(len(self.streams), len(self.scripts) - 1)]
        stream = FakeStream(infill, script, self.cut_short)
        self.streams.append(stream)
        try:
            if self.headers is not None:
                await self.headers.wait()
            yield stream
        finally:
            if self.closing is not None:
                await self.closing.wait()
            stream.is_closed = True

    async def count_tokens(self, text: str) -> int | None:
        return None

    async def close(self) -> None:
        assert self.open_streams == 0
