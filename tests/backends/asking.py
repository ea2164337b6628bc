"""What tests of the backends share: one question, and how it is asked through a target, as the engine does."""

from __future__ import annotations

from typing import Any

import attrs

from tabby_ls.backends.backend import Backend, Infill, Snippet
from tabby_ls.backends.choice import open_backend
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.target import Target
from tabby_ls.settings import BackendSettings, Settings

#: The cursor, in texts that hold what other tests mark it with.
CURSOR = "¦"
#: Special tokens of several families, where a program about language models has them.
TOKENS = "<|fim_middle|> <fim_suffix> <｜fim▁hole｜> <[fim-middle]> [SUFFIX] <MID> </s> <|endoftext|>"


def target_for(**settings: Any) -> Target:
    """A target as settings of that server make it."""
    server = BackendSettings(**settings)
    return Target(open_backend(server, _no_local_model), Settings(), server)


def _no_local_model() -> Any:
    raise AssertionError("nobody asked for the local model")


async def learned(target: Target, text: str, *, snippets: tuple[Snippet, ...] = (), **changes: Any) -> Infill:
    """The question for a text with a cursor in it, after the target has learned what it asks."""
    await target.prepare()
    prefix, _, suffix = text.partition(CURSOR)
    now = Snapshot("file:///a.py", 1, "python", prefix.count("\n"), prefix, suffix)
    return attrs.evolve(target.infill(now, Mode.LINE, invoked=False, snippets=snippets), **changes)


async def read(backend: Backend, infill: Infill, pieces: int | None = None) -> str:
    """The answer, or its first pieces."""
    text = ""
    async with backend.stream(infill) as stream:
        async for piece in stream:
            text += piece
            if pieces is not None:
                pieces -= 1
                if not pieces:
                    break
    return text


async def answer(target: Target, text: str, **changes: Any) -> str:
    """The whole answer for a text with a cursor in it."""
    return await read(target.backend, await learned(target, text, **changes))
