"""The page of settings, made from their one definition: `python -m tests.support.settings_page > docs/settings.md`."""

from __future__ import annotations

import json
import typing
from typing import Any

import attrs

from tabby_ls.settings import Settings, setting_paths

_HEAD = """# Settings

Where a setting may stand, a later place winning over an earlier one:

1. `config.toml` in the configuration folder (`~/.config/tabby-ls/` on Linux; `TABBY_LS_CONFIG` names another file)
2. the environment: `backend.url` is `TABBY_LS_BACKEND_URL`
3. your editor's initialization options
4. your editor's settings for the section `tabby-ls`
5. `--backend`, in commands that take it

Settings marked **m** say where code and keys go. They are not taken from the fourth place, because a project's own
files can influence it. A setting that cannot be used is named once, and the rest still works.

`tabby-ls config` prints the settings in force and where each came from; `tabby-ls config --init` writes a file to begin
with, in which each stands as a comment.

| setting | values | default | |
|---|---|---|---|
"""


def page() -> str:
    """Return docs/settings.md."""
    return _HEAD + "".join(_row(path) for path in setting_paths())


def _row(path: tuple[str, ...]) -> str:
    section: Any = Settings()
    for name in path[:-1]:
        section = getattr(section, name)
    attribute = getattr(attrs.fields(attrs.resolve_types(type(section))), path[-1])
    default = getattr(section, path[-1])
    shown = (
        "" if default is None else f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"
    )
    machine = " **m**" if attribute.metadata["machine"] else ""
    doc = attribute.metadata["doc"].replace("|", "\\|")
    return f"| `{'.'.join(path)}`{machine} | {_values(attribute.type)} | {shown} | {doc} |\n"


def _values(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(kind))
    if typing.get_origin(kind) is tuple and attrs.has(typing.get_args(kind)[0]):
        return "list of tables"
    text = str(kind)
    for sign, words in (
        ("tuple", "list of strings"),
        ("Mapping", "table"),
        ("int", "whole number"),
        ("float", "number"),
    ):
        if sign in text:
            return words
    return {bool: "`true`, `false`", str: "string"}[kind]


if __name__ == "__main__":
    print(page(), end="")
