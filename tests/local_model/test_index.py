"""The saved index: built, brought up to date, and never half believed."""

from __future__ import annotations

import os
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tabby_ls.local_model import build as build_module
from tabby_ls.local_model import index as index_module
from tabby_ls.local_model.build import refresh
from tabby_ls.local_model.index import SavedIndex, folder_of, load
from tabby_ls.local_model.model import LocalModel

from .conftest import query

LINE = "connection = open_connection(settings.host, settings.port)\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    root.mkdir()
    for number in range(12):
        (root / f"{number}.py").write_text(f"value_{number} = {number}\n" + LINE)
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def build(root: Path, cache: Path, **more: int) -> dict[str, int]:
    reports: list[dict[str, int]] = []
    refresh(root, cache, reports.append, **more)
    return reports[-1]


def loaded(root: Path, cache: Path) -> SavedIndex:
    saved = load(root, cache)
    assert saved is not None
    return saved


def live(root: Path, cache: Path) -> set[str]:
    return {file.name for file in loaded(root, cache).live_files}


def segment_files(root: Path, cache: Path) -> list[Path]:
    return sorted(folder_of(root, cache).glob("*.segment"))


def says(root: Path, cache: Path, text: str, path: str = "new.py") -> str | None:
    model = LocalModel(cache)
    model.add_root(root)
    asked = query(text, path=(root / path).as_uri(), threshold=0.3)
    prediction = model.predict(asked, deadline=60.0, cancelled=lambda: False)
    return prediction.text if prediction else None


def test_there_is_none_before_it_is_built(root: Path, cache: Path) -> None:
    assert load(root, cache) is None
    assert says(root, cache, "connection = open_|\n") is None


def test_what_the_workspace_says_is_suggested(root: Path, cache: Path) -> None:
    assert build(root, cache)["files"] == 12
    assert (says(root, cache, "connection = open_|\n") or "").startswith("connection(")


@pytest.mark.skipif(sys.platform == "win32", reason="files have no modes there")
def test_it_is_private_to_the_user(root: Path, cache: Path) -> None:
    build(root, cache)
    folder = folder_of(root, cache)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_nothing_changed_means_nothing_is_written(root: Path, cache: Path) -> None:
    build(root, cache)
    before = segment_files(root, cache)
    assert build(root, cache)["changed"] == 0
    assert segment_files(root, cache) == before


def test_a_changed_file_counts_nothing_until_it_is_read_again(root: Path, cache: Path) -> None:
    build(root, cache)
    (root / "3.py").write_text("something_else_entirely = True\n")
    assert "3.py" not in live(root, cache)
    assert build(root, cache)["changed"] == 1
    saved = loaded(root, cache)
    assert len(saved.segments) == 2
    assert "3.py" in saved.stale[0]
    assert "3.py" not in saved.stale[1]
    assert "3.py" in live(root, cache)


def test_many_changes_build_it_anew(root: Path, cache: Path) -> None:
    build(root, cache)
    for number in range(6):
        (root / f"{number}.py").write_text(f"other_{number} = None\n")
    build(root, cache)
    assert len(loaded(root, cache).segments) == 1
    assert len(live(root, cache)) == 12


def test_so_do_many_builds_with_few(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "_MOST_CHANGED", 10)
    build(root, cache)
    segments = []
    for turn in range(10):
        (root / "0.py").write_text(f"turn_{turn} = None\n")
        build(root, cache)
        segments.append(len(loaded(root, cache).segments))
        assert len(live(root, cache)) == 12
    assert 1 in segments
    assert max(segments) <= 6


def test_a_large_workspace_is_built_in_parts(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_module, "_SEGMENT_SIZE", 4 * len(LINE))
    build(root, cache)
    assert len(loaded(root, cache).segments) > 2
    assert len(live(root, cache)) == 12


def test_segments_that_nothing_names_are_removed_once_they_are_old(root: Path, cache: Path) -> None:
    """New ones may belong to an index that another process is about to save."""
    build(root, cache)
    folder = folder_of(root, cache)
    (folder / "old.segment").write_bytes(b"")
    os.utime(folder / "old.segment", (1_000_000, 1_000_000))
    (folder / "new.segment").write_bytes(b"")
    (root / "0.py").write_text("changed = True\n")
    build(root, cache)
    assert not (folder / "old.segment").exists()
    assert (folder / "new.segment").exists()


def test_of_all_indexes_those_used_longest_ago_make_room(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = one, two, three = [tmp_path / name for name in ("one", "two", "three")]
    for root in roots:
        root.mkdir()
        (root / "a.py").write_text(LINE)
    for root, age in ((one, 9000), (two, 5000)):
        build(root, cache)
        manifest = folder_of(root, cache) / "manifest.json"
        os.utime(manifest, (manifest.stat().st_mtime - age,) * 2)
    loaded(one, cache)  # so that the second is the one that was used longest ago
    size = sum(path.stat().st_size for path in folder_of(one, cache).iterdir())
    monkeypatch.setattr(index_module, "_MOST_BYTES_ON_DISK", 2.5 * size)
    build(three, cache)
    assert [load(root, cache) is not None for root in roots] == [True, False, True]
    monkeypatch.setattr(index_module, "_MOST_BYTES_ON_DISK", 0)
    build(two, cache)
    assert [load(root, cache) is not None for root in roots] == [False, True, False], "never its own"


def test_a_deleted_file_is_forgotten(root: Path, cache: Path) -> None:
    build(root, cache)
    (root / "3.py").unlink()
    assert "3.py" not in live(root, cache)
    build(root, cache)
    assert "3.py" not in live(root, cache)


def test_a_file_that_is_ignored_now_is_forgotten(root: Path, cache: Path) -> None:
    (root / "vault.py").write_text("very_private_name = lookup()\n")
    build(root, cache)
    assert "vault.py" in live(root, cache)
    (root / ".tabbyignore").write_text("vault.py\n")
    build(root, cache)
    held = loaded(root, cache)
    assert all(segment.number("very_private_name") < 0 for segment in held.segments)


def test_duplicates_are_read_once(root: Path, cache: Path) -> None:
    for name in ("copy1.py", "copy2.py"):
        (root / name).write_text("the_same_text = here()\n" * 3)
    build(root, cache)
    names = {file.name for file in loaded(root, cache).segments[0].files}
    assert len(names & {"copy1.py", "copy2.py"}) == 1
    assert build(root, cache)["changed"] == 0
    (root / "3.py").write_text("something_else_entirely = True\n")
    assert build(root, cache)["changed"] == 1
    assert build(root, cache)["changed"] == 0


def test_the_cap_keeps_the_most_recent(root: Path, cache: Path) -> None:
    for number in range(12):
        os.utime(root / f"{number}.py", (1_000_000 + number, 1_000_000 + number))
    build(root, cache, cap=200)
    names = live(root, cache)
    assert 0 < len(names) < 12
    assert "11.py" in names
    assert "0.py" not in names


def test_no_secret_gets_in(root: Path, cache: Path) -> None:
    key = "9fK2mQ7xR4tB8vN1pL5wZ3yH6cJ0dS"
    (root / ".env").write_text("LEAKED_NAME=1\n")
    (root / "settings.py").write_text(f'LEAKED = "{key}"\nharmless = 1\n')
    build(root, cache)
    for path in segment_files(root, cache):
        content = path.read_bytes()
        assert b"harmless" in content
        assert key.encode() not in content
        assert b"LEAKED" not in content


def test_every_truncation_means_absent_and_is_built_anew(root: Path, cache: Path) -> None:
    build(root, cache)
    (path,) = segment_files(root, cache)
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        assert load(root, cache) is None
        assert says(root, cache, "connection = open_|\n") is None
    build(root, cache)
    assert len(live(root, cache)) == 12


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 0}', b'{"version": 1, "segments": ["../x"]}']
)
def test_a_broken_manifest_means_absent_and_is_built_anew(root: Path, cache: Path, content: bytes) -> None:
    build(root, cache)
    (folder_of(root, cache) / "manifest.json").write_bytes(content)
    assert load(root, cache) is None
    build(root, cache)
    assert len(live(root, cache)) == 12


def test_a_missing_segment_means_absent(root: Path, cache: Path) -> None:
    build(root, cache)
    segment_files(root, cache)[0].unlink()
    assert load(root, cache) is None


def test_several_may_build_and_read_at_once(root: Path, cache: Path) -> None:
    build(root, cache)
    done = threading.Event()

    def read() -> set[bool]:
        seen: set[bool] = set()
        while not done.is_set():
            seen.add(load(root, cache) is not None)
        return seen

    with ThreadPoolExecutor(4) as pool:
        reader = pool.submit(read)
        for turn in range(5):
            (root / "0.py").write_text(f"turn = {turn}\n" * (turn + 1))
            list(pool.map(lambda _: build(root, cache), range(3)))
        done.set()
        assert reader.result() == {True}
    assert len(live(root, cache)) == 12


def test_what_a_document_says_replaces_what_the_index_says(root: Path, cache: Path) -> None:
    build(root, cache)
    model = LocalModel(cache)
    model.add_root(root)
    for number in range(12):
        model.open_document((root / f"{number}.py").as_uri(), "nothing of the kind\n")
    asked = query("connection = open_|\n", path=str(root / "new.py"), threshold=0.3)
    assert model.predict(asked, deadline=60.0, cancelled=lambda: False) is None
    for number in range(12):
        model.close_document((root / f"{number}.py").as_uri())
    again = model.predict(asked, deadline=60.0, cancelled=lambda: False)
    assert again is not None
    assert again.text.startswith("connection(")


def test_a_file_saved_and_closed_is_learned_from_at_once(root: Path, cache: Path) -> None:
    build(root, cache)
    model = LocalModel(cache)
    model.add_root(root)
    text = "response = fetch_everything(session, retries)\n" * 3
    model.open_document(str(root / "0.py"), text)
    (root / "0.py").write_text(text)
    model.close_document(str(root / "0.py"))
    asked = query("response = fetch_|\n", path=str(root / "new.py"), threshold=0.3)
    prediction = model.predict(asked, deadline=60.0, cancelled=lambda: False)
    assert prediction is not None
    assert prediction.text.startswith("everything(")


def test_a_removed_root_says_nothing(root: Path, cache: Path) -> None:
    build(root, cache)
    model = LocalModel(cache)
    model.add_root(root)
    model.remove_root(root)
    asked = query("connection = open_|\n", path=str(root / "new.py"), threshold=0.3)
    assert model.predict(asked, deadline=60.0, cancelled=lambda: False) is None
