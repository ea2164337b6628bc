"""The index is built in a child process that can be ended at any time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tabby_ls.local_model.index import load
from tabby_ls.local_model.indexer import BuildError, build_index


async def test_it_builds_and_reports(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "a.py").write_bytes(b"a = 1\n")
    reports: list[dict[str, int]] = []
    await build_index(root, tmp_path / "cache", reports.append)
    assert reports[-1] == {"files": 1, "bytes": 6, "changed": 1}
    assert load(root, tmp_path / "cache") is not None


async def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    (tmp_path / "cache").write_text("a file is in the way")
    with pytest.raises(BuildError, match=f"{tmp_path / 'cache'}.*: Not a directory"):
        await build_index(tmp_path, tmp_path / "cache", lambda _: None)


async def test_cancelling_ends_the_child_and_leaves_no_index(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    for number in range(300):
        (root / f"{number}.py").write_text("".join(f"name_{number}_{line} = {line}\n" for line in range(300)))
    started = asyncio.Event()
    building = asyncio.create_task(build_index(root, tmp_path / "cache", lambda _: started.set()))
    await started.wait()
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert load(root, tmp_path / "cache") is None


async def test_no_module_of_the_workspace_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "tabby_ls").mkdir()
    monkeypatch.chdir(tmp_path)
    await build_index(tmp_path, tmp_path / "cache", lambda _: None)


async def test_the_child_gets_nothing_of_the_environment_but_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's keys may be in it under any name."""
    given: dict[str, str] = {}
    start = asyncio.create_subprocess_exec

    async def watched(*command: str, env: dict[str, str], **more: Any) -> asyncio.subprocess.Process:
        given.update(env)
        return await start(*command, env=env, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    monkeypatch.setenv("HOUSE", "k3y")
    await build_index(tmp_path, tmp_path / "cache", lambda _: None)
    assert "PATH" in given
    assert "HOUSE" not in given
