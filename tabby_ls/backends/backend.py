"""The interface that every kind of completion server is used through, and the values that pass through it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

from attrs import frozen

from tabby_ls.printable import printable


@frozen(slots=True)
class Snippet:
    """Text from elsewhere that the model shall see. `path` is as shown to the model."""

    path: str
    text: str


@frozen(slots=True)
class Infill:
    """What a backend is asked to write: the text between `prefix` and `suffix` of a document.

    `uri` is the document's and `language` its LSP language id. `prompt` is the model family's rendered template,
    snippets included, for servers that take raw prompts; None where the server fills in by itself
    (:meth:`Backend.fills_in`). `stop` are strings that end the answer and are no part of it. `threshold` is how
    probable an answer must be, from 0 to 1, and `max_lines` how many lines it may have: for backends that know
    probabilities, or no tokens. Line ends are LF.
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
    #: What else the model shall see, in prompt order.
    snippets: tuple[Snippet, ...] = ()
    #: The answer comes out of a chat: it may stand in a fence, among prose, or begin with what is already there.
    is_chat: bool = False


@frozen(slots=True)
class ModelInfo:
    """What a backend says of the model it serves. Unknown is None."""

    id: str | None = None
    #: Longest prompt in tokens that the server accepts, whatever `max_tokens` is.
    max_prompt_tokens: int | None = None
    #: How many requests the server answers at a time.
    slots: int | None = None


class Trouble(StrEnum):
    """Why a backend gave no answer: what the user can act on."""

    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    NO_MODEL = "no_model"
    PROMPT_TOO_LONG = "prompt_too_long"
    TIMEOUT = "timeout"
    #: It answers, but takes so much longer than it used to that the next backend is asked instead.
    SLOW = "slow"
    #: The model is no longer one that can be asked in this way: learn anew what the server has.
    CHANGED = "changed"
    BROKEN_STREAM = "broken_stream"
    REFUSED = "refused"
    OVERLOADED = "overloaded"
    FAILED = "failed"


class BackendError(Exception):
    """A backend gave no (whole) answer. `message` is one line for the user, without key or prompt.

    `complaint` is the message without `remedy`, the sentence that says where to mend it. `key_from` is the
    environment variable that a refused key came from, "" if it came from elsewhere or something else is wrong.
    """

    def __init__(self, trouble: Trouble, complaint: str, remedy: str = "", *, key_from: str = "") -> None:
        complaint = printable(complaint)  # part of it may be the server's words
        self.trouble = trouble
        self.complaint = complaint
        self.message = f"{complaint}. {remedy}" if remedy else complaint
        super().__init__(self.message)
        self.key_from = key_from


class TextStream(Protocol):
    """Pieces of text as they arrive. It ends only if the model finished; everything else is an error."""

    @property
    def cut_short(self) -> bool:
        """True once it ended because `max_tokens` was reached, so that the last word may be cut short."""
        ...

    @property
    def prompt_tokens(self) -> int | None:
        """How many tokens the prompt was, once it ended; None if the server did not say."""
        ...

    @property
    def answer_tokens(self) -> int | None:
        """How many tokens it wrote, once it ended; None if the server did not say."""
        ...

    def __aiter__(self) -> AsyncIterator[str]: ...


class Backend(Protocol):
    """A source of completions.

    All methods may raise :class:`BackendError` and nothing else (besides cancellation).
    """

    #: The kind, as in settings: "tabbyapi", "local", ...
    kind: str
    #: The software, for people: "TabbyAPI", "llama.cpp", "local model".
    label: str
    #: True if it never needs a template: whatever the model is, it takes prefix and suffix.
    renders_prompts: bool
    #: True if asking costs next to nothing: nothing waits before it or is learned first, and it gets all the text.
    is_instant: bool
    #: True if its answers come out of a chat (:attr:`Infill.is_chat`).
    is_chat: bool
    #: True if it reads special tokens in `prefix`, `suffix` and `snippets` as the text they are. Prompts are
    #: another matter: every server sees special tokens in those.
    takes_tokens_as_text: bool
    #: True if it finds a place for `snippets` where it gets no prompt; else they have to stand in the prefix.
    takes_snippets: bool
    #: True if :meth:`warm` is of use.
    reads_ahead: bool
    #: How many requests to have open at once, unless the user or the server says otherwise.
    max_in_flight: int

    async def model(self) -> ModelInfo:
        """Return what is being served; remembered until a request fails."""
        ...

    async def fills_in(self, family: str | None, *, has_template: bool) -> bool:
        """Return whether to send prefix and suffix rather than a prompt; called after :meth:`model`.

        `family` is the name of the model's family, None if it is not known; `has_template` is whether a prompt
        could be written for it. A server may be asked, with no text of the user's.
        """
        ...

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Open a stream of text. Leaving the block closes the connection at once."""
        ...

    async def warm(self, snippets: tuple[Snippet, ...]) -> None:
        """Let the server read `snippets` ahead of a request that begins with them; nothing where it cannot."""
        ...

    async def count_tokens(self, text: str) -> int | None:
        """Return how many tokens `text` is, specials parsed and no BOS; None if the server cannot tell."""
        ...

    async def close(self) -> None:
        """Release connections. Further calls are an error of the caller's."""
        ...
