"""The types of servers' responses. A field that a server leaves out has the default given here; unknown ones are dropped."""

from __future__ import annotations

from attrs import frozen


@frozen
class Logprobs:
    """Log-probabilities of the tokens written; four lists of the same length."""

    tokens: tuple[str, ...] = ()
    token_logprobs: tuple[float | None, ...] = ()
    top_logprobs: tuple[dict[str, float] | None, ...] | None = None
    #: In characters, from the start of this chunk's text.
    text_offset: tuple[int, ...] = ()


@frozen
class Choice:
    """One answer, or in a stream what is new of it."""

    text: str = ""
    index: int = 0
    #: "stop" or "length"; None until the answer ends.
    finish_reason: str | None = None
    logprobs: Logprobs | None = None
    #: TabbyAPI's closer reason: stop_token, stop_string, max_new_tokens, end_filter or loop_detected.
    eos_reason: str | None = None


@frozen
class Usage:
    """Tokens counted and, on TabbyAPI, seconds taken."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_time: float | None = None
    completion_time: float | None = None
    total_time: float | None = None


@frozen
class CompletionResponse:
    """A whole answer. TabbyAPI's `usage` is None unless it was asked for."""

    choices: tuple[Choice, ...]
    id: str = ""
    object: str = "text_completion"
    #: Seconds since 1970.
    created: int = 0
    model: str | None = None
    usage: Usage | None = None

    @property
    def text(self) -> str:
        """The text of the first answer."""
        return next((choice.text for choice in self.choices if choice.index == 0), "")


@frozen
class CompletionChunk(CompletionResponse):
    """One event of a stream: the same, holding what is new."""


@frozen
class ModelParameters:
    """What a model was loaded with; None where the server does not say."""

    max_seq_len: int | None = None
    cache_size: int | None = None
    cache_mode: str | None = None
    max_batch_size: int | None = None
    chunk_size: int | None = None
    prompt_template: str | None = None
    use_vision: bool | None = None

    @property
    def max_prompt_tokens(self) -> int | None:
        """Longest prompt in tokens that TabbyAPI accepts, begin token included, whatever `max_tokens` is.

        Its generator allocates a whole chunk beyond the prompt, in a cache that may be smaller than the
        context: 4096 of both with chunks of 2048 take 2049 tokens and refuse 2050.
        """
        limits = [self.max_seq_len] if self.max_seq_len is not None else []
        if self.cache_size is not None and self.chunk_size is not None:
            limits.append(self.cache_size - self.chunk_size + 1)
        return min(limits, default=None)


@frozen
class ModelCard:
    """A model that a server has; in a list `parameters` is None."""

    id: str
    object: str = "model"
    created: int = 0
    owned_by: str | None = None
    parameters: ModelParameters | None = None


@frozen
class TokenEncoding:
    """Text as tokens."""

    tokens: tuple[int, ...]
    length: int


@frozen
class HealthIssue:
    """Something that went wrong inside the server."""

    description: str = ""
    #: As the server writes it; TabbyAPI in ISO 8601.
    time: str = ""


@frozen
class Health:
    """How the server says it is. TabbyAPI is "healthy" without a model, and "unhealthy" ever after one crash."""

    status: str
    issues: tuple[HealthIssue, ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Whether the server knows of no trouble ("healthy" on TabbyAPI, "ok" on others)."""
        return self.status in ("healthy", "ok")


@frozen
class Software:
    """The program that serves, and where it comes from. The name is "TabbyAPI" on TabbyAPI."""

    name: str
    repository: str | None = None
    homepage: str | None = None


@frozen
class ServiceInfo:
    """What runs at an address."""

    software: Software
    version: float | None = None
