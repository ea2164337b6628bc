"""A streamed completion: the chunks of `/v1/completions`."""

from __future__ import annotations

from typing import Any

from tabby_ls.completions import decoding
from tabby_ls.completions.answer import AnswerStream
from tabby_ls.completions.connection import Connection
from tabby_ls.completions.request import CompletionRequest
from tabby_ls.completions.responses import CompletionChunk, Usage
from tabby_ls.completions.sse import SSEParser


class CompletionStream(AnswerStream[CompletionChunk]):
    """An asynchronous context manager and iterator of chunks; made by `CompletionsClient.create_stream`.

    It ends well once every answer in it has a `finish_reason`.
    """

    def __init__(self, connection: Connection, request: CompletionRequest) -> None:
        #: Token counts, if they were asked for; known after the end.
        self.usage: Usage | None = None
        #: Why the first answer ended: "stop" or "length"; known after the end.
        self.finish_reason: str | None = None
        self._finished: set[int] = set()
        self._unfinished: set[int] = set()
        body = request.to_wire(stream=True)
        super().__init__(connection, "/v1/completions", body, SSEParser(), request.private_texts)

    @property
    def has_finished(self) -> bool:
        """Whether every answer has ended."""
        return bool(self._finished) and not self._unfinished

    @property
    def cut_short(self) -> bool:
        """Whether the first answer ended because `max_tokens` was reached."""
        return self.finish_reason == "length"

    def decode(self, data: dict[str, Any], *, is_whole: bool) -> CompletionChunk:
        """Return the chunk, and take note of what it says of the end."""
        chunk = decoding.completion(data, CompletionChunk)
        if is_whole:
            decoding.check_not_aborted(data)
        for choice in chunk.choices:
            self._unfinished.add(choice.index)
            if choice.finish_reason is not None:
                self._finished.add(choice.index)
                if choice.index == 0:
                    self.finish_reason = choice.finish_reason
        self._unfinished -= self._finished
        self.usage = chunk.usage or self.usage
        return chunk
