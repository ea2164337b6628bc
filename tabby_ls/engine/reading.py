"""Reading one answer: text is cut while it arrives, and the connection closes once nothing more can be used."""

from __future__ import annotations

from time import monotonic

from tabby_ls.backends.backend import Backend, Infill
from tabby_ls.engine.inflight import Generation
from tabby_ls.engine.shaping.cut import cut
from tabby_ls.engine.shaping.tidy import drop_half_end, first_unwanted, trim_start, with_lf
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.languages import language_named
from tabby_ls.prompts.families import Family
from tabby_ls.prompts.sentinels import first_sentinel, partial_sentinel_at_end


async def read_answer(
    generation: Generation, backend: Backend, infill: Infill, family: Family | None
) -> None:
    """Fill `generation.text` from the backend's stream until its end, or until the user contradicts it.

    Raises BackendError.
    """
    snapshot = generation.origin
    language = language_named(snapshot.language)
    raw = ""
    async with backend.stream(infill) as stream:
        async for piece in stream:
            if generation.first_text_at is None:
                generation.first_text_at = monotonic()
            raw += piece
            usable, ended = _usable(raw, snapshot, family)
            held = 0 if ended else partial_sentinel_at_end(usable, family)
            now = cut(usable[: len(usable) - held], snapshot, language, generation.mode, finished=ended)
            generation.text = now.text
            if now.ended or not generation.agrees():
                return
        usable, _ = _usable(raw, snapshot, family)
        if stream.cut_short:
            usable = drop_half_end(usable)
        generation.text = cut(usable, snapshot, language, generation.mode, finished=True).text


def _usable(raw: str, snapshot: Snapshot, family: Family | None) -> tuple[str, bool]:
    """Return the text up to the first token or character that no buffer should receive, and whether one came."""
    text = trim_start(with_lf(raw), snapshot)
    ends = [index for index in (first_sentinel(text, family), first_unwanted(text)) if index >= 0]
    return (text[: min(ends)], True) if ends else (text, False)
