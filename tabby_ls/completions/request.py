"""The parameters of a completion request, checked before it is sent, and the JSON that they become."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from attrs import Attribute, frozen

from tabby_ls.completions.errors import ValidationError

#: Sent as `max_tokens` of a stream that sets none: TabbyAPI fails every stream without it, and 0 means
#: "fill the context" there and "nothing" on other servers.
DEFAULT_STREAM_MAX_TOKENS = 256


def _is_number(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def _whole(minimum: int | None = None) -> Any:
    def validate(_: object, attribute: Attribute[Any], value: object) -> None:
        if value is None:
            return
        if not _is_number(value, (int,)):
            raise ValidationError(attribute.name, "must be a whole number")
        if minimum is not None and value < minimum:  # type: ignore[operator]
            raise ValidationError(attribute.name, f"must be at least {minimum}")

    return attrs.field(default=None, validator=validate)


def _number(minimum: float, maximum: float) -> Any:
    def validate(_: object, attribute: Attribute[Any], value: object) -> None:
        if value is None:
            return
        if not (_is_number(value, (int, float)) and minimum <= value <= maximum):  # type: ignore[operator]
            raise ValidationError(attribute.name, f"must be a number from {minimum} to {maximum}")

    return attrs.field(default=None, validator=validate)


def _boolean(_: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, bool):
        raise ValidationError(attribute.name, "must be true or false")


def _string(_: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise ValidationError(attribute.name, "must be a string")


def _json_object(_: object, attribute: Attribute[Any], value: object) -> None:
    if value is None:
        return
    try:
        is_object = isinstance(value, Mapping)
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise ValidationError(attribute.name, "must be a JSON object")


def _prompt(_: object, attribute: Attribute[Any], value: object) -> None:
    is_batch = isinstance(value, tuple) and value and all(isinstance(item, str) for item in value)
    if not isinstance(value, str) and not is_batch:
        raise ValidationError(attribute.name, "must be a string, or several in a list that is not empty")


def _stop(_: object, attribute: Attribute[Any], value: object) -> None:
    items = value if isinstance(value, tuple) else (value,)
    if value is not None and not all(isinstance(i, str) or _is_number(i, (int,)) for i in items):
        raise ValidationError(attribute.name, "must be strings or token ids")
    if isinstance(value, int):
        raise ValidationError(attribute.name, "must be a list, if it is a token id")


def _stream_options(_: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, StreamOptions):
        raise ValidationError(attribute.name, "must be StreamOptions")


def _extra(request: object, attribute: Attribute[Any], value: Mapping[str, Any] | None) -> None:
    _json_object(request, attribute, value)
    known = {field.name for field in attrs.fields(CompletionRequest)}
    for name, given in (value or {}).items():
        if name in known:
            raise ValidationError(attribute.name, f"must not hold {name!r}, which is a parameter of its own")
        if given is None:
            raise ValidationError(attribute.name, f"must not hold a null, as {name!r} does")


# Their types are what a type checker, and an editor that shows the signature, sees of the two parameters.
def _frozen_prompt(value: str | Sequence[str]) -> str | Sequence[str]:
    return tuple(value) if isinstance(value, list) else value


def _frozen_stop(value: str | Sequence[str | int] | None) -> str | Sequence[str | int] | None:
    return tuple(value) if isinstance(value, list) else value


@frozen
class StreamOptions:
    """`include_usage`: report token counts; TabbyAPI reports none without it, streamed or not."""

    include_usage: bool = attrs.field(default=True, validator=_boolean)


@frozen(kw_only=True)
class CompletionRequest:
    """A request for completions. What is None is not sent, and the server's own default holds.

    Wrong values raise :class:`~tabby_ls.completions.ValidationError`. The prompt, the suffix and the
    stop strings are the user's code: they are no part of the representation.
    """

    #: The text to go on from, or several. Special tokens in it are seen as such by TabbyAPI.
    prompt: str | Sequence[str] = attrs.field(
        validator=_prompt, converter=_frozen_prompt, repr=False, kw_only=False
    )
    #: Longest answer in tokens. TabbyAPI writes one less, and fills the context for 0.
    max_tokens: int | None = _whole(0)
    #: 0 always takes the likeliest token; it is sent, unlike None.
    temperature: float | None = _number(0.0, 2.0)
    top_p: float | None = _number(0.0, 1.0)
    #: 0 (or -1) switches it off.
    top_k: int | None = _whole(-1)
    min_p: float | None = _number(0.0, 1.0)
    #: Set by the method that sends the request; if given it must agree with it.
    stream: bool | None = attrs.field(default=None, validator=_boolean)
    #: Strings (or token ids, on TabbyAPI) that end the answer and are no part of it.
    stop: str | Sequence[str | int] | None = attrs.field(
        default=None, validator=_stop, converter=_frozen_stop, repr=False
    )
    #: Model name. Leave it out on TabbyAPI: another name than the loaded model's may unload that.
    model: str | None = attrs.field(default=None, validator=_string)
    #: JSON schema that the answer must satisfy.
    json_schema: Mapping[str, Any] | None = attrs.field(default=None, validator=_json_object, repr=False)
    #: `{"type": "json_schema", "json_schema": {"name": ..., "schema": ...}}`, the same in OpenAI's words.
    response_format: Mapping[str, Any] | None = attrs.field(default=None, validator=_json_object, repr=False)
    #: How many answers to each prompt.
    n: int | None = _whole(1)
    #: Report the log-probabilities of so many tokens at each place.
    logprobs: int | None = _whole(0)
    #: Ignored by TabbyAPI.
    seed: int | None = _whole()
    #: Text after the answer, for servers that fill in the middle by themselves. Ignored by TabbyAPI.
    suffix: str | None = attrs.field(default=None, validator=_string, repr=False)
    #: Let the model rewrite the last token of the prompt, which may be half of a longer one.
    token_healing: bool | None = attrs.field(default=None, validator=_boolean)
    #: Begin the prompt with the model's begin token, or not, whatever the model's own default is.
    add_bos_token: bool | None = attrs.field(default=None, validator=_boolean)
    stream_options: StreamOptions | None = attrs.field(default=None, validator=_stream_options)
    #: Further fields that a particular server knows.
    extra: Mapping[str, Any] | None = attrs.field(default=None, validator=_extra, repr=False)

    @property
    def private_texts(self) -> tuple[str, ...]:
        """The user's own text in here, which no error may repeat."""
        prompts = (self.prompt,) if isinstance(self.prompt, str) else tuple(self.prompt)
        return prompts if self.suffix is None else (*prompts, self.suffix)

    def to_wire(self, *, stream: bool) -> dict[str, Any]:
        """Return the request's JSON object for a streamed or a whole answer; no value in it is None."""
        if self.stream is not None and self.stream is not stream:
            raise ValidationError(
                "stream", "is set by the method: create_stream() streams, create() does not"
            )
        wire = {
            attribute.name: value
            for attribute in attrs.fields(CompletionRequest)
            if attribute.name != "extra" and (value := getattr(self, attribute.name)) is not None
        }
        wire.pop("stream", None)
        if self.stream_options is not None:
            wire["stream_options"] = attrs.asdict(self.stream_options)
        if stream:
            wire.setdefault("max_tokens", DEFAULT_STREAM_MAX_TOKENS)
            wire["stream"] = True
        return wire | dict(self.extra or {})


def encode(body: Mapping[str, Any]) -> bytes:
    """Return `body` as JSON in UTF-8.

    Half surrogate pairs, which editors send for half an emoji and servers fail on, become U+FFFD.
    """
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
