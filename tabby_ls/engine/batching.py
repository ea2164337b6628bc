"""When the pieces of a stream are looked at: of a slow one each, of a fast one several at a time.

To wake for each token, and to look at it, is most of what a fast stream costs. So once the first line of one is there,
the reader sleeps between two reads, and what has come meanwhile is looked at together. It never sleeps between pieces
that have come already: nothing is read slower than it comes.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from attrs import Factory, define

from tabby_ls.engine.inflight import Generation

#: Pieces a second (tokens, mostly) from which on a stream is fast. Below, to look at each costs a few per cent of a core.
_FAST = 250
#: Seconds of sleep between two reads of a fast stream: nobody notices a suggestion that is so much later.
_SLEEP = 0.01
#: Pieces that are looked at before the event loop gets a turn: what has arrived at once is hundreds of them, and the
#: key that contradicts them all must not wait.
_TURN = 16


@define
class _Turns:
    """Whether the event loop had a turn between two pieces. If not, the second had come with the first."""

    _had_one: bool = True

    def had_one(self) -> bool:
        """Return whether there was a turn since this was asked last."""
        had_one, self._had_one = self._had_one, False
        if had_one:
            asyncio.get_running_loop().call_soon(self._note)
        return had_one

    def _note(self) -> None:
        self._had_one = True


@define
class Batching:
    """Follows the pieces of one stream, which `never_sleeps` if it is an instant backend's: no more would come meanwhile."""

    never_sleeps: bool
    _is_fast: bool = False
    #: How many pieces had to be waited for since the last sleep. The first is no sign that all was read: what came
    #: during the sleep takes the event loop a turn to be read.
    _waits: int = 0
    _turns: _Turns = Factory(_Turns)

    def is_to_be_looked_at(self, piece: str, generation: Generation) -> bool:
        """Return whether to look now at what has come, which ends with `piece`.

        In a fast stream that is what had to be waited for, and of what came along with it only whole lines.
        """
        was_waited_for = self._turns.had_one()
        if was_waited_for:
            self._waits += 1
            self._is_fast = not self.never_sleeps and _is_fast(generation)
        return was_waited_for or not self._is_fast or "\n" in piece

    async def let_more_come(self, pieces: int) -> None:
        """Sleep if the stream is fast and all of it that came was read; else give the event loop a turn now and then.

        `pieces` is how many have been read.
        """
        if self._is_fast and self._waits > 1:
            self._waits = 0
            await asyncio.sleep(_SLEEP)
        elif pieces % _TURN == 0:
            await asyncio.sleep(0)
        else:
            return
        self._turns.had_one()  # that one was not for the next piece


def _is_fast(generation: Generation) -> bool:
    """Return whether the first line is there, and pieces come fast."""
    began = generation.first_text_at
    if began is None or "\n" not in generation.text.lstrip():
        return False
    return generation.writing.pieces > _FAST * max(monotonic() - began, _SLEEP)
