"""Where the API key comes from, and that it goes nowhere else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tabby_ls.backends import credentials
from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.backends.credentials import find_api_key, forget_api_key
from tabby_ls.settings import BackendSettings


async def test_without_a_word_about_a_key_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABBY_LS_API_KEY", raising=False)
    assert await find_api_key(BackendSettings()) is None


async def test_a_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "abc")
    assert await find_api_key(BackendSettings(api_key_env="MY_KEY")) == "abc"


@pytest.mark.parametrize("folder", ["", "~/"])
async def test_or_from_the_first_line_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / "key").write_text("  abc \nsomething else\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert await find_api_key(BackendSettings(api_key_file=f"{folder}key")) == "abc"


async def test_or_from_what_a_command_prints() -> None:
    command = [sys.executable, "-c", "print('abc')"]
    assert await find_api_key(BackendSettings(api_key_command=command)) == "abc"


async def test_a_command_is_run_once_until_its_key_is_refused(tmp_path: Path) -> None:
    counter = tmp_path / "runs"
    counter.write_text("")
    code = f"open({str(counter)!r}, 'a').write('x'); print('abc')"
    settings = BackendSettings(api_key_command=[sys.executable, "-c", code])
    for _ in range(2):
        assert await find_api_key(settings) == "abc"
    assert counter.read_text() == "x"
    forget_api_key(settings)
    await find_api_key(settings)
    assert counter.read_text() == "xx"


@pytest.mark.parametrize(
    "settings",
    [
        {"api_key_file": "/nowhere/at/all"},
        {"api_key_command": ["no-such-command-here"]},
        {"api_key_command": [sys.executable, "-c", "print('s3cret'); raise SystemExit(3)"]},
        {"api_key_command": [sys.executable, "-c", "pass"]},
    ],
)
async def test_a_source_that_fails_is_named_without_what_it_said(settings: dict[str, object]) -> None:
    with pytest.raises(BackendError) as caught:
        await find_api_key(BackendSettings(**settings))
    assert caught.value.trouble is Trouble.UNAUTHORIZED
    assert next(iter(settings)) in caught.value.message
    assert "s3cret" not in caught.value.message


async def test_a_command_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_COMMAND_SECONDS", 0.1)
    command = [sys.executable, "-c", "import time; time.sleep(3600)"]
    with pytest.raises(BackendError, match="did not end in time"):
        await find_api_key(BackendSettings(api_key_command=command))


async def test_an_empty_file_is_no_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("\n")
    with pytest.raises(BackendError, match="empty"):
        await find_api_key(BackendSettings(api_key_file=str(file)))
