"""Alternative suggestions for a request by key: sampled at a higher temperature, beside the likeliest one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from attrs import evolve

from tabby_ls.backends.backend import Backend, BackendError, Infill
from tabby_ls.engine.inflight import Generation
from tabby_ls.engine.reading import read_answer
from tabby_ls.prompts.families import Family

#: The sampling temperature, if the user's own is not higher: at theirs, mostly 0, each sample would be the same.
_TEMPERATURE = 0.8
#: Seconds they may take longer than the first answer, for which the user waits.
_SECONDS = 1.0


@asynccontextmanager
async def sampled_beside(
    generation: Generation, backend: Backend, infill: Infill, family: Family | None, streams: int
) -> AsyncIterator[None]:
    """Sample as many alternatives as `generation` wants while the block runs, and a little longer.

    `infill` is what its own answer was asked for with. At most `streams` run at once, but one if that is none. A
    failure only means that there are fewer.
    """
    infill = evolve(infill, temperature=max(infill.temperature, _TEMPERATURE))
    turns = asyncio.Semaphore(max(1, streams))

    async def draw() -> None:
        side = Generation(generation.origin, generation.mode, generation.purpose, generation.target)
        with suppress(BackendError):
            async with turns:
                await read_answer(side, backend, infill, family)
            if side.text.strip():
                generation.alternatives += (side.text,)

    draws = [asyncio.create_task(draw()) for _ in range(generation.alternatives_wanted)]
    try:
        yield
        await asyncio.wait(draws, timeout=_SECONDS)
    finally:
        for task in draws:
            task.cancel()
        await asyncio.wait(draws)
