"""The settings that VS Code offers are the server's own, and its version is the server's."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import attrs
import pytest

from tabby_ls import __version__
from tabby_ls.settings import Settings, setting_paths

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


def test_none_is_missing_and_the_extension_adds_only_its_own(properties: dict[str, Any]) -> None:
    assert set(properties) == {
        "tabby-ls.serverCommand",
        "tabby-ls.interpreter",
        *(f"tabby-ls.{'.'.join(path)}" for path in setting_paths()),
    }


def test_a_project_cannot_set_where_code_and_keys_go_nor_what_is_run(properties: dict[str, Any]) -> None:
    of_the_machine = {name for name, schema in properties.items() if schema["scope"] == "machine"}
    assert of_the_machine == {
        "tabby-ls.serverCommand",
        "tabby-ls.interpreter",
        "tabby-ls.backends",
        "tabby-ls.log.file",
        "tabby-ls.trace.file",
        "tabby-ls.trace.code",
        "tabby-ls.trace.paths",
        *(f"tabby-ls.backend.{attribute.name}" for attribute in attrs.fields(type(Settings().backend))),
    }


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("enabled", {"type": "boolean", "default": True}),
        ("multiline", {"type": "string", "enum": ["auto", "always", "never"], "default": "auto"}),
        ("debounce_ms", {"type": ["integer", "null"], "default": None}),
        ("temperature", {"type": "number", "default": 0.0}),
        ("disabled_languages", {"type": "array", "items": {"type": "string"}, "default": []}),
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


def test_the_extension_has_the_version_of_the_server_it_bundles(package: dict[str, Any]) -> None:
    assert package["version"] == __version__
