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


@pytest.mark.parametrize(("tokens", "deadline"), [("max-tokens", "deadline-ms"), ("maxTokens", "deadlineMs")])
def test_names_may_be_written_with_dashes_or_in_camel_case(tokens: str, deadline: str) -> None:
    settings, problems = merged({tokens: 5, "menu": {deadline: 300}})
    assert (settings.max_tokens, settings.menu.deadline_ms, problems) == (5, 300, [])


def test_a_problem_names_a_setting_as_the_user_spelled_it() -> None:
    _, problems = merged({"menu": {"deadlineMs": "soon"}})
    assert problems[0].startswith("setting 'menu.deadlineMs'")


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
        ({"backend": {"kind": "vllm"}}, "backend.kind", "'openai'"),
        ({"backend": {"max_in_flight": 0}}, "backend.max_in_flight", ">= 1"),
        ({"backends": {"url": "http://127.0.0.1:1"}}, "backends", "a list of tables"),
        ({"backends": [{"kind": "vllm"}]}, "backends[0].kind", "'openai'"),
        ({"backends": [{}, {"port": 1}]}, "backends[1].port", "unknown"),
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
    assert problem.startswith(f"setting {setting!r} in the editor's settings (initializationOptions)")
    assert why in problem
    assert settings.context.prefix_share == 0.5


def test_a_problem_never_shows_what_may_be_a_key() -> None:
    _, problems = merged(
        {"backend": {"api_key": "s3cret", "headers": {"x": ["s3cret"]}, "api_key_command": "s3cret"}}
    )
    assert len(problems) == 3
    assert "s3cret" not in "".join(problems)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"backend": {"ulr": "x"}}, "unknown; did you mean url?"),
        ({"url": "x"}, "unknown; did you mean backend.url?"),
        (
            {"backend": {"api_key": "x"}},
            "unknown; did you mean api_key_env or api_key_file or api_key_command?",
        ),
        ({"tabby-ls": {}}, "unknown; known are backend, backends, "),
        ({"trigger": "sometimes"}, ": must be one of 'automatic', 'manual'"),
        ({"max_tokens": "many"}, "(initializationOptions): must be a whole number"),
        ({"debounce_ms": -4}, "(initializationOptions): must be >= 0"),
    ],
)
def test_a_problem_says_what_to_write_instead(data: dict[str, Any], why: str) -> None:
    _, [problem] = merged(data)
    assert why in problem


def test_a_slip_in_the_name_of_a_variable_is_named_and_a_key_of_the_users_own_is_not(tmp_path: Path) -> None:
    environ = {
        "TABBY_LS_BACKEND_ULR": "http://127.0.0.1:1",
        "TABBY_LS_CONFIG": "x",
        "TABBY_LS_BACKEND_KEY": "s3cret",
        "TABBY_LS_HF_TOKEN": "s3cret",
        "TABBY_LS_QZX": "1",
        "TABBY_LS_URL": "http://127.0.0.1:1",
    }
    _, problems = load(environ, tmp_path / "none.toml")
    assert [problem.setting for problem in problems] == ["TABBY_LS_BACKEND_ULR", "TABBY_LS_URL"]
    assert {problem.why for problem in problems} == {"unknown; did you mean TABBY_LS_BACKEND_URL?"}


def test_several_servers_replace_the_one() -> None:
    servers = [
        {"url": "http://127.0.0.1:1", "requests": "automatic"},
        {"kind": "ollama", "languages": ["go"]},
    ]
    settings, problems = merged({"backend": {"url": "http://127.0.0.1:3"}, "backends": servers})
    assert problems == []
    assert [server.url for server in settings.servers] == ["http://127.0.0.1:1", ""]
    first, second = settings.servers
    assert (first.serves("go", invoked=False), first.serves("go", invoked=True)) == (True, False)
    assert (second.serves("go", invoked=True), second.serves("python", invoked=True)) == (True, False)


def test_no_server_of_a_list_gets_the_key_that_was_meant_for_another() -> None:
    assert Settings().backend.api_key_env == "TABBY_LS_API_KEY"
    settings, _ = merged({"backends": [{"url": "https://one.example"}]})
    assert settings.servers[0].api_key_env == ""


@pytest.mark.parametrize("one", [{"url": "http://127.0.0.1:2"}, {"kind": "local"}])
def test_a_later_source_that_names_one_server_replaces_an_earlier_list(one: dict[str, str]) -> None:
    settings, _ = merged({"backends": [{"url": "http://127.0.0.1:1"}]})
    settings, _ = settings.merged({"backend": one}, Source.COMMAND_LINE)
    assert settings.servers == (Settings().merged({"backend": one}, Source.COMMAND_LINE)[0].backend,)


def test_a_project_cannot_name_servers() -> None:
    settings, problems = merged({"backends": [{"url": "http://evil"}]}, Source.WORKSPACE)
    assert settings == Settings()
    assert "ignored here" in problems[0]
    settings, _ = merged({"backends": [{"url": "http://127.0.0.1:1"}]})
    _, problems = settings.merged({"backends": [{"url": "http://127.0.0.1:1"}]}, Source.WORKSPACE)
    assert problems == []
    for_one, _ = settings.merged({"backend": {"url": "http://evil"}}, Source.WORKSPACE)
    assert for_one == settings, "nor take those away that the user has named"


def test_a_project_excludes_more_and_brings_nothing_back() -> None:
    said = {"exclude": ["*.md", "!*", "*.log"]}
    alone, problems = merged(said, Source.WORKSPACE)
    assert (alone.exclude, problems) == (("*.md", "!*", "*.log"), []), "where the user excludes nothing else"
    settings, _ = merged({"exclude": ["internal/", "*.md", "!README.md"]})
    settings, _ = settings.merged(said, Source.WORKSPACE)
    assert settings.exclude == ("internal/", "*.md", "!README.md", "*.log")


def test_a_project_cannot_say_where_code_and_keys_go() -> None:
    for setting in ("url", "api_key_file", "api_key_env", "headers", "api_key_command", "kind", "model"):
        value: Any = {"headers": {"x": "y"}, "api_key_command": ["x"], "kind": "local"}.get(
            setting, "http://evil"
        )
        settings, [problem] = merged({"backend": {setting: value}}, Source.WORKSPACE)
        assert settings == Settings()
        assert f"backend.{setting}" in problem


def test_a_client_that_repeats_its_initialization_options_is_not_blamed() -> None:
    options = {"backend": {"url": "http://127.0.0.1:5000"}, "max_tokens": 9, "exclude": ["*.sql"]}
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


@pytest.mark.parametrize("content", [b"max_tokens = = 7", b"\xff\xfem\x00"])
def test_a_broken_file_is_one_problem_and_the_defaults_hold(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    settings, [problem] = load({}, file)
    assert settings == Settings()
    assert str(problem).startswith(f"the configuration file {file} cannot be read: ")
