"""`tabby-ls index`: what the local model learns from a folder, and where it keeps it."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

import pytest

from tabby_ls.commands.index import index
from tabby_ls.commands.workspace import project_of
from tests.commands.conftest import Run


def test_it_tells_what_it_learned_from(run: Run, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.py").write_text("def first(a):\n    return a\n")
    (project / ".env").write_text("KEY=1\n")
    first, second = run("index", "project"), run("index", "project")
    assert first.stdout.startswith("1 files")
    assert "1 of them new or changed" in first.stdout
    assert "0 of them new or changed" in second.stdout
    assert (first.returncode, second.returncode) == (0, 0)


def test_what_it_learned_is_used_by_complete(run: Run, tmp_path: Path) -> None:
    (tmp_path / "project" / ".git").mkdir(parents=True)
    (tmp_path / "project" / "a.py").write_text(
        "def first(argument):\n    return compute_everything(argument)\n" * 2
    )
    result = run("complete", "--stdin", "project/b.py:2", stdin="def first(argument):\n    return compute_ev")
    assert result.stdout == "erything(argument)\n"


def test_a_folder_that_is_not_there_is_one_line(run: Run) -> None:
    result = run("index", "nowhere")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)


def test_a_folder_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        os, "access", lambda *_: False
    )  # no folder is closed to root, who runs the tests in CI
    assert index(Namespace(folder=str(tmp_path))) == 1
    assert capsys.readouterr().err == f"tabby-ls: {tmp_path} cannot be read: Permission denied\n"


def test_an_index_that_cannot_be_kept_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run("index", ".", XDG_CACHE_HOME=str(tmp_path / "file"))
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "could not be built" in result.stderr


def test_a_files_project_is_its_repository_or_what_marks_one_and_never_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for folder in (".git", "repository/.git", "repository/package", "other"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "repository/package/pyproject.toml").touch()
    (tmp_path / "other/package.json").touch()
    assert project_of(tmp_path / "repository/package/a.py") == tmp_path / "repository"
    assert project_of(tmp_path / "other/src/a.js") == tmp_path / "other"
    assert project_of(tmp_path / "notes.py") is None
