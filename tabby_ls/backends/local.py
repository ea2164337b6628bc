"""Completes code through the local model, in this process: no server, no address, an answer in milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from attrs import define

from tabby_ls.backends.backend import Infill, ModelInfo, Snippet, TextStream

if TYPE_CHECKING:
    from tabby_ls.local_model.model import LocalModel, Query

#: Seconds a prediction may take: then it ends with what it has.
_DEADLINE = 0.1
#: On a line where a suggestion was typed past, the next one must be more probable by so much, but need be no more
#: probable than that (0 to 1): a threshold of 1 would silence the line.
_RAISE, _MOST = 0.15, 0.95


class Caution:
    """Raises the threshold on a line where the user has typed past a suggestion, until the line is left."""

    def __init__(self) -> None:
        self._said: tuple[str, str, str, str] | None = None
        self._wary_at: tuple[str, str] | None = None

    def said(self, query: Query, text: str) -> None:
        """Take note that `text` was suggested for `query`."""
        self._said = (query.path, *_above_and_line(query.prefix), text)

    def threshold(self, infill: Infill) -> float:
        """Return how probable, from 0 to 1, a suggestion for `infill` has to be."""
        above, line = _above_and_line(infill.prefix)
        if self._said is not None:
            path, said_above, said_line, text = self._said
            if (path, said_above) == (infill.uri, above) and line.startswith(said_line):
                typed = line[len(said_line) :]
                if not (text.startswith(typed) or typed.startswith(text)):
                    self._wary_at = (path, above)
                    self._said = None
        if infill.invoked or self._wary_at != (infill.uri, above):
            return infill.threshold
        return max(infill.threshold, min(_MOST, infill.threshold + _RAISE))


def _above_and_line(prefix: str) -> tuple[str, str]:
    above, _, line = prefix.rpartition("\n")
    return above, line


class LocalBackend:
    """Answers from what the open buffers and the workspace already say."""

    kind = "local"
    label = "local model"
    renders_prompts = True
    is_instant = True
    is_chat = False
    takes_tokens_as_text = True
    takes_snippets = True
    reads_ahead = False
    max_in_flight = 1

    def __init__(self, model: Callable[[], LocalModel]) -> None:
        """`model` is called when a prediction is first wanted."""
        self._model = model
        self._caution = Caution()

    async def model(self) -> ModelInfo:
        """Return the one model there is."""
        return ModelInfo("local repetition model")

    async def fills_in(self, family: str | None, *, has_template: bool) -> bool:
        """Return True: it knows nothing of prompts."""
        return True

    async def warm(self, snippets: tuple[Snippet, ...]) -> None:
        """Nothing to do: it has read them already."""

    @asynccontextmanager
    async def stream(self, infill: Infill) -> AsyncIterator[TextStream]:
        """Predict in a worker thread. Leaving the block makes it stop at its next step."""
        from tabby_ls.local_model.model import Query  # where a server answers, nobody needs it

        query = Query(
            path=infill.uri,
            prefix=infill.prefix,
            suffix=infill.suffix,
            threshold=self._caution.threshold(infill),
            max_lines=infill.max_lines,
        )
        text = _Prediction(self._model(), query, self._caution)
        try:
            yield text
        finally:
            text.is_cancelled = True

    async def count_tokens(self, text: str) -> int | None:
        """Return None: this model's tokens are its own affair."""
        return None

    async def close(self) -> None:
        """Nothing to release."""


@define(eq=False)
class _Prediction:
    """One prediction as a stream of one piece."""

    model: LocalModel
    query: Query
    caution: Caution
    is_cancelled: bool = False
    #: It only ever says what it is sure of.
    cut_short: bool = False
    prompt_tokens: int | None = None
    answer_tokens: int | None = None

    async def __aiter__(self) -> AsyncIterator[str]:
        prediction = await asyncio.to_thread(
            self.model.predict, self.query, deadline=_DEADLINE, cancelled=lambda: self.is_cancelled
        )
        if prediction is not None:
            self.caution.said(self.query, prediction.text)
            yield prediction.text
