"""The local model as a backend: no server, no address, an answer in milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from attrs import define

from tabby_ls.backends.backend import Infill, ModelInfo, TextStream
from tabby_ls.local_model.model import LocalModel, Query

#: Seconds a prediction may take: then it ends with what it has.
_DEADLINE = 0.1


class LocalBackend:
    """Answers from what the open buffers and the workspace already say."""

    kind = "local"
    renders_prompts = True
    is_instant = True

    def __init__(self, model: Callable[[], LocalModel]) -> None:
        """`model` is called when a prediction is first wanted."""
        self._model = model

    async def model(self) -> ModelInfo:
        """Return the one model there is."""
        return ModelInfo("local repetition model")

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Predict in a worker thread. Leaving the block makes it stop at its next step."""
        return self._stream(infill)

    @asynccontextmanager
    async def _stream(self, infill: Infill) -> AsyncIterator[TextStream]:
        query = Query(
            path=infill.uri,
            language=infill.language,
            prefix=infill.prefix,
            suffix=infill.suffix,
            threshold=infill.threshold,
            max_lines=infill.max_lines,
        )
        text = _Prediction(self._model(), query)
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
    is_cancelled: bool = False
    #: It only ever says what it is sure of.
    cut_short: bool = False

    async def __aiter__(self) -> AsyncIterator[str]:
        prediction = await asyncio.to_thread(
            self.model.predict, self.query, deadline=_DEADLINE, cancelled=lambda: self.is_cancelled
        )
        if prediction is not None:
            yield prediction.text
