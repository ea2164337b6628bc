"""Write the server's settings into the extension's package.json, from their one definition in `tabby_ls.settings`.

Run it with a Python that has tabby-ls installed: `python editors/vscode/scripts/generate_settings.py`. The first
group of `contributes.configuration`, with the extension's own settings, is written by hand and kept.

Names are in camel case, which VS Code shows as words: `maxTokens` as "Max Tokens". The server reads both spellings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from tabby_ls.schema import MACHINE, setting_schema
from tabby_ls.settings import Settings, setting_paths

PACKAGE = Path(__file__).parent.parent / "package.json"
PREFIX = "tabby-ls."


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
    schema = _as_vs_code_has_it(setting_schema(attribute, getattr(section, path[-1])))
    # The server has one set of settings for all folders of a window, so nothing is `resource`.
    return {**schema, "scope": "machine" if attribute.metadata["machine"] else "window"}


def _as_vs_code_has_it(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with VS Code's spelling of names, and with its key for descriptions in Markdown."""
    changed: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "description":
            changed["markdownDescription"] = value
        elif key == "items":
            changed[key] = _as_vs_code_has_it(value)
        elif key == "properties":
            changed[key] = {_camel_case(name): _as_vs_code_has_it(inner) for name, inner in value.items()}
        elif key != MACHINE:
            changed[key] = value
        if key == "pattern":
            changed["patternErrorMessage"] = "An address begins with http:// or https://"
    return changed


if __name__ == "__main__":
    changed = updated(json.loads(PACKAGE.read_text("utf-8")))
    PACKAGE.write_text(json.dumps(changed, indent=2, ensure_ascii=False) + "\n", "utf-8")
