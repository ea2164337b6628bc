"""Putting what one source says over settings. What is wrong becomes a :class:`Problem`, and the rest still works."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import attrs
from attrs import Attribute, frozen

from tabby_ls.settings.declaring import paths_in

_Section = TypeVar("_Section")


class Source(StrEnum):
    """Where a setting came from, in the words users see."""

    FILE = "the configuration file"
    ENVIRONMENT = "the environment"
    COMMAND_LINE = "the command line"
    INITIALIZATION = "the editor's settings (initializationOptions)"
    WORKSPACE = "the editor's settings (workspace/configuration)"


@frozen
class Problem:
    """A setting that could not be used: its dotted path, where it was found, and why.

    Without a path it is about the whole source.
    """

    setting: str
    source: Source
    why: str

    def __str__(self) -> str:
        if not self.setting:
            return f"{self.source} {self.why}"
        return f"setting {self.setting!r} in {self.source}: {self.why}"


def merge(
    section: _Section,
    data: Mapping[str, Any],
    source: Source,
    problems: list[Problem],
    taken: set[str],
    path: str = "",
) -> _Section:
    """Return a section of settings with what `data` says over it.

    `path` is that of the section, with a dot at its end. What cannot be used is added to `problems`, and to `taken` the
    dotted path of each setting that was.
    """
    fields = {attribute.name: attribute for attribute in attrs.fields(type(section))}  # type: ignore[arg-type]
    for key, value in data.items():
        name = _snake_case(str(key))
        where = path + str(key)
        attribute = fields.get(name)
        if attribute is None:
            problems.append(Problem(where, source, _unknown(name, type(section), path)))
            continue
        if value is None:
            continue  # editors send null for what the user did not set
        current = getattr(section, name)
        if attrs.has(type(current)):
            if not isinstance(value, Mapping):
                problems.append(Problem(where, source, "must be a table of settings"))
            else:
                inner = merge(current, value, source, problems, taken, where + ".")
                section = attrs.evolve(section, **{name: inner})  # type: ignore[misc]
            continue
        if attribute.metadata["machine"] and source is Source.WORKSPACE:
            if not _is_same(value, current, attribute):
                problems.append(Problem(where, source, _MACHINE_ONLY))
            continue
        if (entry := attribute.metadata["entry"]) is not None:
            value = _tables(value, entry, source, problems, where)
        elif attribute.metadata["is_extended"] and source is Source.WORKSPACE and isinstance(value, list):
            value = _extended(current, value, source, problems, where)
        try:
            section = attrs.evolve(section, **{name: value})  # type: ignore[misc]
        except (TypeError, ValueError) as error:
            problems.append(Problem(where, source, _reason(error)))
        else:
            taken.add(path + name)
    return section


def _tables(
    value: object, entry: _Section, source: Source, problems: list[Problem], where: str
) -> tuple[_Section, ...]:
    """Return a list of tables as settings, each with the defaults that `entry` has."""
    if not isinstance(value, list | tuple) or not all(isinstance(table, Mapping) for table in value):
        problems.append(Problem(where, source, "must be a list of tables"))
        return ()
    return tuple(
        merge(entry, table, source, problems, set(), f"{where}[{number}].")
        for number, table in enumerate(value)
    )


def _extended(
    current: Sequence[str], more: list[Any], source: Source, problems: list[Problem], where: str
) -> list[Any]:
    """Return the user's patterns with those of a project, which bring nothing back: an exception goes before others."""
    kept = [one for one in more if not (current and str(one).startswith("!") and one not in current)]
    if len(kept) < len(more):
        problems.append(
            Problem(where, source, "patterns with ! are ignored here, because they may be a project's")
        )
    return list(dict.fromkeys([*current, *kept]))


def _is_same(value: object, current: object, attribute: Attribute[Any]) -> bool:
    """Return whether a value says what is in force already; some editors send one setting by both ways."""
    if (entry := attribute.metadata["entry"]) is not None:
        value = _tables(value, entry, Source.INITIALIZATION, [], "")
    return value == current or (isinstance(current, tuple) and value == list(current))


def _unknown(name: str, section: type, path: str) -> str:
    """Return what is wrong with a name that is none, and which one may be meant, here or in another section."""
    known = [attribute.name for attribute in attrs.fields(section)]
    elsewhere = [] if path else [".".join(place) for place in paths_in(section) if place[-1] == name]
    if meant := elsewhere or close_names(name, known):
        return f"unknown; did you mean {' or '.join(meant)}?"
    return f"unknown; known are {', '.join(sorted(known))}"


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """Return those of the known names that `name` may be a slip of, the likeliest first."""
    from difflib import get_close_matches  # only whoever errs waits for it

    return get_close_matches(name, known)


def _snake_case(key: str) -> str:
    """Return our spelling of a key: configuration files also say `max-tokens`, and VS Code `maxTokens`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower().replace("-", "_")


_MACHINE_ONLY = (
    "ignored here, because a project's own files could set it; "
    "use initializationOptions, the configuration file or the environment"
)


def _reason(error: Exception) -> str:
    """Return an attrs validator's complaint in one line, in a user's words and without the value: it may be a key."""
    line = str(error.args[0] if error.args else error).splitlines()[0].partition(" (got ")[0].rstrip(".")
    line = re.sub(r"^'?\w+'? (?=must )|(?<=must be )in \(|\)$|(?<=\d): .*$", _shorter, line)
    return re.sub(r"<class '(\w+)'>", lambda match: _TYPE_NAMES.get(match[1], match[1]), line)


def _shorter(part: re.Match[str]) -> str:
    """Return what stands for a part of a complaint: "one of" for `in (`, and nothing for what is said elsewhere."""
    return "one of " if part[0] == "in (" else ""


_TYPE_NAMES = {
    "int": "a whole number",
    "str": "a string",
    "bool": "true or false",
    "tuple": "a list",
    "NoneType": "unset",
}
