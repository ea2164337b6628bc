"""One generation from its start to its end: wait, ask a backend, read the answer, remember it, learn from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from time import monotonic

from attrs import frozen

from tabby_ls.backends.backend import BackendError, Infill, Trouble
from tabby_ls.engine.alternatives import sampled_beside
from tabby_ls.engine.fallback import Fallback
from tabby_ls.engine.habits import Habits
from tabby_ls.engine.inflight import Generation, Purpose
from tabby_ls.engine.memory import Answer, Memory
from tabby_ls.engine.outcome import Event
from tabby_ls.engine.reading import read_answer
from tabby_ls.engine.running import Running
from tabby_ls.engine.warming import Warmer


@frozen
class Generator:
    """Runs generations as the settings in force say; other settings get another one, with a memory of its own.

    `debounce_ms` is the user's own wait before automatic requests, None for the measured one. `watch` is told of
    every failure, and of what each backend did.
    """

    debounce_ms: int | None
    memory: Memory
    habits: Habits
    running: Running
    fallback: Fallback
    warmer: Warmer
    watch: Callable[[Event], None]

    async def run(self, generation: Generation) -> None:
        """Fill `generation` in until it ends.

        A backend's failure is kept in `generation.error`. A mistake of this program's own is too, and is raised.
        """
        try:
            if await self._may_ask(generation):
                await self._ask(generation)
        except BackendError as error:
            self._failed(generation, error)
        except Exception:
            self._failed(generation, _own_failure())
            raise  # for the log
        finally:
            self.running.leave(generation)
            if (report := generation.report(monotonic())) is not None:
                self.watch(report)

    async def _may_ask(self, generation: Generation) -> bool:
        """Wait until it is worth to ask; return whether the backend bears another request then."""
        if generation.purpose is Purpose.AUTOMATIC and not generation.target.backend.is_instant:
            await asyncio.sleep(self.habits.delay(generation, self.debounce_ms))
        if generation.purpose is Purpose.PREFETCH:
            return self.running.spare(generation.target) > 0
        self.running.make_room(generation)
        return True

    async def _ask(self, generation: Generation) -> None:
        generation.asked_at = monotonic()
        self.warmer.stop()
        if generation.purpose is Purpose.AUTOMATIC:
            self.habits.asked(generation)
        await self._read(generation)
        generation.target.health.answered()
        if generation.agrees() and not generation.abandoned:
            generation.ended = True
            self._learn(generation)

    async def _read(self, generation: Generation) -> None:
        """Read the answer to a prompt; where the server refuses it for a reason that can be helped, to another one."""
        target = generation.target
        while True:
            await target.prepare()
            snippets = await target.snippets(generation.origin)
            infill = target.infill(
                generation.origin, generation.mode, invoked=generation.invoked, snippets=snippets
            )
            try:
                async with self.fallback.in_time(generation), self._alternatives(generation, infill):
                    await read_answer(
                        generation, target.backend, infill, target.family, lambda: self._learn(generation)
                    )
            except BackendError as error:
                if not target.adapt(error):
                    raise
            else:
                target.counted(infill, generation.prompt_tokens)
                self.warmer.rest(target, generation.origin, infill.snippets)
                return

    def _alternatives(self, generation: Generation, infill: Infill) -> AbstractAsyncContextManager[None]:
        if not generation.alternatives_wanted:
            return nullcontext()
        target = generation.target
        streams = self.running.spare(target)
        return sampled_beside(generation, target.backend, infill, target.family, streams)

    def _learn(self, generation: Generation) -> None:
        """A suggestion is complete: remember it, and how long it took."""
        # It answers, though it may go on to write: nobody asks again before the user types on.
        generation.target.health.answered()
        self._remember(generation)
        speed, asked, first = generation.target.speed, generation.asked_at, generation.first_text_at
        if asked is not None and first is not None and len(generation.stops) == 1:
            speed.first_token(first - asked)
            speed.suggestion(monotonic() - asked)

    def _remember(self, generation: Generation) -> None:
        target, answer = generation.target, generation.answer
        # An instant backend that had nothing to say is asked again: it learns meanwhile, and it is cheap.
        if answer is None or (target.backend.is_instant and not answer.text.strip()):
            return
        others = [Answer(text, (text.count("\n"),)) for text in generation.alternatives]
        self.memory.remember(target.scope, generation.place, [answer, *others], invoked=generation.invoked)

    def _failed(self, generation: Generation, error: BackendError) -> None:
        if generation.abandoned:
            return  # nobody waits for it, and its end may be the cause
        target = generation.target
        generation.error = error
        target.forget()
        target.health.failed(error, monotonic())
        self.watch(error)
        self.fallback.failed(target)


def _own_failure() -> BackendError:
    """What the user is told where this program itself is wrong: silence would look like an answer."""
    return BackendError(Trouble.FAILED, "tabby-ls made a mistake of its own", "Its log says where.")
