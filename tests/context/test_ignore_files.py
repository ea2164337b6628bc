"""Ignore files, held against git itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabby_ls.context.ignore_files import IgnoreFiles

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git on this machine")


@pytest.fixture(autouse=True)
def no_rules_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def tree(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def by_git(root: Path, *names: str) -> set[str]:
    """Those of the names that git ignores."""
    environment = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(root)}
    command = ["git", "-C", str(root), "check-ignore", "--no-index", "-z", "--stdin"]
    asked = "\0".join(names)
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, input=asked)
    return set(done.stdout.split("\0")) - {""}


PATTERNS = [
    "*.log",
    "!keep.log",
    "/build",
    "build/",
    "a/*",
    "!a/x.py",
    "!a/b/",
    "**/b/*.py",
    "a/**/x.py",
    "x.py",
    "!x.py",
    "a/b",
    "# a comment",
    "",
    "\\#x",
    "b/",
    "*",
    "!*/",
    "!*.py",
]
NAMES = [
    "x.py",
    "keep.log",
    "a/x.py",
    "a/keep.log",
    "a/b/x.py",
    "a/b/c/x.py",
    "b/x.py",
    "build/x.py",
    "a/build",
    "#x",
]
rules = st.lists(st.sampled_from(PATTERNS), max_size=5).map("\n".join)


@needs_git
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules, rules, rules)
def test_git_says_the_same(tmp_path_factory: pytest.TempPathFactory, top: str, a: str, b: str) -> None:
    root = tmp_path_factory.getbasetemp() / "repository"
    if not root.exists():
        subprocess.run(["git", "init", "-q", str(root)], check=True)
    tree(root, {".gitignore": top, "a/.gitignore": a, "a/b/.gitignore": b})
    ignore = IgnoreFiles([root])
    assert {name for name in NAMES if ignore.ignored_by(str(root / name))} == by_git(root, *NAMES)


def test_a_file_in_an_ignored_folder_cannot_be_brought_back(tmp_path: Path) -> None:
    root = tree(tmp_path, {".gitignore": "out/\n", "out/.gitignore": "!a.py\n"})
    assert IgnoreFiles([root]).ignored_by(str(root / "out/a.py")) == ".gitignore"


def test_the_users_own_file_is_another_kind_and_has_the_last_word(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {".gitignore": "*.gen.py\nbuild/\n", ".tabbyignore": "private/\n!api.gen.py\n!build/api.py\n"},
    )
    ignore = IgnoreFiles([root])
    verdicts = {
        "x.gen.py": ".gitignore",
        "api.gen.py": "",
        "build/a.py": ".gitignore",
        "build/api.py": "",
        "private/a.py": ".tabbyignore",
        "b.py": "",
    }
    assert {name: ignore.ignored_by(str(root / name)) for name in verdicts} == verdicts


def test_the_repositorys_own_list_counts(tmp_path: Path) -> None:
    root = tree(tmp_path, {".git/info/exclude": "notes.md\n", "a/b.md": ""})
    ignore = IgnoreFiles([])
    assert ignore.ignored_by(str(root / "a/notes.md")) == ".gitignore"
    assert ignore.ignored_by(str(root / "a/b.md")) == ""


def test_so_does_the_users_own_where_git_has_it_by_default(tmp_path: Path) -> None:
    root = tree(tmp_path, {"config/git/ignore": "*.bak\n", "work/.git/HEAD": ""})
    assert IgnoreFiles([]).ignored_by(str(root / "work/a.bak")) == ".gitignore"


def test_a_file_in_no_repository_and_no_folder_of_the_session_is_ignored_by_nobody(tmp_path: Path) -> None:
    root = tree(tmp_path, {".gitignore": "*\n"})
    assert IgnoreFiles([root / "project"]).ignored_by(str(root / "a.py")) == ""


def test_a_repository_around_the_sessions_folder_counts(tmp_path: Path) -> None:
    root = tree(tmp_path, {".git/HEAD": "", ".gitignore": "*.log\n", "packages/one/a.py": ""})
    ignore = IgnoreFiles([root / "packages/one"])
    assert ignore.ignored_by(str(root / "packages/one/x.log")) == ".gitignore"


def test_a_saved_ignore_file_counts_at_once(tmp_path: Path) -> None:
    ignore = IgnoreFiles([tmp_path])
    file = str(tmp_path / "a.py")
    assert ignore.ignored_by(file) == ""
    tree(tmp_path, {".gitignore": "a.py\n"})
    ignore.changed()
    assert ignore.ignored_by(file) == ".gitignore"


def test_a_change_that_nobody_tells_of_counts_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ignore = IgnoreFiles([tree(tmp_path, {".gitignore": "b.py\n"})])
    file = str(tmp_path / "a.py")
    assert ignore.ignored_by(file) == ""
    tree(tmp_path, {".gitignore": "a.py\nb.py\n"})
    monkeypatch.setattr("tabby_ls.context.ignore_files._LOOK_EVERY", 0.0)
    assert ignore.ignored_by(file) == ".gitignore"


@needs_git
@pytest.mark.parametrize("line", ["[z-a]", "a\\", "!", "!\\", "a/\\"])
def test_a_line_that_is_no_pattern_takes_nothing_from_the_others(tmp_path: Path, line: str) -> None:
    root = tree(
        tmp_path / "root",
        {".gitignore": f"*.log\n{line}\n/secrets\n", "a.log": "", "a.py": "", "secrets": ""},
    )
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    ignore_files = IgnoreFiles([root])
    names = {"a.log", "secrets", "a.py"}
    assert {name for name in names if ignore_files.ignored_by(str(root / name))} == by_git(root, *names)


def test_an_ignore_file_that_is_no_text_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"\xff\xfe\0[\n*.log\n")
    assert IgnoreFiles([tmp_path]).ignored_by(str(tmp_path / "a.log")) == ".gitignore"


def test_what_python_makes_of_a_pattern_is_no_message_to_the_user(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    tree(tmp_path, {".gitignore": "[[:foo:]]x\n*.log\n"})
    assert IgnoreFiles([tmp_path]).ignored_by(str(tmp_path / "a.log")) == ".gitignore"
    assert [str(warning.message) for warning in recwarn] == []
