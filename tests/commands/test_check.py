"""`tabby-ls check`: each step with a verdict, and what to do where one fails."""

from __future__ import annotations

from tests.commands.conftest import Run
from tests.support.tabbyapi import ScriptedTabbyAPI


def steps(output: str) -> dict[str, str]:
    """The verdict mark of each step by its name."""
    return {line.split()[1]: line.split()[0] for line in output.splitlines() if line[:1] in "✓!✗"}


def test_a_server_that_works_passes_every_step(run: Run, server: ScriptedTabbyAPI) -> None:
    result = run("check", "--backend", server.url)
    assert result.returncode == 0
    assert steps(result.stdout) == dict.fromkeys(
        ["settings", "address", "key", "model", "family", "tokens", "context", "answer"], "✓"
    )
    assert "TabbyAPI" in result.stdout
    assert "qwen-coder" in result.stdout


def test_without_a_server_it_says_so_and_how_to_name_one(run: Run) -> None:
    result = run("check")
    assert result.returncode == 0
    assert "local model" in result.stdout
    assert "TABBY_LS_BACKEND_URL" in result.stdout


def test_nobody_at_the_address(run: Run) -> None:
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


def test_no_model_is_loaded(run: Run, server: ScriptedTabbyAPI) -> None:
    server.model = None
    result = run("check", "--backend", server.url)
    assert result.returncode == 1
    assert steps(result.stdout)["model"] == "✗"


def test_a_family_whose_tokens_the_model_does_not_know(run: Run, server: ScriptedTabbyAPI) -> None:
    result = run("check", "--backend", server.url, TABBY_LS_BACKEND_FAMILY="starcoder2")
    assert result.returncode == 1
    assert steps(result.stdout)["tokens"] == "✗"
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


def test_a_server_that_fails_while_answering(run: Run, server: ScriptedTabbyAPI) -> None:
    server.reply("x", ending="error")
    result = run("check", "--backend", server.url)
    assert result.returncode == 1
    assert steps(result.stdout)["answer"] == "✗"
