"""Reads one answer: text is cut while it arrives, and the connection closes once nothing more can be used."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from attrs import define, evolve

from tabby_ls.backends.backend import Backend, Infill
from tabby_ls.engine.batching import Batching
from tabby_ls.engine.inflight import Generation
from tabby_ls.engine.shaping.chat import unwrap
from tabby_ls.engine.shaping.head import trim_head
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.shaping.reach import Reach, reach
from tabby_ls.engine.shaping.tidy import drop_half_end, first_unwanted, with_lf
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.prompts.families import Family
from tabby_ls.prompts.sentinels import first_sentinel, longest_sentinel, partial_sentinel_at_end


async def read_answer(
    generation: Generation,
    backend: Backend,
    infill: Infill,
    family: Family | None,
    on_suggestion: Callable[[], None] = lambda: None,
) -> None:
    """Fill `generation` from the backend's stream until its end, or until the user contradicts it.

    `on_suggestion` is called whenever a suggestion has become complete. Raises BackendError.
    """
    incoming = _Incoming(generation.origin, generation.mode, family, is_chat=infill.is_chat)
    writing = generation.writing
    writing.max_tokens = infill.max_tokens

    def is_enough(text: str) -> bool:
        now = incoming.take(text)
        writing.rule = now.rule
        if generation.take(now.text, now.stops):
            on_suggestion()
        return now.ended or not generation.agrees()

    async with backend.stream(infill) as stream:
        held, batching = "", Batching(never_sleeps=backend.is_instant)
        async for piece in stream:
            writing.take(piece)
            if generation.first_text_at is None:
                generation.first_text_at = monotonic()
            held += piece
            if batching.is_to_be_looked_at(piece, generation):
                if is_enough(held):
                    return
                held = ""
            await batching.let_more_come(writing.pieces)
        if held and is_enough(held):
            return
        writing.tokens = stream.answer_tokens
        generation.prompt_tokens = stream.prompt_tokens
        now = incoming.finish(cut_short=stream.cut_short)
        if stream.cut_short and not now.rule:
            writing.rule = "it had as many tokens as `max_tokens` lets it have"
        generation.take(now.text, now.stops)


@define
class _Incoming:
    """An answer while it arrives. Each piece is looked through once for what no buffer should receive."""

    snapshot: Snapshot
    mode: Mode
    family: Family | None
    is_chat: bool = False
    text: str = ""
    _half_line_end: str = ""

    def take(self, piece: str) -> Reach:
        """Return what can be used once `piece` has arrived."""
        piece = self._half_line_end + piece
        self._half_line_end = "\r" if piece.endswith("\r") else ""
        start = max(0, len(self.text) - longest_sentinel(self.family))
        self.text += with_lf(piece[: len(piece) - len(self._half_line_end)])
        ends = (first_sentinel(self.text, self.family, start), first_unwanted(self.text, start))
        end = min((index for index in ends if index >= 0), default=None)
        if end is not None:
            last = self._cut(self.text[:end], finished=True)
            return evolve(last, ended=True, rule=last.rule or "the model wrote what no file should hold")
        held = partial_sentinel_at_end(self.text, self.family)
        return self._cut(self.text[: len(self.text) - held], finished=False)

    def finish(self, *, cut_short: bool) -> Reach:
        """Return what can be used of the whole answer."""
        text = self.text + with_lf(self._half_line_end)
        return self._cut(drop_half_end(text) if cut_short else text, finished=True)

    def _cut(self, text: str, *, finished: bool) -> Reach:
        if self.is_chat:
            text = unwrap(text, finished=finished)
        return reach(
            trim_head(text, self.snapshot, finished=finished, is_chat=self.is_chat),
            self.snapshot,
            self.mode,
            finished=finished,
        )
