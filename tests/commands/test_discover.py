"""`tabby-ls check --discover`: what is found on this machine, and the lines to paste."""

from __future__ import annotations

import tomllib

import pytest

from tabby_ls.backends import detect
from tabby_ls.backends.detect import Found
from tabby_ls.commands import discover
from tabby_ls.commands.config import template
from tabby_ls.commands.discover import print_found, report
from tabby_ls.settings import BackendSettings, Settings, Source
from tests.support.tabbyapi import ScriptedTabbyAPI

TABBY = Found("tabbyapi", "TabbyAPI", "", "http://127.0.0.1:5000", needs_key=True)
OLLAMA = Found("ollama", "Ollama", "", "http://127.0.0.1:11434", "0.12", ("a", "b", "c", "d"))


def pasted(lines: list[str]) -> Settings:
    """The settings that the printed lines are."""
    start = next(index for index, line in enumerate(lines) if line.startswith("["))
    settings, problems = Settings().merged(tomllib.loads("\n".join(lines[start:])), Source.FILE)
    assert problems == []
    return settings


def test_one_server_is_told_with_the_lines_to_paste() -> None:
    lines = list(report([TABBY], Settings(), {}))
    assert lines[0] == "- TabbyAPI at http://127.0.0.1:5000"
    assert pasted(lines).backend.url == TABBY.url
    assert any("wants a key" in line for line in lines)


def test_several_servers_can_all_be_used() -> None:
    lines = list(report([TABBY, OLLAMA], Settings(), {}))
    servers = pasted(lines).servers
    assert [server.url for server in servers] == [TABBY.url, OLLAMA.url]
    assert servers[0].api_key_env == "TABBY_LS_API_KEY"
    assert any('("a", "b", "c", ...)' in line for line in lines)


def test_what_the_settings_name_already_is_not_told_again() -> None:
    settings = Settings(backend=BackendSettings(url="http://127.0.0.1:5000/v1"))
    assert list(report([TABBY], settings, {}))[-1].startswith("Your settings name it already")
    assert pasted(list(report([TABBY, OLLAMA], settings, {}))).backend.url == OLLAMA.url


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (template(), [TABBY]),
        (template(), [TABBY, OLLAMA]),
        ('[backend]\nurl = "http://gpu.lan"\n', [TABBY]),
        ('[backend]\nurl = "http://gpu.lan"\n', [TABBY, OLLAMA]),
        ('max_tokens = 64\n[[backends]]\nurl = "http://gpu.lan"\n', [TABBY]),
        ("", [TABBY]),
    ],
)
def test_the_lines_fit_into_the_file_that_is_there(there: str, found: list[Found]) -> None:
    in_file = tomllib.loads(there)
    lines = list(report(found, Settings().merged(in_file, Source.FILE)[0], in_file))
    where = next(line for line in lines if line.endswith("tries every step:"))
    toml = [line for line in lines[lines.index(where) + 1 :] if line.startswith(("[", "url", "api_key"))]
    if "under [backend]" in where:
        before, table, after = there.partition("[backend]\n")
        after = "\n".join(line for line in after.splitlines() if not line.startswith("url"))
        text = "\n".join([before, table, *toml, after])
    else:
        text = "\n".join([there, *toml])
    settings, problems = Settings().merged(tomllib.loads(text), Source.FILE)
    assert problems == []
    assert {server.url for server in found} <= {server.url for server in settings.servers}


def test_that_a_list_takes_the_place_of_the_one_is_said() -> None:
    settings = Settings(backend=BackendSettings(url="http://gpu.lan"))
    assert "takes the place of [backend]" in list(report([TABBY, OLLAMA], settings, {}))[-1]


def test_where_nothing_is_there_it_is_said_what_to_do() -> None:
    (line,) = report([], Settings(), {})
    assert "tabby-ls check --backend" in line


def test_a_server_that_runs_is_found_and_sent_neither_key_nor_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TABBY_LS_API_KEY", "k3y")
    with ScriptedTabbyAPI() as server:
        port = int(server.url.rpartition(":")[2])
        monkeypatch.setattr(discover, "discover", lambda: detect.discover(ports=[port, 1]))
        assert print_found() == 0
        assert f'url = "{server.url}"' in capsys.readouterr().out
        assert server.requests
        assert not any("authorization" in request.headers for request in server.requests)
        assert server.completions == []
    monkeypatch.setattr(discover, "discover", lambda: detect.discover(ports=[1]))
    assert print_found() == 1
