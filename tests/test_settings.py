"""Settings: every source, their order, and what becomes of a wrong one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tabby_ls.settings import Settings, Source, from_environment, load, setting_paths


def merged(data: dict[str, Any], source: Source = Source.INITIALIZATION) -> tuple[Settings, list[str]]:
    settings, problems = Settings().merged(data, source)
    return settings, [str(problem) for problem in problems]


def test_nested_settings_are_taken_over_and_the_rest_keeps_its_default() -> None:
    settings, problems = merged({"backend": {"url": "http://127.0.0.1:5000"}, "max_tokens": 64})
    assert settings.backend.url == "http://127.0.0.1:5000"
    assert settings.max_tokens == 64
    assert settings.backend.kind == "auto"
    assert problems == []


def test_names_may_be_written_with_dashes() -> None:
    settings, problems = merged({"max-tokens": 5, "menu": {"deadline-ms": 300}})
    assert (settings.max_tokens, settings.menu.deadline_ms, problems) == (5, 300, [])


def test_null_is_what_editors_send_for_unset() -> None:
    settings, problems = merged({"max_tokens": None, "backend": None})
    assert settings == Settings()
    assert problems == []


@pytest.mark.parametrize(
    ("data", "setting", "why"),
    [
        ({"max_tokens": "5"}, "max_tokens", "a whole number"),
        ({"max_tokens": True}, "max_tokens", "a number"),
        ({"max_tokens": 0}, "max_tokens", ">= 1"),
        ({"temperature": 2.5}, "temperature", "<= 2.0"),
        ({"enabled": 1}, "enabled", "true or false"),
        ({"multiline": "sometimes"}, "multiline", "'auto'"),
        ({"disabled_languages": "python"}, "disabled_languages", "a list"),
        ({"disabled_languages": ["python", 3]}, "disabled_languages", "a string"),
        ({"backend": {"url": "127.0.0.1:5000"}}, "backend.url", "http://"),
        ({"backend": {"kind": "openai"}}, "backend.kind", "'tabbyapi'"),
        ({"backend": "http://127.0.0.1:5000"}, "backend", "a table"),
        ({"backend": {"headers": {"a": 1}}}, "backend.headers", "strings"),
        ({"tokens": 5}, "tokens", "unknown"),
        ({"debounce_ms": -1}, "debounce_ms", ">= 0"),
    ],
)
def test_a_wrong_setting_is_named_and_the_rest_still_works(
    data: dict[str, Any], setting: str, why: str
) -> None:
    settings, [problem] = merged({**data, "context": {"prefix_share": 0.5}})
    assert problem.startswith(f"setting {setting!r} in initializationOptions")
    assert why in problem
    assert settings.context.prefix_share == 0.5


def test_a_problem_never_shows_what_may_be_a_key() -> None:
    _, problems = merged(
        {"backend": {"api_key": "s3cret", "headers": {"x": ["s3cret"]}, "api_key_command": "s3cret"}}
    )
    assert len(problems) == 3
    assert "s3cret" not in "".join(problems)


def test_a_project_cannot_say_where_code_and_keys_go() -> None:
    for setting in ("url", "api_key_file", "api_key_env", "headers", "api_key_command", "kind", "model"):
        value: Any = {"headers": {"x": "y"}, "api_key_command": ["x"], "kind": "local"}.get(
            setting, "http://evil"
        )
        settings, [problem] = merged({"backend": {setting: value}}, Source.WORKSPACE)
        assert settings == Settings()
        assert f"backend.{setting}" in problem


def test_a_client_that_repeats_its_initialization_options_is_not_blamed() -> None:
    options = {"backend": {"url": "http://127.0.0.1:5000"}, "max_tokens": 9}
    settings, _ = Settings().merged(options, Source.INITIALIZATION)
    again, problems = settings.merged(options, Source.WORKSPACE)
    assert (again, problems) == (settings, [])


def test_every_setting_can_come_from_the_environment() -> None:
    names = {"TABBY_LS_" + "_".join(path).upper() for path in setting_paths()}
    assert {"TABBY_LS_BACKEND_URL", "TABBY_LS_MAX_TOKENS", "TABBY_LS_MENU_SHOW"} <= names


def test_the_environment_is_read_as_toml_or_as_plain_text() -> None:
    data = from_environment(
        {
            "TABBY_LS_MAX_TOKENS": "12",
            "TABBY_LS_ENABLED": "false",
            "TABBY_LS_BACKEND_URL": "http://127.0.0.1:5000",
            "TABBY_LS_DISABLED_LANGUAGES": '["markdown"]',
            "TABBY_LS_UNHEARD_OF": "1",
        }
    )
    assert data == {
        "max_tokens": 12,
        "enabled": False,
        "backend": {"url": "http://127.0.0.1:5000"},
        "disabled_languages": ["markdown"],
    }


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("max_tokens = 7\ntemperature = 0.5\n[backend]\nurl = 'http://127.0.0.1:1'\n")
    settings, problems = load({"TABBY_LS_MAX_TOKENS": "8"}, file)
    assert (settings.max_tokens, settings.temperature, settings.backend.url) == (8, 0.5, "http://127.0.0.1:1")
    assert problems == []


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    assert load({}, tmp_path / "none.toml") == (Settings(), [])


def test_a_broken_file_is_one_problem_and_the_defaults_hold(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("max_tokens = = 7")
    settings, [problem] = load({}, file)
    assert settings == Settings()
    assert "cannot be read" in str(problem)
