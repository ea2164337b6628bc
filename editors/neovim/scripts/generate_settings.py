"""Write the server's settings as types for the Lua language server, from their one definition in `tabby_ls.settings`.

Run it with a Python that has tabby-ls installed: `python editors/neovim/scripts/generate_settings.py`. With them, an
editor that knows Lua completes and documents what stands in `settings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tabby_ls.schema import schema

FILE = Path(__file__).parent.parent / "lua" / "tabby_ls" / "types.lua"
_TYPES = {
    "boolean": "boolean",
    "integer": "integer",
    "number": "number",
    "string": "string",
    "null": "nil",
    "object": "table<string, string>",
}


def text() -> str:
    """Return the whole file."""
    head = "---@meta\n-- luacheck: ignore 631 (long lines)\n"
    head += "-- The server's settings; written by editors/neovim/scripts/generate_settings.py.\n"
    return head + "".join(_classes("tabby_ls.Settings", schema()))


def _classes(name: str, section: Mapping[str, Any]) -> Iterator[str]:
    """Yield a section's class behind those of the sections in it; one that is like another is not told again."""
    fields, told = [], {}
    for key, setting in section["properties"].items():
        inner = setting if "properties" in setting else setting.get("items", {})
        kind = _type(setting)
        if "properties" in inner:
            own = told.setdefault(inner["description"], f"{name}.{key}")
            if own == f"{name}.{key}":
                yield from _classes(own, inner)
            kind = own if inner is setting else f"{own}[]"
        fields.append(f"---@field {key}? {kind} {setting.get('description', '')}".rstrip())
    yield "\n" + "\n".join([f"---@class {name} {section['description']}", *fields]) + "\n"


def _type(setting: Mapping[str, Any]) -> str:
    if "enum" in setting:
        return "|".join(f"'{value}'" for value in setting["enum"])
    kind = setting.get("type", "object")
    if isinstance(kind, list):
        return "|".join(_TYPES[one] for one in kind)
    if kind == "array":
        return f"{_TYPES[setting['items'].get('type', 'object')]}[]"
    return _TYPES[kind]


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
