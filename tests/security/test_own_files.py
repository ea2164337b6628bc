"""What is kept on disk: for the user alone whatever the umask, and never in others' hands."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tabby_ls.journal import trace
from tabby_ls.local_model.build import refresh
from tabby_ls.local_model.index import folder_of, load
from tabby_ls.own_files import make_folder, open_to_append
from tests.support.editor import Editor
from tests.support.home import at_home
from tests.support.profiles import GHOST_TEXT
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
needs_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can make files of another user"
)
SOMEBODY = 65534


# --- who may look ---


@posix
async def test_everything_is_the_users_alone_even_without_a_umask(tmp_path: Path) -> None:
    project, files = tmp_path / "project", tmp_path / "files"
    project.mkdir()
    (project / "a.py").write_text("word = 1\n")
    home = tmp_path / "home"
    given = {
        "log": {"level": "debug", "file": str(files / "deep" / "log")},
        "trace": {"file": str(files / "deeper" / "trace")},
    }
    profile = {**GHOST_TEXT, "rootUri": project.as_uri()}
    make_folder(files / "deep")
    before = os.umask(0)
    try:
        with ScriptedTabbyAPI() as backend:
            backend.reply("1\n")
            async with Editor(
                home, profile, backend=backend.url, settings=given, is_first_run=True
            ) as editor:
                editor.open("x = |\n", uri=(project / "b.py").as_uri())
                assert await editor.ghost()
                await editor.run("tabby-ls.stats")
                await eventually(lambda: list((home / "cache").rglob("manifest.json")))
    finally:
        os.umask(before)
    ours = [path for path in (*home.rglob("*"), *files.rglob("*")) if path != home]
    names = {path.name for path in ours if path.is_file()}
    assert {"log", "trace", "stats.json", "manifest.json"} <= names
    for path in ours:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@posix
def test_what_commands_keep_is_the_users_alone_too(tmp_path: Path) -> None:
    code = "import os, sys; os.umask(0); sys.argv[0] = 'tabby-ls'; from tabby_ls.cli import main; sys.exit(main())"
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.py").write_text("word = 1\n")
    for arguments in (["config", "--init"], ["index", "a"]):
        command = [sys.executable, "-c", code, *arguments]
        subprocess.run(command, env=at_home(tmp_path), cwd=tmp_path, check=True, capture_output=True)
    for top in (".config", ".cache"):
        for path in (tmp_path / top, *(tmp_path / top).rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


# --- what others have put there ---


@needs_root
def test_a_link_that_somebody_planted_is_not_followed(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)  # without the sticky bit, so that the system's own protection does not help
    target = tmp_path / "precious"
    target.write_text("precious\n")
    (shared / "trace").symlink_to(target)
    os.lchown(shared / "trace", SOMEBODY, SOMEBODY)
    with pytest.raises(OSError, match="another user"):
        trace.append(shared / "trace", ["{}"], 1000)
    assert target.read_text() == "precious\n"
    (shared / "mine").symlink_to(target)
    os.close(open_to_append(shared / "mine"))


@posix
def test_a_device_can_be_written_to() -> None:
    os.close(open_to_append(Path(os.devnull)))


@needs_root
def test_a_file_of_somebody_elses_gets_nothing_and_is_not_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    for name in ("trace", "log"):
        (tmp_path / name).touch()
        os.chown(tmp_path / name, SOMEBODY, SOMEBODY)
        with pytest.raises(OSError, match="another user"):
            open_to_append(tmp_path / name)
    assert len(list(Path("/dev/fd").iterdir())) == before


@posix
def test_an_index_that_others_can_write_to_is_not_taken(root: Path, cache: Path) -> None:
    folder_of(root, cache).chmod(0o770)
    assert load(root, cache) is None
    with pytest.raises(OSError, match="another user"):
        refresh(root, cache, lambda _: None)
    folder_of(root, cache).chmod(0o700)
    assert load(root, cache) is not None


@needs_root
def test_an_index_of_somebody_elses_is_not_taken(root: Path, cache: Path) -> None:
    os.chown(folder_of(root, cache), SOMEBODY, SOMEBODY)
    assert load(root, cache) is None
