"""`tabby-ls config`: what is in force and where it came from, the schema, and a file to begin with."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tabby_ls.commands.config import template
from tabby_ls.schema import MACHINE, schema
from tabby_ls.settings import Settings, Source, setting_paths
from tests.commands.conftest import Run


def file_in(home: Path, text: str = "") -> Path:
    """Where `run` finds the configuration file; written, if there is a text."""
    path = home / ".config" / "tabby-ls" / "config.toml"
    if text:
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return path


def at(tree: dict[str, Any], path: tuple[str, ...]) -> Any:
    node: Any = tree
    for name in path:
        node = node["properties"][name]
    return node


# --- what is in force ---


def test_each_setting_says_where_it_came_from(run: Run, tmp_path: Path) -> None:
    file = file_in(tmp_path, 'max_tokens = 128\nmultiline = "never"\n[menu]\nshow = "on"\n')
    result = run("config", TABBY_LS_MULTILINE="always", TABBY_LS_BACKEND_URL="http://127.0.0.1:5000")
    assert result.returncode == 0
    assert result.stdout.startswith(f"# {file}\n")
    origins = dict(re.findall(r"^(?:# )?(\w+) (?:=|is) .*?  # (.*)$", result.stdout, re.MULTILINE))
    assert origins["max_tokens"] == "the configuration file", "though it is the default"
    assert origins["show"] == "the configuration file"
    assert origins["multiline"] == "the environment, TABBY_LS_MULTILINE"
    assert origins["url"] == "the environment, TABBY_LS_BACKEND_URL"
    assert origins["enabled"] == origins["debounce_ms"] == "default"


def test_it_can_be_used_as_a_file(run: Run) -> None:
    result = run("config", TABBY_LS_MAX_TOKENS="64", TABBY_LS_EXCLUDE='["a", "b"]')
    settings, problems = Settings().merged(tomllib.loads(result.stdout), Source.FILE)
    assert problems == []
    assert settings == Settings(max_tokens=64, exclude=("a", "b"))


def test_no_secret_is_shown_and_wrong_settings_are_named(run: Run, tmp_path: Path) -> None:
    file_in(
        tmp_path,
        'max_tokens = "many"\n[backend]\nurl = "http://me:s3cret@host:1"\nheaders = { Authorization = "s3cret" }\n',
    )
    result = run("config")
    assert "s3cret" not in result.stdout + result.stderr
    assert "must not hold a user" in result.stderr
    assert '{ "Authorization" = "..." }' in result.stdout
    assert "setting 'max_tokens' in the configuration file" in result.stderr
    assert tomllib.loads(result.stdout)["max_tokens"] == 128


def test_several_servers_are_shown_by_what_was_said_of_them(run: Run, tmp_path: Path) -> None:
    file_in(tmp_path, '[[backends]]\nurl = "http://127.0.0.1:1"\n[[backends]]\nkind = "local"\n')
    backends = tomllib.loads(run("config").stdout)["backends"]
    assert [entry.get("url", entry.get("kind")) for entry in backends] == ["http://127.0.0.1:1", "local"]


def test_a_file_that_is_not_toml_is_a_warning(run: Run, tmp_path: Path) -> None:
    file_in(tmp_path, "max_tokens 3\n")
    result = run("config")
    assert result.returncode == 0
    assert "cannot be read" in result.stderr
    assert "Traceback" not in result.stderr


# --- the schema ---


def test_the_schema_describes_every_setting(run: Run) -> None:
    tree = json.loads(run("config", "--schema").stdout)
    assert tree == schema()
    for path in setting_paths():
        node = at(tree, path)
        assert node["description"]
        assert "type" in node
        assert "default" in node
    assert at(tree, ("multiline",))["enum"] == ["auto", "always", "never"]
    assert (at(tree, ("temperature",))["minimum"], at(tree, ("temperature",))["maximum"]) == (0.0, 2.0)
    assert (at(tree, ("debounce_ms",))["minimum"], at(tree, ("debounce_ms",))["type"]) == (
        0,
        ["integer", "null"],
    )
    assert at(tree, ("backends",))["items"]["properties"]["url"]["type"] == "string"


def test_the_schema_marks_what_no_project_can_set() -> None:
    tree = schema()
    assert all(at(tree, path).get(MACHINE) for path in setting_paths() if path[0] in ("backend", "backends"))
    assert MACHINE not in at(tree, ("max_tokens",))


# --- a file to begin with ---


def test_init_writes_a_file_in_which_everything_is_a_comment(run: Run, tmp_path: Path) -> None:
    result = run("config", "--init")
    assert result.returncode == 0
    file = file_in(tmp_path)
    assert str(file) in result.stdout
    assert file.read_text() == template()
    assert Settings().merged(tomllib.loads(file.read_text()), Source.FILE) == (Settings(), [])
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600
    assert run("config").stdout.startswith(f"# {file}\n"), "and no longer says that it is not there"


def test_init_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    file = file_in(tmp_path, "max_tokens = 3\n")
    result = run("config", "--init")
    assert result.returncode == 1
    assert "stays as it is" in result.stderr
    assert file.read_text() == "max_tokens = 3\n"


def test_init_into_a_folder_that_cannot_be_is_one_clear_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".config").write_text("")
    result = run("config", "--init")
    assert result.returncode == 1
    assert "cannot be written" in result.stderr


def test_without_the_marks_it_says_the_defaults() -> None:
    text = re.sub(r"^# (\w+ = )", r"\1", template(), flags=re.MULTILINE)
    settings, problems = Settings().merged(tomllib.loads(text), Source.FILE)
    assert problems == []
    assert (settings.enabled, settings.backend.url, settings.menu) == (True, "", Settings().menu)
    assert settings.debounce_ms == 100, "what has no default shows an example"


@pytest.mark.parametrize("options", [["--schema", "--init"], ["--nonsense"]])
def test_wrong_options_are_refused(run: Run, options: list[str]) -> None:
    result = run("config", *options)
    assert result.returncode == 2
    assert result.stdout == ""
