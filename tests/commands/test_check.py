"""`tabby-ls check`: each step with a verdict, and what to do where one fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Run
from tests.support.other_servers import ScriptedHosted, ScriptedOllama, ScriptedOpenAI
from tests.support.tabbyapi import ScriptedTabbyAPI


def steps(output: str) -> dict[str, str]:
    """The verdict mark of each step by its name."""
    return {
        line.split()[1]: line.split()[0] for line in output.splitlines() if line.startswith(("✓", "!", "✗"))
    }


def test_a_server_that_works_passes_every_step(run: Run, server: ScriptedTabbyAPI) -> None:
    server.reply_endlessly("a + b\n")  # more than the first line is not waited for
    result = run("check", "--backend", server.url)
    assert result.returncode == 0
    assert steps(result.stdout) == dict.fromkeys(
        ["settings", "address", "key", "model", "family", "tokens", "context", "answer"], "✓"
    )
    assert "TabbyAPI" in result.stdout
    assert "qwen-coder" in result.stdout


def test_a_server_that_was_tried_can_be_kept(run: Run, server: ScriptedTabbyAPI, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    where = {"TABBY_LS_CONFIG": "~/config.toml"}
    tried = run("check", "--backend", server.url, **where).stdout
    assert f"Put this at the end of {file} to keep it:" in tried
    file.write_text(tried.split(":\n\n")[-1])
    kept = run("check", "--backend", server.url, **where).stdout
    assert "Put this" not in kept
    assert f"{server.url} answers" in run("check", **where).stdout
    assert "Put this" not in run("check", "--backend", "http://127.0.0.1:1", **where).stdout


def test_without_a_server_it_says_so_and_how_to_name_one(run: Run) -> None:
    result = run("check")
    assert result.returncode == 0
    assert "local model" in result.stdout
    assert "TABBY_LS_BACKEND_URL" in result.stdout


def test_settings_that_cannot_be_used_are_a_step_that_fails(run: Run) -> None:
    result = run("check", TABBY_LS_BACKEND_URL="localhost:5000", TABBY_LS_MAX_TOKENS="many")
    assert result.returncode == 1
    assert steps(result.stdout) == {"settings": "✗", "backend": "✓"}
    assert "'backend.url' in the environment: must begin with http://" in result.stdout
    assert "'max_tokens' in the environment: must be a whole number" in result.stdout


@pytest.mark.parametrize(
    ("address", "step", "said"),
    [
        ("http://nowhere.invalid", "address", "its name has no address"),
        ("SERVER/v1/completions", "address", "It ends before /v1"),
        ("https://codestral.mistral.ai", "address", "is Mistral, by its host name"),
    ],
)
def test_an_address_that_is_not_right(
    run: Run, server: ScriptedTabbyAPI, address: str, step: str, said: str
) -> None:
    result = run("check", "--backend", address.replace("SERVER", server.url))
    assert result.returncode == 1
    assert steps(result.stdout)["settings"] == "✓"
    assert step in steps(result.stdout)
    assert said in result.stdout


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://", "must name a host"),
        ("http://127.0.0.1:port", "must name a host"),
        ("http://me:word@gpu.lan", "must not hold a user"),
        ("http://gpu.lan/?key=1", "must not hold a user, a query"),
    ],
)
def test_an_address_that_is_none(run: Run, address: str, said: str) -> None:
    assert f"--backend {said}" in run("check", "--backend", address).stderr
    result = run("check", TABBY_LS_BACKEND_URL=address)
    assert f"'backend.url' in the environment: {said}" in result.stdout


def test_a_table_that_stands_twice_in_the_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[backend]\nurl = "http://a"\n\n[backend]\nurl = "http://b"\n')
    result = run("check", TABBY_LS_CONFIG=str(file))
    assert f"{file} cannot be read: [backend] stands there twice (at line 4" in result.stdout


def test_a_terminal_without_such_letters_gets_others(run: Run) -> None:
    result = run("check", PYTHONIOENCODING="ascii")
    assert result.returncode == 0
    assert result.stdout.startswith("+ settings")
    assert "-> to use a server" in result.stdout


def test_nobody_at_the_address_fails_that_step(run: Run) -> None:
    result = run("check", "--backend", "http://127.0.0.1:1")
    assert result.returncode == 1
    assert steps(result.stdout)["address"] == "✗"
    assert "is it running?" in result.stdout


def test_a_wrong_key_is_named_by_its_source_and_never_shown(run: Run) -> None:
    with ScriptedTabbyAPI(api_key="right") as server:
        result = run("check", "--backend", server.url, TABBY_LS_API_KEY="wr0ng-key")
        assert result.returncode == 1
        assert steps(result.stdout)["key"] == "✗"
        assert "TABBY_LS_API_KEY" in result.stdout
        assert "wr0ng-key" not in result.stdout + result.stderr


def test_no_loaded_model_fails_that_step(run: Run, server: ScriptedTabbyAPI) -> None:
    server.model = None
    result = run("check", "--backend", server.url)
    assert result.returncode == 1
    assert steps(result.stdout)["model"] == "✗"


def test_a_family_whose_tokens_the_model_does_not_know_fails_and_ends_it(
    run: Run, server: ScriptedTabbyAPI
) -> None:
    result = run("check", "--backend", server.url, TABBY_LS_BACKEND_FAMILY="starcoder2")
    assert result.returncode == 1
    assert steps(result.stdout)["tokens"] == "✗"
    assert "answer" not in steps(result.stdout), "it ends with what failed"
    assert "<fim_middle>" in result.stdout


def test_an_unknown_family_is_answered_with_the_known_ones(run: Run, server: ScriptedTabbyAPI) -> None:
    result = run("check", "--backend", server.url, TABBY_LS_BACKEND_FAMILY="qwen-codr")
    assert result.returncode == 1
    assert "Did you mean 'qwen-coder'?" in result.stdout


def test_a_model_that_cannot_fill_in_the_middle_is_a_warning(run: Run) -> None:
    with ScriptedTabbyAPI(model="Yi-Coder-9B", special_tokens=()) as server:
        result = run("check", "--backend", server.url)
        assert result.returncode == 0
        assert steps(result.stdout)["family"] == "!"


def test_a_server_that_fails_while_answering_fails_the_last_step(run: Run, server: ScriptedTabbyAPI) -> None:
    server.reply("x", ending="error")
    result = run("check", "--backend", server.url)
    assert result.returncode == 1
    assert steps(result.stdout)["answer"] == "✗"


def test_a_model_that_says_nothing_is_a_warning(run: Run, server: ScriptedTabbyAPI) -> None:
    server.reply("")
    result = run("check", "--backend", server.url)
    assert result.returncode == 0
    assert steps(result.stdout)["answer"] == "!"
    assert "without any text" in result.stdout


def test_ollama_passes_every_step(run: Run) -> None:
    with ScriptedOllama() as server:
        result = run("check", "--backend", server.url)
    assert result.returncode == 0
    assert steps(result.stdout) == dict.fromkeys(
        ["settings", "address", "key", "model", "family", "context", "answer"], "✓"
    )
    assert "Ollama, 0.12.3 (/api/version)" in result.stdout
    assert "the server puts prefix and suffix together by itself" in result.stdout


def test_an_openai_server_passes_every_step(run: Run) -> None:
    with ScriptedOpenAI(api_key="k3y") as server:
        result = run("check", "--backend", server.url, TABBY_LS_API_KEY="k3y")
    assert result.returncode == 0
    assert set(steps(result.stdout).values()) == {"✓"}
    assert "vLLM (/v1/models, owned by 'vllm')" in result.stdout
    assert "k3y" not in result.stdout


def test_a_server_that_wants_a_key_and_gets_none_fails_that_step(run: Run) -> None:
    with ScriptedOpenAI("", api_key="k3y") as server:
        result = run("check", "--backend", server.url)
    assert result.returncode == 1
    assert steps(result.stdout)["key"] == "✗"
    assert "wants an API key" in result.stdout
    assert "TABBY_LS_API_KEY, which is not set" in result.stdout


def test_a_service_is_checked_by_an_answer(run: Run) -> None:
    with ScriptedHosted("mistral") as server:
        environment = {"TABBY_LS_BACKEND_KIND": "mistral", "TABBY_LS_BACKEND_URL": server.url}
        result = run("check", TABBY_LS_API_KEY="k3y", **environment)
        assert result.returncode == 0
        assert steps(result.stdout)["answer"] == "✓"
        assert "codestral-latest" in result.stdout
        result = run("check", TABBY_LS_API_KEY="wr0ng", **environment)
    assert result.returncode == 1
    assert steps(result.stdout)["key"] == "✗"
    assert "wr0ng" not in result.stdout


def test_a_chat_is_called_the_last_resort(run: Run) -> None:
    with ScriptedOpenAI("", chat_only=True) as server:
        result = run("check", "--backend", server.url)
    assert result.returncode == 0
    assert steps(result.stdout)["model"] == "!"
    assert "last resort" in result.stdout


def test_a_kind_that_does_not_fit_the_server_is_a_warning(run: Run, server: ScriptedTabbyAPI) -> None:
    result = run("check", "--backend", server.url, TABBY_LS_BACKEND_KIND="openai")
    assert steps(result.stdout)["address"] == "✓", "--backend names an address, and its kind is found"
    environment = {"TABBY_LS_BACKEND_KIND": "openai", "TABBY_LS_BACKEND_URL": server.url}
    result = run("check", **environment)
    assert steps(result.stdout)["address"] == "!"
    assert "looks like tabbyapi" in result.stdout


def test_several_servers_are_checked_one_after_the_other(run: Run, tmp_path: Path) -> None:
    with ScriptedOllama() as ollama:
        (tmp_path / "config.toml").write_text(
            "[[backends]]\nurl = 'http://127.0.0.1:1'\nlanguages = ['go']\n"
            f"[[backends]]\nurl = '{ollama.url}'\nrequests = 'explicit'\n"
            "[[backends]]\nkind = 'local'\n"
        )
        result = run("check", TABBY_LS_CONFIG=str(tmp_path / "config.toml"))
    assert result.returncode == 1
    assert [line.split()[:2] for line in result.stdout.splitlines() if line[:1] in "✓!✗"] == [
        ["✓", "settings"],
        ["✓", "backend"],
        ["✗", "address"],
        ["✓", "backend"],
        *(["✓", step] for step in ("address", "key", "model", "family", "context", "answer")),
        ["✓", "backend"],
        ["✓", "backend"],
    ]
    assert "for go" in result.stdout
    assert "for explicit requests" in result.stdout
