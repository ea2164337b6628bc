"""Part of `typing.py`: a model that knows the file being typed, and is wrong about as often as real ones are.

It writes what the file says next, token by token, at a given speed. Some tokens it gets wrong, always the same ones:
what is typed past them is no surprise to it any more, as with a real model.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from attrs import Factory, define, frozen

from tests.bench.tabby_agent import MAX_TOKENS, STOP_WORDS, TabbyCompletion, TabbyServer
from tests.support.raw_http import WatchedReader
from tests.support.scripted_model import Generation, Plan
from tests.support.tabbyapi import Request, ScriptedTabbyAPI

_TOKENS = re.compile(r"[ \t]*\w+|\n[ \t]*|[ \t]*[^\w\s]|\s+")
#: Characters before the cursor by which a place in the file is known.
_KNOWN_BY = 120
#: Tokens written where the prompt is nowhere in the file: something was mistyped.
_LOST_TOKENS = 12


@frozen
class Text:
    """A file of which `start` to `end` is typed."""

    name: str
    whole: str
    start: int
    end: int


class Model:
    """Writes what follows in a text, with mistakes."""

    def __init__(self, text: Text, accuracy: float, seed: int) -> None:
        """`accuracy` is how probably a token is right, given that all before it are."""
        self._text = text.whole[: text.end]
        found = list(_TOKENS.finditer(self._text, text.start))
        rng = random.Random(f"{seed} {text.name}")
        words = sorted({token[0] for token in found if token[0].strip()})
        #: Where a wrong token is written, and which.
        self._mistakes = {
            token.start(): rng.choice(words)
            for token in found
            if rng.random() > accuracy and token[0].strip()
        }
        self._words = words
        #: Where the cursor is: the nearest of several places that read the same is meant.
        self.cursor = text.start

    def place(self, prefix: str) -> int | None:
        """Return how far into the file `prefix` reaches, None if it reads differently."""
        tail = re.escape(prefix[-_KNOWN_BY:])
        places = [found.end(1) for found in re.finditer(f"(?={tail})({tail})", self._text)]
        return min(places, key=lambda place: abs(place - self.cursor), default=None)

    def write(self, place: int | None) -> Iterator[str]:
        """Yield tokens from a place on."""
        if place is None:
            yield from (f" {word.strip()}" for word in self._words[:_LOST_TOKENS])
            return
        for token in _TOKENS.finditer(self._text, place):
            yield self._mistakes.get(token.start(), token[0])

    def is_right_at(self, place: int) -> bool:
        """Return whether it would write the rest of the line, or the next line at the end of one, as it is."""
        written = ""
        for token in self.write(place):
            written += token
            if "\n" in written.lstrip():
                break
        return bool(written.strip()) and self._text.startswith(written.rstrip(), place)


@define(eq=False)
class Asked:
    """One generation: where in the file, and what was written. `shown` counts its characters that reached the screen."""

    place: int | None
    began: float
    ended: float | None = None
    tokens: list[str] = Factory(list)
    shown: set[int] = Factory(set)

    @property
    def text(self) -> str:
        """All that was written."""
        return "".join(self.tokens)

    def thrown_away(self) -> int:
        """Return how many tokens were written of which nothing was ever shown."""
        count, at = 0, 0
        for token in self.tokens:
            count += self.shown.isdisjoint(range(at, at + len(token)))
            at += len(token)
        return count


class Gpu:
    """The time a model takes: prompts are read one after the other and to the end, whoever hangs up meanwhile.

    That is how TabbyAPI behaves below some thousand tokens. Tokens are then written side by side.
    """

    def __init__(self, first_token: float, tokens_per_second: float) -> None:
        """`first_token` is in seconds."""
        self._first_token = first_token
        self._between = 1 / tokens_per_second
        self._reading = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def read_prompt(self) -> None:
        """Wait until the prompt was read."""
        task = asyncio.create_task(self._read())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    async def _read(self) -> None:
        async with self._reading:
            await asyncio.sleep(self._first_token)

    async def write_token(self) -> None:
        """Wait as long as one token takes."""
        await asyncio.sleep(self._between)


class Deployment:
    """A model on a GPU, and an account of all that it was asked."""

    def __init__(self, first_token: float, tokens_per_second: float) -> None:
        self._gpu = Gpu(first_token, tokens_per_second)
        self.model: Model
        self.asked: list[Asked] = []

    async def written(self, prefix: str, body: dict[str, Any]) -> AsyncIterator[str]:
        """Yield what the model writes after `prefix`; `body` are the limits, as in a request for completions."""
        asked = Asked(self.model.place(prefix), time.monotonic())
        self.asked.append(asked)
        try:
            await self._gpu.read_prompt()
            plan = Plan(lambda _: self.model.write(asked.place))
            for piece in Generation(plan, {**body, "prompt": prefix}):
                await self._gpu.write_token()
                asked.tokens.append(piece)
                yield piece
        finally:
            asked.ended = time.monotonic()


class TypedTabbyAPI(ScriptedTabbyAPI):
    """TabbyAPI serving that model."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__()
        self._deployment = deployment

    async def generate(self, request: Request, generation: Generation) -> AsyncIterator[str]:
        prefix = generation.prompt.rpartition("<|fim_prefix|>")[2].partition("<|fim_suffix|>")[0]
        async for piece in self._deployment.written(prefix, request.body):
            yield piece


class TypedTabbyServer(TabbyServer):
    """The server that tabby-agent talks to, serving that model: one JSON answer, cut at stop words."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(lambda prefix, suffix: "")
        self._deployment = deployment

    async def _generate(self, asked: TabbyCompletion, reader: WatchedReader) -> str | None:
        if not hasattr(self._deployment, "model"):
            return self.answer(asked.prefix, asked.suffix)
        writing = asyncio.create_task(self._write(asked.prefix))
        closed = asyncio.create_task(reader.closed.wait())
        await asyncio.wait({writing, closed}, return_when=asyncio.FIRST_COMPLETED)
        closed.cancel()
        if writing.done():
            return writing.result()
        writing.cancel()
        await asyncio.wait({writing})
        return None

    async def _write(self, prefix: str) -> str:
        text = ""
        stream = self._deployment.written(prefix, {"max_tokens": MAX_TOKENS + 1})
        async with aclosing(stream):
            async for piece in stream:
                text += piece
                if stop := STOP_WORDS.search(text):
                    return text[: stop.start()]
        return text


def regions(name: str, whole: str, lines: int, rng: random.Random) -> Text:
    """Return a text with so many lines of it to be typed, from the beginning of one that is not blank."""
    starts = [0, *(end.end() for end in re.finditer("\n", whole))]
    first = rng.randrange(len(starts) // 4, max(len(starts) // 4 + 1, len(starts) - lines - 1))
    while first < len(starts) - lines - 1 and not whole[starts[first] : starts[first + 1]].strip():
        first += 1
    return Text(name, whole, starts[first], starts[first + lines] - 1)


def mark_shown(asked: Sequence[Asked], place: int, text: str, truth: str) -> None:
    """Give credit for `text`, shown at `place`, to the first generation that wrote it there."""
    for one in asked:
        written = one.text
        at = 0 if one.place is None else place - one.place
        if at < 0 or (one.place is not None and written[:at] != truth[one.place : place]):
            continue
        if written[at:].startswith(text.rstrip()):
            one.shown.update(range(at, at + len(text)))
            return
