"""The settings that VS Code offers are the server's own, and so is the oldest Python."""

from __future__ import annotations

import json
import runpy
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest

from tabby_ls.settings import Settings, Source, setting_paths

EXTENSION = Path(__file__).parent.parent / "editors" / "vscode"


@pytest.fixture(scope="module")
def package() -> dict[str, Any]:
    return json.loads((EXTENSION / "package.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    return runpy.run_path(str(EXTENSION / "scripts" / "generate_settings.py"))


@pytest.fixture(scope="module")
def properties(package: dict[str, Any]) -> dict[str, Any]:
    return {
        name: schema
        for group in package["contributes"]["configuration"]
        for name, schema in group["properties"].items()
    }


def test_they_are_what_the_generator_writes(package: dict[str, Any], generator: dict[str, Any]) -> None:
    assert package == generator["updated"](package)


def test_none_is_missing_and_the_extension_adds_only_its_own(
    properties: dict[str, Any], generator: dict[str, Any]
) -> None:
    assert set(properties) == {
        "tabby-ls.serverCommand",
        "tabby-ls.interpreter",
        *map(generator["setting_name"], setting_paths()),
    }


def test_a_project_cannot_set_where_code_and_keys_go_nor_what_is_run(
    properties: dict[str, Any], generator: dict[str, Any]
) -> None:
    of_the_machine = {name for name, schema in properties.items() if schema["scope"] == "machine"}
    assert of_the_machine == {
        "tabby-ls.serverCommand",
        "tabby-ls.interpreter",
        "tabby-ls.backends",
        "tabby-ls.log.file",
        "tabby-ls.trace.file",
        "tabby-ls.trace.code",
        "tabby-ls.trace.paths",
        *(
            generator["setting_name"](("backend", attribute.name))
            for attribute in attrs.fields(type(Settings().backend))
        ),
    }


def test_the_server_reads_them_as_vs_code_spells_them(properties: dict[str, Any]) -> None:
    for name, schema in properties.items():
        path = name.removeprefix("tabby-ls.").split(".")
        if path[0] in ("serverCommand", "interpreter"):
            continue
        data: Any = schema["default"]
        for part in reversed(path):
            data = {part: data}
        assert Settings().merged(data, Source.INITIALIZATION) == (Settings(), []), name


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("enabled", {"type": "boolean", "default": True}),
        ("multiline", {"type": "string", "enum": ["auto", "always", "never"], "default": "auto"}),
        ("debounceMs", {"type": ["integer", "null"], "minimum": 0, "maximum": 10_000, "default": None}),
        ("temperature", {"type": "number", "minimum": 0.0, "maximum": 2.0, "default": 0.0}),
        (
            "backend.url",
            {
                "pattern": "^(https?://.*)?$",
                "patternErrorMessage": "An address begins with http:// or https://",
            },
        ),
        ("disabledLanguages", {"type": "array", "items": {"type": "string"}, "default": []}),
        (
            "backend.headers",
            {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
        ),
    ],
)
def test_a_setting_has_its_type_and_default(
    properties: dict[str, Any], name: str, schema: dict[str, Any]
) -> None:
    assert schema.items() <= properties[f"tabby-ls.{name}"].items()


def test_the_oldest_python_is_the_same_everywhere() -> None:
    project = tomllib.loads((EXTENSION.parent.parent / "pyproject.toml").read_text("utf-8"))
    oldest = project["project"]["requires-python"].removeprefix(">=")
    major, minor = oldest.split(".")
    assert f"OLDEST = '{oldest}'" in (EXTENSION / "scripts" / "bundle-server.mjs").read_text("utf-8")
    found = f"OLDEST = {{ major: {major}, minor: {minor} }}"
    assert found in (EXTENSION / "src" / "python.ts").read_text("utf-8")
