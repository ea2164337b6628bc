"""The JSON Schema of the settings, made from their one definition."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

import attrs

from tabby_ls.settings import Settings
from tabby_ls.settings.declaring import URL_PATTERN, is_url

#: Marks settings that say where code and keys go, and that no project can set.
MACHINE = "x-machine"

_TYPES: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    tuple[str, ...]: {"type": "array", "items": {"type": "string"}},
    Mapping[str, str]: {"type": "object", "additionalProperties": {"type": "string"}},
}
_BOUNDS = {">=": "minimum", "<=": "maximum"}


def schema() -> dict[str, Any]:
    """Return the schema of the configuration file, as one object with nested ones."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tabby-ls",
        **_section(Settings, Settings()),
    }


def _section(section: type, defaults: Any) -> dict[str, Any]:
    properties = {}
    for attribute in attrs.fields(attrs.resolve_types(section)):
        default = getattr(defaults, attribute.name)
        if attrs.has(type(default)):
            properties[attribute.name] = _section(type(default), default)
        else:
            properties[attribute.name] = setting_schema(attribute, default)
    doc = (section.__doc__ or "").partition("\n")[0]
    return {"description": doc, "type": "object", "additionalProperties": False, "properties": properties}


def setting_schema(attribute: attrs.Attribute[Any], default: Any) -> dict[str, Any]:
    """Return the schema of one setting; raises KeyError for a type that no setting has had yet."""
    return {
        "description": attribute.metadata["doc"],
        **_type(attribute.type),
        **_limits(attribute.validator),
        "default": list(default) if isinstance(default, tuple) else default,
        **({MACHINE: True} if attribute.metadata["machine"] else {}),
    }


def _type(kind: Any) -> dict[str, Any]:
    if typing.get_origin(kind) is typing.Literal:
        return {"type": "string", "enum": list(typing.get_args(kind))}
    if isinstance(kind, types.UnionType):
        (inner,) = (argument for argument in typing.get_args(kind) if argument is not types.NoneType)
        return {"type": [_type(inner)["type"], "null"]}
    if typing.get_origin(kind) is tuple and attrs.has(entry := typing.get_args(kind)[0]):
        return {"type": "array", "items": _section(entry, entry())}
    return dict(_TYPES[kind])


def _limits(validator: Any) -> dict[str, Any]:
    """Return the least and the greatest value that attrs' validators let through, and of an address how it looks."""
    if validator is is_url:
        return {"pattern": URL_PATTERN}
    inner = getattr(validator, "_validators", None) or [getattr(validator, "validator", None)]
    limits = {key: value for part in inner if part is not None for key, value in _limits(part).items()}
    if (name := _BOUNDS.get(getattr(validator, "compare_op", ""))) is not None:
        limits[name] = validator.bound
    return limits
