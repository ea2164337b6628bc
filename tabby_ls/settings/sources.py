"""Reading what the user's file, the environment and the editor say, and merging it in order."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tabby_ls.settings.definition import Settings, setting_paths
from tabby_ls.settings.merging import Problem, Source, close_names

ENVIRONMENT_PREFIX = "TABBY_LS_"
#: The name of our section in what editors send.
SECTION = "tabby-ls"


def own_section(data: Any) -> Mapping[str, Any]:
    """Return our settings in what a client sent: as such, or under our name."""
    if not isinstance(data, Mapping):
        return {}
    inner = data.get(SECTION)
    return inner if isinstance(inner, Mapping) else data


def config_file() -> Path:
    """Return where the user's configuration file is expected."""
    if given := os.environ.get(ENVIRONMENT_PREFIX + "CONFIG"):
        return Path(given).expanduser()
    from platformdirs import user_config_path

    return user_config_path("tabby-ls", appauthor=False) / "config.toml"


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that environment variables name, as nested data.

    A value is read as TOML (`true`, `12`, `["a"]`), and as a plain string where it is none.
    """
    data: dict[str, Any] = {}
    for path in setting_paths():
        text = environ.get(ENVIRONMENT_PREFIX + "_".join(path).upper())
        if text is None:
            continue
        table = data
        for part in path[:-1]:
            table = table.setdefault(part, {})
        try:
            table[path[-1]] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            table[path[-1]] = text
    return data


def _unknown_variables(environ: Mapping[str, str]) -> list[Problem]:
    """Return the variables with our prefix that look like a slip in a setting's name; others may be a user's keys."""
    known = ["_".join(path).upper() for path in setting_paths()]
    problems = []
    for variable in sorted(environ):
        name = variable.removeprefix(ENVIRONMENT_PREFIX)
        if name == variable or name in known or name == "CONFIG" or name.endswith(("KEY", "TOKEN")):
            continue
        meant = [setting for setting in known if setting.endswith(f"_{name}")] or close_names(name, known)
        if meant:
            why = f"unknown; did you mean {ENVIRONMENT_PREFIX}{meant[0]}?"
            problems.append(Problem(variable, Source.ENVIRONMENT, why))
    return problems


def read_config_file(file: Path | None = None) -> tuple[Mapping[str, Any] | None, Problem | None]:
    """Return what the user's file says, which is nothing where there is none; or None, and why it cannot be read."""
    file = config_file() if file is None else file
    try:
        return tomllib.loads(file.read_text("utf-8")), None
    except FileNotFoundError:
        return {}, None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return None, Problem("", Source.FILE, f"{file} cannot be read: {_told(error)}")


def _told(error: Exception) -> str:
    """Return an error of reading in words, without Python's notation of a table's name."""
    if twice := re.match(r"Cannot declare \((.+?)\) twice", str(error)):
        table = ".".join(re.findall(r"'(.*?)'", twice[1]))
        return f"[{table}] stands there twice{str(error)[twice.end() :]}"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def load(
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
    in_file: Mapping[str, Any] | None = None,
    origins: dict[str, Source] | None = None,
) -> tuple[Settings, list[Problem]]:
    """Return the settings of the user's file and environment, and every problem found on the way.

    `in_file` is what was in the file, where it has been read already. `origins` gets an entry for each setting that is
    not at its default, by its dotted path.
    """
    environ = os.environ if environ is None else environ
    problems: list[Problem] = []
    if in_file is None:
        in_file, problem = read_config_file(file)
        problems = [problem] if problem else []
    settings = Settings()
    for data, source in ((in_file or {}, Source.FILE), (from_environment(environ), Source.ENVIRONMENT)):
        settings, more = settings.merged(data, source, origins)
        problems += more
    return settings, problems + _unknown_variables(environ)
