"""Reads a streamed answer as text, whatever the server's protocol is: a decoder says what each event holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from attrs import frozen

from tabby_ls.completions import CompletionStream, Usage
from tabby_ls.completions.answer import AnswerStream
from tabby_ls.completions.connection import Connection
from tabby_ls.completions.decoding import DecodingError
from tabby_ls.completions.lines import LineParser


@frozen
class Piece:
    """One event of a stream: what is new of the text, and whether and why the model ended with it."""

    text: str = ""
    has_ended: bool = False
    #: It ended because there were as many tokens as it was allowed.
    cut_short: bool = False
    #: How many tokens the prompt was, in the event that ends the answer and where the server tells.
    prompt_tokens: int | None = None


#: Reads one event, a JSON object. Of an object of another form it may raise KeyError, TypeError, IndexError,
#: AttributeError or DecodingError.
Decoder = Callable[[Mapping[str, Any]], Piece]


class EventStream(AnswerStream[Piece]):
    """The answer to a POST of any protocol that streams JSON objects."""

    def __init__(
        self,
        connection: Connection,
        path: str,
        body: Mapping[str, Any],
        parser: LineParser,
        decoder: Decoder,
        *,
        private: tuple[str, ...],
        ends_when_finished: bool,
    ) -> None:
        """`parser` splits the bytes into events, `decoder` reads each.

        `private` is the user's text in `body`, which no error may repeat. `ends_when_finished` is False for
        protocols that send `[DONE]` after the event that ends the answer.
        """
        super().__init__(connection, path, body, parser, private)
        self.ends_when_finished = ends_when_finished
        self._decoder = decoder
        self._last = Piece()
        self._has_text = False

    def decode(self, data: dict[str, Any], *, is_whole: bool) -> Piece:
        """Return the piece that the decoder reads."""
        try:
            piece = self._decoder(data)
        except (KeyError, TypeError, IndexError, AttributeError):
            raise DecodingError("the answer is not in the form it should have") from None
        # Events after the last piece of text only count tokens.
        if piece.has_ended or not self._last.has_ended:
            self._last = piece
        self._has_text = self._has_text or bool(piece.text)
        return piece

    @property
    def has_finished(self) -> bool:
        """Whether an event said that the model ended."""
        return self._last.has_ended

    @property
    def cut_short(self) -> bool:
        """Whether that was because it was as long as it was allowed to be."""
        return self._last.cut_short

    @property
    def usage(self) -> Usage | None:
        """The tokens of the prompt, once an event told; those of the answer are not counted."""
        prompt_tokens = self._last.prompt_tokens
        return None if prompt_tokens is None else Usage(prompt_tokens=prompt_tokens)

    def patience_after(self, piece: Piece) -> float | None:
        """Return the seconds in which more must come: as many as for the first, while the prompt is being read."""
        timeouts = self._connection.timeouts
        return timeouts.progress if self._has_text else timeouts.first_token


class AnswerText:
    """The text of a stream (a :class:`~tabby_ls.backends.backend.TextStream`)."""

    def __init__(self, stream: CompletionStream | EventStream) -> None:
        self.stream = stream
        #: Whether the stream was read to its end, so that its connection is left to the next request.
        self.has_ended = False

    @property
    def cut_short(self) -> bool:
        """True once the stream ended because `max_tokens` was reached."""
        return self.stream.cut_short

    @property
    def prompt_tokens(self) -> int | None:
        """How many tokens the prompt was, once the stream ended and if it told."""
        usage = self.stream.usage
        return usage.prompt_tokens or None if usage else None

    @property
    def answer_tokens(self) -> int | None:
        """How many tokens it wrote, once the stream ended and if it told."""
        usage = self.stream.usage
        return usage.completion_tokens or None if usage else None

    async def __aiter__(self) -> AsyncIterator[str]:
        async for piece in self.stream:
            if piece.text:
                yield piece.text
        self.has_ended = True
