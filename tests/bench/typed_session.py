"""Part of `typing.py`: somebody types in an editor that asks a language server at every key, and takes what is right.

The editor does what editors with ghost text do: it asks at each key, cancels the question before, keeps what is on the
screen while the user types along it, and takes it away where the user types something else.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

from attrs import Factory, define, field, frozen

from tests.bench.typed_model import Model, Text
from tests.support.rpc import RpcClient, message

Method = Literal["textDocument/inlineCompletion", "textDocument/completion"]

#: Seconds. Between two keys the median of a practised typist and its spread; before a mistake is noticed; before a
#: suggestion on the screen is read and taken; the shortest rest that counts as a pause.
_KEY, _SPREAD, _NOTICES, _READS = 0.13, 0.35, 0.3, 0.45
PAUSE = 0.6
#: How often a key is mistyped, a pause is made at the beginning of a line and within one, and a right suggestion taken.
_MISTYPES, _RESTS_AT_LINE, _RESTS_IN_LINE, _TAKES = 0.02, 0.5, 0.04, 0.7


@frozen
class Key:
    """One thing the user does, so many seconds after the one before."""

    after: float
    #: A character, "\b" for backspace.
    press: str
    #: Whether the text before the cursor is right once it is done.
    is_right: bool = True


class Hand:
    """One user's rhythm. The same place in a text brings the same keys, whatever was taken before."""

    def __init__(self, text: Text, seed: int) -> None:
        self._text, self._seed = text, seed

    def at(self, place: int) -> random.Random:
        """Return the chances of one place."""
        return random.Random(f"{self._seed} {self._text.name} {place}")

    def rest(self, place: int) -> float:
        """Return the seconds that pass before anything is typed at a place."""
        rng, whole = self.at(place), self._text.whole
        seconds = rng.lognormvariate(0, _SPREAD) * _KEY
        if whole[place - 1] == "\n" or not whole[whole.rfind("\n", 0, place) : place].strip():
            rests = rng.random() < _RESTS_AT_LINE
        else:
            rests = not whole[place - 1].isalnum() and rng.random() < _RESTS_IN_LINE
        return rng.uniform(PAUSE, 2.0) if rests else seconds

    def keys(self, place: int) -> Iterator[Key]:
        """Yield what is pressed to write the character at a place."""
        rng = self.at(place + 1_000_000)
        right, after = self._text.whole[place], self.rest(place)
        if right == "\n":  # the editor indents
            right = self._text.whole[place : _indented(self._text.whole, place)]
        if right.isalpha() and rng.random() < _MISTYPES:
            yield Key(after, rng.choice("etaoinsr"), is_right=False)
            yield Key(_NOTICES, "\b")
            after = _KEY
        yield Key(after, right)

    def takes(self, place: int) -> bool:
        """Return whether a right suggestion at a place would be taken."""
        return self.at(place + 2_000_000).random() < _TAKES


def _indented(whole: str, place: int) -> int:
    """Return where the text of the next line begins; for a blank one its end."""
    end = place + 1
    while whole[end : end + 1] in (" ", "\t"):
        end += 1
    return end


@define
class Counts:
    """What was seen."""

    keys: int = 0
    #: Keys pressed while right ghost text was on the screen, of those before which it could have been.
    with_ghost: int = 0
    taken: int = 0
    taken_characters: int = 0
    wrong: int = 0
    #: Seconds from the last key to right text on the screen, for each pause; None where it did not come.
    to_text: list[float | None] = Factory(list)
    #: Seconds in which a question was answered with text although no generation ran.
    from_memory: list[float] = Factory(list)


class Server:
    """A language server whose answers come in any order."""

    def __init__(self, client: RpcClient) -> None:
        """`client` has said `initialize`; it is nobody else's from now on."""
        self._client = client
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._last = 1_000
        self._reading = asyncio.create_task(self._read())

    async def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        await self._client.send(message(method, params))

    async def request(self, method: str, params: Any) -> tuple[int, asyncio.Future[Any]]:
        """Send a request; the future gives its result, None for an error."""
        self._last += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[self._last] = answer
        await self._client.send(message(method, params, self._last))
        return self._last, answer

    async def _read(self) -> None:
        while True:
            try:
                received = await self._client.answer()
            except TimeoutError:
                continue
            if "method" not in received and (answer := self._answers.pop(received["id"], None)):
                answer.set_result(received.get("result"))

    async def stop(self) -> None:
        """Read no more."""
        self._reading.cancel()
        await asyncio.wait({self._reading})


@define(eq=False)
class Session:
    """One text typed. `generations` tells how many generations began and how many of them run."""

    server: Server
    method: Method
    text: Text
    model: Model
    hand: Hand
    generations: Callable[[], tuple[int, int]]
    shows: Callable[[int, str], None]
    counts: Counts = Factory(Counts)
    before: str = field(init=False)
    ghost: str = ""
    version: int = 1
    _last_key: float = 0.0
    _shown_at: float | None = None
    _pending: tuple[int, asyncio.Future[Any]] | None = None
    _waiting: set[asyncio.Task[None]] = Factory(set)

    def __attrs_post_init__(self) -> None:
        self.before = self.text.whole[: self.text.start]

    @property
    def uri(self) -> str:
        return f"file:///project/{self.text.name}"

    @property
    def _is_right(self) -> bool:
        """Whether the first line on the screen is right: it can be taken."""
        return bool(self._right_part.strip())

    @property
    def _right_part(self) -> str:
        """What can be taken of what is on the screen: all of it, its first line, or nothing."""
        place, (first, _, rest) = len(self.before), self.ghost.rstrip().partition("\n")
        if not first.strip() and rest:  # it begins on the next line
            first = f"{first}\n{rest.partition(chr(10))[0]}"
        parts = (self.ghost.rstrip(), first)
        return next((part for part in parts if self.text.whole.startswith(part, place)), "")

    async def type_all(self, keys: int) -> None:
        """Open the file, and type until so many keys were pressed or the text is written."""
        after = self.text.whole[self.text.end :]
        document = {
            "uri": self.uri,
            "languageId": "python",
            "version": self.version,
            "text": self.before + after,
        }
        await self.server.notify("textDocument/didOpen", {"textDocument": document})
        await asyncio.sleep(0.3)
        while (place := len(self.before)) < self.text.end and self.counts.keys < keys:
            await self._character(place)
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=5)
        await self.server.notify("textDocument/didClose", {"textDocument": {"uri": self.uri}})

    async def _character(self, place: int) -> None:
        for key in self.hand.keys(place):
            if key.is_right and key.press != "\b" and await self._rest(place, key.after):
                return
            if not key.is_right or key.press == "\b":
                await self._until(key.after)
            await self._press(key)

    async def _rest(self, place: int, seconds: float) -> bool:
        """Wait before a key; return True if a suggestion was taken instead of typing on."""
        pauses = seconds >= PAUSE and self.model.is_right_at(place)
        if seconds >= PAUSE and self.hand.takes(place):
            end = self._last_key + seconds
            while time.monotonic() < end:
                await asyncio.sleep(0.01)
                if self._is_right and len(self._right_part.strip()) > 3 and self._shown_for() >= _READS:
                    self._note_pause(pauses)
                    await self._take()
                    return True
        await self._until(seconds)
        self._note_pause(pauses)
        return False

    def _shown_for(self) -> float:
        return time.monotonic() - max(self._last_key, self._shown_at or 0)

    def _note_pause(self, pauses: bool) -> None:
        if pauses:
            appeared = max(0.0, (self._shown_at or 0.0) - self._last_key) if self._is_right else None
            self.counts.to_text.append(appeared)

    async def _until(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, self._last_key + seconds - time.monotonic()))

    async def _press(self, key: Key) -> None:
        self.counts.keys += 1
        if self.model.is_right_at(len(self.before)):
            self.counts.with_ghost += self._is_right
        if key.press == "\b":
            await self._edit(1, "")
            self._show("")
        else:
            await self._edit(0, key.press)
            if self.ghost.startswith(key.press):
                self.ghost = self.ghost[1:]  # typed along: it stays where it is
            else:
                self._show("")
        await self._ask()

    async def _take(self) -> None:
        self.counts.taken += 1
        taken = self._right_part
        self.counts.taken_characters += len(taken)
        rest = self.ghost[len(taken) :]
        await self._edit(0, taken)
        self._show(rest)
        await self._ask()

    async def _edit(self, deleted: int, text: str) -> None:
        end = self._position()
        self.before = self.before[: len(self.before) - deleted]
        where = {"start": self._position(), "end": end}
        self.before += text
        self.version += 1
        self.model.cursor = len(self.before)
        self._last_key = time.monotonic()
        await self.server.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self.uri, "version": self.version},
                "contentChanges": [{"range": where, "text": text}],
            },
        )

    def _position(self) -> dict[str, int]:
        return {
            "line": self.before.count("\n"),
            "character": len(self.before) - self.before.rfind("\n") - 1,
        }

    async def _ask(self) -> None:
        if self._pending is not None and not self._pending[1].done():
            await self.server.notify("$/cancelRequest", {"id": self._pending[0]})
        params: dict[str, Any] = {"textDocument": {"uri": self.uri}, "position": self._position()}
        is_menu = self.method == "textDocument/completion"
        params["context"] = {"triggerKind": 1 if is_menu else 2}
        asked = time.monotonic()
        before = self.generations()
        self._pending = await self.server.request(self.method, params)
        task = asyncio.create_task(self._answered(self._pending[1], self.version, asked, before))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _answered(
        self, answer: asyncio.Future[Any], version: int, asked: float, before: tuple[int, int]
    ) -> None:
        result = await answer
        if version != self.version or result is None:
            return
        items = result["items"] if isinstance(result, dict) else result
        text = self._text_of(items[0]) if items else ""
        began, ran = before
        if text.strip() and not ran and self.generations()[0] == began:
            self.counts.from_memory.append(time.monotonic() - asked)
        if text.rstrip() != self.ghost.rstrip():
            self._show(text)

    def _text_of(self, item: dict[str, Any]) -> str:
        """Return what an item would insert at the cursor."""
        edit = item.get("textEdit") or {"range": item.get("range"), "newText": item.get("insertText")}
        text: str = edit["newText"] if isinstance(edit["newText"], str) else edit["newText"]["value"]
        cursor, where = self._position(), edit["range"]
        typed = cursor["character"] - where["start"]["character"] if where else 0
        line = self.before[self.before.rfind("\n") + 1 :]
        return text[typed:] if typed and text.startswith(line[len(line) - typed :]) else text

    def _show(self, text: str) -> None:
        was_right = self._is_right
        self.ghost = text
        if not text.strip():
            self._shown_at = None
            return
        self.shows(len(self.before), text)
        if self._is_right:
            if not was_right or self._shown_at is None:
                self._shown_at = time.monotonic()
        else:
            self._shown_at = None
            self.counts.wrong += 1
