"""A project from a stranger: opening it and learning from it runs nothing, hangs nowhere and reads nothing outside."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from tabby_ls.context.ignore_files import IgnoreFiles
from tabby_ls.foreign_files import read_file
from tabby_ls.ignore_rules import simplify
from tests.commands.conftest import Run
from tests.support.editor import Editor
from tests.support.profiles import GHOST_TEXT
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX files")
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")

Learned = Callable[[str], bool]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "ordinary.py").write_text("ordinary_word = 1\n")
    return folder


def git(project: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(project), *arguments], check=True, capture_output=True)


# --- git ---


@needs_git
def test_git_runs_no_program_that_the_repository_names(run: Run, project: Path, learned: Learned) -> None:
    """A downloaded archive brings its own .git/config, and `core.fsmonitor` there is a program."""
    ran = project.parent / "ran"
    git(project, "init", "-q")
    git(project, "add", ".")
    program = project / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    git(project, "config", "core.fsmonitor", str(program))
    subprocess.run(["git", "-C", str(project), "ls-files", "--others"], check=True, capture_output=True)
    assert ran.exists(), "the test means nothing: git does not run it here"
    ran.unlink()
    assert run("index", str(project)).returncode == 0
    assert not ran.exists()
    assert learned("ordinary_word")


@needs_git
def test_a_tracked_folder_that_became_a_link_is_not_followed(
    run: Run, project: Path, learned: Learned
) -> None:
    (project / "folder").mkdir()
    (project / "folder" / "notes.py").write_text("inner_word = 1\n")
    git(project, "init", "-q")
    git(project, "add", ".")
    shutil.rmtree(project / "folder")
    outside = project.parent / "outside"
    outside.mkdir()
    (outside / "notes.py").write_text("outside_word = 1\n")
    (project / "folder").symlink_to(outside)
    listed = subprocess.run(["git", "-C", str(project), "ls-files"], capture_output=True, check=True).stdout
    assert b"folder/notes.py" in listed
    assert run("index", str(project)).returncode == 0
    assert learned("ordinary_word")
    assert not learned("outside_word")


@needs_git
def test_gits_variables_of_another_repository_do_not_count(run: Run, project: Path, learned: Learned) -> None:
    """An editor that git started, for a commit's message, has them in its environment."""
    other = project.parent / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(project, "init", "-q")
    git(project, "add", ".")
    assert run("index", str(project), GIT_DIR=str(other / ".git")).returncode == 0
    assert learned("ordinary_word")


@pytest.mark.parametrize("name", ["git", "json.py", "tabby_ls.py"])
def test_nothing_of_the_project_is_run(run: Run, project: Path, name: str) -> None:
    """Neither a program nor a module of the folder that the process stands in."""
    ran = project.parent / "ran"
    for folder in (project, project.parent):
        bait = folder / name
        script = f"#!/bin/sh\ntouch {ran}\n"
        bait.write_text(script if name == "git" else f"open({str(ran)!r}, 'w')\n")
        bait.chmod(0o755)
    path = f".{os.pathsep}{os.environ['PATH']}"
    # The tests' own start of it, `python -m`, looks into the current folder first; an installed program does not.
    result = run("index", str(project), PATH=path, PYTHONSAFEPATH="1")
    assert result.returncode == 0, result.stderr
    assert not ran.exists()


# --- files that are none ---


@posix
@pytest.mark.parametrize("ignored_by", [".gitignore", ".tabbyignore", ".ignore"])
@pytest.mark.parametrize("kind", ["pipe", "endless", "folder"])
def test_an_ignore_file_that_is_no_file_holds_nothing_up(
    run: Run, project: Path, learned: Learned, ignored_by: str, kind: str
) -> None:
    put(project / ignored_by, kind)
    assert run("index", str(project)).returncode == 0
    assert learned("ordinary_word")
    ignore = IgnoreFiles([project])
    assert ignore.ignored_by(str(project / "ordinary.py")) == ""


@posix
@pytest.mark.parametrize("kind", ["pipe", "endless", "folder", "dangling", "outside", "huge"])
def test_what_is_no_ordinary_file_is_not_learned_from(
    run: Run, project: Path, learned: Learned, kind: str
) -> None:
    put(project / "strange.py", kind)
    assert run("index", str(project)).returncode == 0
    assert learned("ordinary_word")
    assert not learned("outside_word")


@posix
async def test_a_session_in_such_a_project_works(tmp_path: Path, project: Path) -> None:
    for name in (".gitignore", ".tabbyignore"):
        put(project / name, "pipe")
    put(project / "strange.py", "endless")
    profile = {**GHOST_TEXT, "rootUri": project.as_uri()}
    with ScriptedTabbyAPI() as backend:
        backend.reply("1\n")
        async with Editor(tmp_path / "home", profile, backend=backend.url) as editor:
            editor.open("x = |\n", uri=(project / "new.py").as_uri())
            assert (await editor.ghost())[0].insert_text == "1"


def put(path: Path, kind: str) -> None:
    outside = path.parent.parent / "outside.py"
    outside.write_text("outside_word = 1\n")
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "endless":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "dangling":
            path.symlink_to("nowhere")
        case "outside":
            path.symlink_to(outside)
        case "huge":
            with path.open("wb") as file:
                file.truncate(1 << 40)


@posix
def test_a_file_is_read_no_further_than_wanted(tmp_path: Path) -> None:
    put(tmp_path / "sub.py", "huge")
    assert len(read_file(tmp_path / "sub.py", 10)) == 10
    for kind in ("pipe", "endless", "outside"):
        put(tmp_path / kind, kind)
        with pytest.raises(OSError):
            read_file(tmp_path / kind, 10)
    assert read_file(tmp_path / "outside", 7, follow=True) == b"outside"


# --- ignore files that take for ever ---

SLOW = "*a" * 30 + "*b\n" + "**/a/" * 12 + "**/b\n"
LONG = "a" * 200 + ".py"


def test_a_pattern_made_to_take_for_ever_does_not(run: Run, project: Path, learned: Learned) -> None:
    """As git's own matching would; without bounds this test does not end."""
    (project / LONG).write_text("long_word = 1\n")
    (project / ".gitignore").write_text(SLOW * 20)
    IgnoreFiles([project]).ignored_by(str(project / LONG))
    assert run("index", str(project)).returncode == 0
    assert learned("ordinary_word")


PARTS = st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[*]", "\\*", "/", "**", "/**/"]), max_size=12)
NAMES = st.lists(st.sampled_from(["a", "b", "*", "/"]), min_size=1, max_size=9)


@given(PARTS, NAMES)
def test_a_simplified_pattern_matches_at_least_as_much(parts: list[str], names: list[str]) -> None:
    line, name = "".join(parts), "/".join(filter(None, "".join(names).split("/"))) or "a"
    if GitIgnoreSpec.from_lines([line]).match_file(name):
        assert GitIgnoreSpec.from_lines([simplify(line)]).match_file(name)


@pytest.mark.parametrize("line", ["*.py", "/build", "a/**/b", "!keep.log", "*.[oa]", "# a comment", "*_*.c"])
def test_ordinary_patterns_stay_as_they_are(line: str) -> None:
    assert simplify(line) == line


# --- what a project may say ---


async def test_a_project_brings_nothing_back_that_the_user_excludes(tmp_path: Path, project: Path) -> None:
    """Neither by its settings nor by an exception in its ignore file; files of secrets stay out of all reach."""
    (project / ".tabbyignore").write_text("!*\n")
    (project / ".gitignore").write_text("!*\n")
    profile = {**GHOST_TEXT, "rootUri": project.as_uri()}
    with ScriptedTabbyAPI() as backend:
        backend.reply("1\n")
        async with Editor(
            tmp_path / "home",
            profile,
            backend=backend.url,
            settings={"exclude": ["internal/"]},
            configuration={"exclude": ["internal/", "!internal/", "!*", "more.py"]},
        ) as editor:
            for name in ("internal/a.py", "more.py", ".env", "id_rsa"):
                editor.open("x = |\n", uri=(project / name).as_uri())
                assert await editor.ghost(invoked=True) == [], name
            assert backend.completions == []
            editor.open("x = |\n", uri=(project / "other.py").as_uri())
            await eventually(lambda: editor.configuration_requests)
            assert await editor.ghost()
