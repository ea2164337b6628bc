"""The one Protocol behind which every kind of server stands, and the values that cross it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

from attrs import frozen


@frozen(slots=True)
class Infill:
    """What a backend is asked to write: the text between `prefix` and `suffix` of a document.

    `prompt` is the model family's rendered template for backends that take raw prompts, and None for
    those that build their own (:attr:`Backend.renders_prompts`). `stop` are strings that end the answer
    and are no part of it. `threshold` is how probable an answer must be, for backends that know. Line ends are LF.
    """

    uri: str
    language: str
    prefix: str
    suffix: str
    prompt: str | None
    #: Whether the server shall put a BOS token before the prompt; None leaves it to the server.
    bos: bool | None
    stop: tuple[str, ...]
    max_tokens: int
    temperature: float
    threshold: float
    max_lines: int
    #: Asked for by key, not by typing.
    invoked: bool = False


@frozen(slots=True)
class ModelInfo:
    """What a backend says of the model it serves. Unknown is None."""

    id: str | None = None
    #: Longest prompt in tokens that the server accepts, whatever `max_tokens` is.
    max_prompt_tokens: int | None = None


class Trouble(StrEnum):
    """Why a backend gave no answer: what the user can act on."""

    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    NO_MODEL = "no_model"
    PROMPT_TOO_LONG = "prompt_too_long"
    TIMEOUT = "timeout"
    BROKEN_STREAM = "broken_stream"
    REFUSED = "refused"
    OVERLOADED = "overloaded"
    FAILED = "failed"


class BackendError(Exception):
    """A backend gave no (whole) answer. `message` is one line for the user, without key or prompt."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.message = message


class TextStream(Protocol):
    """Pieces of text as they arrive. It ends only if the model finished; everything else is an error."""

    @property
    def cut_short(self) -> bool:
        """True once it ended because `max_tokens` was reached, so that the last word may be cut short."""
        ...

    def __aiter__(self) -> AsyncIterator[str]: ...


class Backend(Protocol):
    """A source of completions.

    All methods may raise :class:`BackendError` and nothing else (besides cancellation).
    """

    #: The kind, as in settings: "tabbyapi", "local", ...
    kind: str
    #: True if the backend builds prompts itself from `prefix` and `suffix`.
    renders_prompts: bool
    #: True if asking costs next to nothing, so that nothing waits before it.
    is_instant: bool

    async def model(self) -> ModelInfo:
        """Return what is being served; remembered until a request fails."""
        ...

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Open a stream of text. Leaving the block closes the connection at once."""
        ...

    async def count_tokens(self, text: str) -> int | None:
        """Return how many tokens `text` is, specials parsed and no BOS; None if the server cannot tell."""
        ...

    async def close(self) -> None:
        """Release connections. Further calls are an error of the caller's."""
        ...
