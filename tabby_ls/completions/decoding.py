"""JSON from a server into the types of :mod:`~tabby_ls.completions.responses`, or one clear error.

Nothing is guessed or converted: a number where a string belongs is an error. Errors name the place and
the kind that was expected, never the value found, which may be the user's code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

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
    return _expect(data, dict, "answer")  # type: ignore[no-any-return]


def structure(data: object, kind: type[T], where: str = "answer") -> T:
    """Return `data` as a `kind`; raise :class:`DecodingError` where it does not fit.

    A kind is an attrs class, or what fields of one are annotated with: a plain type, a tuple or a dict of
    others, or one of these or None.
    """
    result: T = _structure(data, kind, where)
    return result


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


def _structure(data: object, kind: Any, where: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if data is None else _structure(data, arguments[0], where)
    if origin is tuple:
        items = _expect(data, list, where)
        return tuple(_structure(item, arguments[0], f"{where}[{i}]") for i, item in enumerate(items))
    if origin is dict:
        members = _expect(data, dict, where)
        return {name: _structure(value, arguments[1], f"{where}.*") for name, value in members.items()}
    if not attrs.has(kind):
        return _expect(data, kind, where)
    given = _expect(data, dict, where)
    values = {}
    for name, field_kind, is_required in _fields(kind):
        if name in given:
            values[name] = _structure(given[name], field_kind, f"{where}.{name}")
        elif is_required:
            raise DecodingError(f"{where}.{name} is missing")
    return kind(**values)


def _expect(data: object, kind: type, where: str) -> Any:
    kinds = (float, int) if kind is float else (kind,)
    if not isinstance(data, kinds) or (isinstance(data, bool) and kind is not bool):
        raise DecodingError(f"{where} is not {_WORDS[kind]}")
    return data


@cache
def _fields(kind: type[attrs.AttrsInstance]) -> tuple[tuple[str, Any, bool], ...]:
    """Return name and type of each field, and whether it must be there."""
    attributes = attrs.fields(attrs.resolve_types(kind))
    return tuple((a.name, a.type, a.default is attrs.NOTHING) for a in attributes)


_WORDS = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
