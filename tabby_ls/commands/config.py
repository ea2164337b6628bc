"""`tabby-ls config`: the settings in force and where each came from, their schema, or a file to begin with."""

from __future__ import annotations

import argparse
import json
import os
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

from tabby_ls import settings as user_settings
from tabby_ls.commands.common import say, show
from tabby_ls.own_files import make_folder
from tabby_ls.schema import schema
from tabby_ls.settings import ENVIRONMENT_PREFIX, BackendSettings, Settings, Source

#: The column at which remarks begin, where the setting leaves room.
_REMARK = 44


def config(options: argparse.Namespace) -> int:
    """Print what was asked for; return the exit status."""
    if options.schema:
        print(json.dumps(schema(), indent=2, ensure_ascii=False))
        return 0
    file = user_settings.config_file()
    if options.init:
        return _init(file)
    origins: dict[str, Source] = {}
    settings, problems = user_settings.load(origins=origins)
    for problem in problems:
        say(f"warning: {problem}")
    show("\n".join(effective(settings, origins, file)))
    return 0


def effective(settings: Settings, origins: Mapping[str, Source], file: Path) -> Iterator[str]:
    """Yield the lines of a TOML file with the settings in force, each with where it came from. No secret is shown."""
    yield f"# {file}{'' if file.exists() else ' (not there)'}"
    yield "# What your editor adds, in its initialization options or settings, is not known here."
    for section in _sections(settings):
        if section.name:
            yield f"\n[{section.name}]"
        for path, attribute, value in section:
            source = origins.get(path)
            where = "default" if source is None else str(source)
            if source is Source.ENVIRONMENT:
                where += f", {ENVIRONMENT_PREFIX}{path.replace('.', '_').upper()}"
            shown = _shown(value)
            line = f"# {attribute.name} is unset" if value is None else f"{attribute.name} = {shown}"
            yield f"{line:<{_REMARK}}  # {where}"


def template() -> str:
    """Return a configuration file in which every setting stands as a comment, with its default."""
    lines = [
        "# The settings of tabby-ls. Remove the `# ` before a setting to change it.",
        "# The environment and your editor's settings go before this file; `tabby-ls config` shows what is in force.",
    ]
    for section in _sections(Settings()):
        if section.name:
            lines += ["", f"[{section.name}]"]
        for _, attribute, default in section:
            value = attribute.metadata["example"] if default is None else default
            lines += ["", *_wrapped(attribute.metadata["doc"]), f"# {attribute.name} = {_toml(value)}"]
    return "\n".join(lines) + "\n"


def _init(file: Path) -> int:
    try:
        make_folder(file.parent)
        # Readable by its owner alone: headers may hold keys.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as new:
            new.write(template())
    except FileExistsError:
        say(f"{file} is there already and stays as it is; `tabby-ls config` shows what is in force")
        return 1
    except OSError as error:
        say(f"{file} cannot be written: {error.strerror}")
        return 1
    print(f"{file} is written; everything in it is a comment until you change it.")
    return 0


@frozen
class _Section:
    """A table of settings; "" is the name of the first one."""

    name: str
    values: Any

    def __iter__(self) -> Iterator[tuple[str, attrs.Attribute[Any], Any]]:
        """Yield each setting's dotted path, its definition and its value."""
        for attribute in attrs.fields(type(self.values)):
            value = getattr(self.values, attribute.name)
            if not attrs.has(type(value)):
                path = f"{self.name}.{attribute.name}" if self.name else attribute.name
                yield path, attribute, value


def _sections(settings: Settings) -> Iterator[_Section]:
    yield _Section("", settings)
    for attribute in attrs.fields(Settings):
        value = getattr(settings, attribute.name)
        if attrs.has(type(value)):
            yield _Section(attribute.name, value)


def _shown(value: Any) -> str:
    """Return a value as TOML without what may be a secret: the values of headers."""
    if isinstance(value, tuple) and value and isinstance(value[0], BackendSettings):
        return f"[{', '.join(_shown_server(server) for server in value)}]"
    if isinstance(value, Mapping):
        return _toml(dict.fromkeys(value, "..."))
    return _toml(value)


def _shown_server(server: BackendSettings) -> str:
    """Return a server of a list by those of its settings that are not at their default."""
    changed = {
        attribute.name: getattr(server, attribute.name)
        for attribute in attrs.fields(BackendSettings)
        if getattr(server, attribute.name) != getattr(BackendSettings(), attribute.name)
    }
    return _table(f"{name} = {_shown(value)}" for name, value in changed.items())


def _toml(value: Any) -> str:
    """Return a value in TOML's syntax."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Mapping):
        return _table(f"{_toml(key)} = {_toml(entry)}" for key, entry in value.items())
    # JSON writes strings, numbers and booleans as TOML does, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _table(entries: Iterable[str]) -> str:
    inside = ", ".join(entries)
    return f"{{ {inside} }}" if inside else "{}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
