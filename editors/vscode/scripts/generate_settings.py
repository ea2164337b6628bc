"""Write the server's settings into the extension's package.json, from their one definition in `tabby_ls.settings`.

Run it with a Python that has tabby-ls installed: `python editors/vscode/scripts/generate_settings.py`. The first
group of `contributes.configuration`, with the extension's own settings, is written by hand and kept.

Names are in camel case, which VS Code shows as words: `maxTokens` as "Max Tokens". The server reads both spellings.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from tabby_ls.settings import Settings, setting_paths

PACKAGE = Path(__file__).parent.parent / "package.json"
PREFIX = "tabby-ls."

_TYPES: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    tuple[str, ...]: {"type": "array", "items": {"type": "string"}},
    Mapping[str, str]: {"type": "object", "additionalProperties": {"type": "string"}},
}

_OPERATORS = {">=": "minimum", "<=": "maximum"}


def groups() -> list[dict[str, Any]]:
    """Return the groups of settings as VS Code wants them, one a section, in the order of the definition."""
    titles: dict[str, dict[str, Any]] = {}
    for order, path in enumerate(setting_paths()):
        title = path[0].capitalize() if len(path) > 1 else "Suggestions"
        # Without an order VS Code sorts by name.
        titles.setdefault(title, {})[setting_name(path)] = {**_property(path), "order": order}
    return [
        {"title": title, "order": order, "properties": properties}
        for order, (title, properties) in enumerate(titles.items(), start=1)
    ]


def setting_name(path: tuple[str, ...]) -> str:
    """Return what VS Code calls a setting, as in `tabby-ls.backend.apiKeyEnv`."""
    return PREFIX + _camel_case(".".join(path))


def _camel_case(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def updated(package: dict[str, Any]) -> dict[str, Any]:
    """Return package.json's content with the server's settings in it."""
    own = package["contributes"]["configuration"][0]
    contributes = {**package["contributes"], "configuration": [own, *groups()]}
    return {**package, "contributes": contributes}


def _property(path: tuple[str, ...]) -> dict[str, Any]:
    section: Any = Settings()
    for name in path[:-1]:
        section = getattr(section, name)
    attribute = getattr(attrs.fields(attrs.resolve_types(type(section))), path[-1])
    default = getattr(section, path[-1])
    return {
        **_schema(attribute.type),
        **_bounds(attribute.validator),
        "default": list(default) if isinstance(default, tuple) else default,
        # The server has one set of settings for all folders of a window, so nothing is `resource`.
        "scope": "machine" if attribute.metadata["machine"] else "window",
        "markdownDescription": attribute.metadata["doc"],
    }


def _schema(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema of an annotation; raises KeyError for one that no setting has had yet."""
    if typing.get_origin(kind) is typing.Literal:
        return {"type": "string", "enum": list(typing.get_args(kind))}
    if isinstance(kind, types.UnionType):
        (inner,) = (argument for argument in typing.get_args(kind) if argument is not types.NoneType)
        return {"type": [_schema(inner)["type"], "null"]}
    if typing.get_origin(kind) is tuple and attrs.has(typing.get_args(kind)[0]):
        return {"type": "array", "items": _table(typing.get_args(kind)[0])}
    return dict(_TYPES[kind])


def _table(section: type) -> dict[str, Any]:
    """Return the schema of an object with the settings of `section`."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            _camel_case(attribute.name): {
                **_schema(attribute.type),
                "markdownDescription": attribute.metadata["doc"],
            }
            for attribute in attrs.fields(attrs.resolve_types(section))
        },
    }


def _bounds(validator: Any) -> dict[str, float]:
    """Return the least and the greatest value that attrs' validators let through, where they say so."""
    inner = getattr(validator, "_validators", None) or [getattr(validator, "validator", None)]
    bounds = {key: value for part in inner if part is not None for key, value in _bounds(part).items()}
    if (operator := _OPERATORS.get(getattr(validator, "compare_op", ""))) is not None:
        bounds[operator] = validator.bound
    return bounds


if __name__ == "__main__":
    changed = updated(json.loads(PACKAGE.read_text("utf-8")))
    PACKAGE.write_text(json.dumps(changed, indent=2, ensure_ascii=False) + "\n", "utf-8")
