"""JSON from a server into the types of :mod:`~tabby_ls.completions.responses`, or one clear error.

Nothing is guessed or converted: a number where a string belongs is an error. Errors name the place and
the kind that was expected, never the value found, which may be the user's code. For the same reason what leaves
this module is raised outside of handlers: it has no other error as its context, whose frames would hold the value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin

import attrs
from attrs import frozen

from tabby_ls.completions.errors import ServerError
from tabby_ls.completions.responses import CompletionResponse, ModelCard

T = TypeVar("T")
R = TypeVar("R", bound=CompletionResponse)


@frozen
class ModelList:
    """The envelope of a list of models."""

    data: tuple[ModelCard, ...]


@frozen
class Permission:
    """The envelope of what a key may do."""

    permission: str


@frozen
class DecodedText:
    """The envelope of a text made from tokens."""

    text: str


class DecodingError(ValueError):
    """An answer does not have the form it should have; the message says where."""


def parse(raw: bytes) -> dict[str, Any]:
    """Return the JSON object that `raw` is; raise :class:`DecodingError` if it is none."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        data = None
    return structure(data, dict)


def structure(data: object, kind: type[T], where: str = "answer") -> T:
    """Return `data` as a `kind`; raise :class:`DecodingError` where it does not fit.

    A kind is an attrs class, or what fields of one are annotated with: a plain type, a tuple or a dict of
    others, or one of these or None.
    """
    try:
        result: T = _reader(cast(Any, kind))(data)
    except DecodingError as error:
        problem = f"{where}{error}"
    else:
        return result
    raise DecodingError(problem)


def completion(data: Mapping[str, Any], kind: type[R]) -> R:
    """Return `data` as a response or chunk. Streams of TabbyAPI say `model_name` for `model`."""
    named = data if "model" in data or "model_name" not in data else {**data, "model": data["model_name"]}
    return structure(named, kind)


def check_not_aborted(data: Mapping[str, Any]) -> None:
    """Raise if this whole answer of TabbyAPI was cut short by something that happened in the server.

    It then says "stop" like any other, and only `eos_reason`, which is otherwise always set, is null.
    Servers that do not know `eos_reason` do not send it.
    """
    for choice in data["choices"]:
        if choice.get("eos_reason", "unknown") is None:
            raise ServerError("the server gave up before the answer was whole", status=200)


#: Takes one JSON value; the message of its error begins with the place inside of that.
_Reader = Callable[[Any], Any]


@cache
def _reader(kind: Any) -> _Reader:
    """Return what reads values of a kind. There is one for each kind, made once: chunks come by the thousand."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _optional(_reader(arguments[0]))
    if origin is tuple:
        return _tuple_of(_reader(arguments[0]))
    if origin is dict:
        return _dict_of(_reader(arguments[1]))
    return _object(kind) if attrs.has(kind) else _plain(kind)


def _optional(read: _Reader) -> _Reader:
    return lambda data: None if data is None else read(data)


def _tuple_of(read: _Reader) -> _Reader:
    as_list = _plain(list)

    def read_items(data: Any) -> tuple[Any, ...]:
        items = []
        for number, item in enumerate(as_list(data)):
            try:
                items.append(read(item))
            except DecodingError as error:
                raise DecodingError(f"[{number}]{error}") from None
        return tuple(items)

    return read_items


def _dict_of(read: _Reader) -> _Reader:
    as_dict = _plain(dict)

    def read_members(data: Any) -> dict[str, Any]:
        try:
            return {name: read(value) for name, value in as_dict(data).items()}
        except DecodingError as error:
            raise DecodingError(f".*{error}") from None

    return read_members


def _object(kind: type[attrs.AttrsInstance]) -> _Reader:
    as_dict = _plain(dict)
    attributes = attrs.fields(attrs.resolve_types(kind))
    fields = [(it.name, _reader(it.type), it.default is attrs.NOTHING) for it in attributes]

    def read_fields(data: Any) -> Any:
        given = as_dict(data)
        values = {}
        for name, read, is_required in fields:
            if name in given:
                try:
                    values[name] = read(given[name])
                except DecodingError as error:
                    raise DecodingError(f".{name}{error}") from None
            elif is_required:
                raise DecodingError(f".{name} is missing")
        return kind(**values)

    return read_fields


def _plain(kind: type) -> _Reader:
    kinds = (float, int) if kind is float else (kind,)
    excluded = () if kind is bool else bool  # which Python takes for a number

    def check(data: Any) -> Any:
        if not isinstance(data, kinds) or isinstance(data, excluded):
            raise DecodingError(f" is not {_WORDS[kind]}")
        return data

    return check


_WORDS = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
