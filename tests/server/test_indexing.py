"""The indexes of a session's folders: built in the background, refreshed when files change, and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tabby_ls.local_model.model import LocalModel, Query
from tabby_ls.server import indexing
from tabby_ls.server.indexing import Indexing
from tests.support.waiting import eventually, remains

LINE = "    raise ConfigurationError(section)\n"


class FakeProgress:
    """The progress of a client."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def create_async(self, token: str) -> None:
        self.calls.append("create")

    def begin(self, token: str, value: Any) -> None:
        self.calls.append(value.title)

    def report(self, token: str, value: Any) -> None:
        self.calls.append("report")

    def end(self, token: str, value: Any) -> None:
        self.calls.append("end")


class FakeServer:
    def __init__(self) -> None:
        self.work_done_progress = FakeProgress()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "old.py").write_text(f"def f(section):\n{LINE}")
    return folder


def knows(model: LocalModel, project: Path, line: str) -> bool:
    query = Query(str(project / "new.py"), f"def g(section):\n{line}", "\n", 0.2, 1)
    return model.predict(query, deadline=5.0, cancelled=lambda: False) is not None


async def test_a_folder_is_learned_from_and_refreshed_when_files_change(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_REST", 0.01)
    model = LocalModel(tmp_path / "cache")
    ours: Any = FakeServer()
    index = Indexing(ours, model, shows_progress=True)
    index.add([project])
    await eventually(lambda: knows(model, project, "    raise Configur"))
    assert not knows(model, project, "    return totally_")
    (project / "later.py").write_text("def h(section):\n    return totally_different(section)\n")

    def is_learned() -> bool:
        index.changed([project / "later.py"])
        return knows(model, project, "    return totally_")

    await eventually(is_learned)
    assert ours.work_done_progress.calls == [], "so little is not worth showing"
    await index.close()
    assert not knows(model, project, "    raise Configur")


async def test_what_takes_long_is_shown(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_WORTH_SHOWING", 0)
    for number in range(40):
        text = "".join(f"value_{number}_{line} = compute({line})\n" for line in range(1500))
        (project / f"large_{number}.py").write_text(text)
    ours: Any = FakeServer()
    index = Indexing(ours, LocalModel(tmp_path / "cache"), shows_progress=True)
    index.add([project])
    await eventually(lambda: "end" in ours.work_done_progress.calls)
    assert ours.work_done_progress.calls[:2] == ["create", "learning from project"]
    await index.close()


async def test_a_home_folder_opened_by_accident_is_not_learned_from(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(project))
    monkeypatch.setenv("USERPROFILE", str(project))
    ours: Any = FakeServer()
    index = Indexing(ours, LocalModel(tmp_path / "cache"), shows_progress=False)
    index.add([project, project.parent])
    await remains(lambda: not list(tmp_path.glob("cache/**/*")))
    await index.close()
