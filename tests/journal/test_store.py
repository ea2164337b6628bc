"""The counts on disk: several servers lose nothing, a broken file does no harm, and only its owner reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tabby_ls.engine.outcome import Generated, Origin, Outcome, Reason, Timings
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.journal import ledger as ledger_module
from tabby_ls.journal import store as store_module
from tabby_ls.journal.counters import Counters
from tabby_ls.journal.ledger import Ledger
from tabby_ls.journal.store import Store, StoreError
from tests.support.waiting import eventually

_ADD = """
import sys
from pathlib import Path
from tabby_ls.journal.counters import Counters
from tabby_ls.journal.store import Store
for _ in range(20):
    counted = Counters()
    counted.of("local", "python").shown = 1
    Store(Path(sys.argv[1])).add(counted)
"""


def counted(shown: int) -> Counters:
    counters = Counters()
    counters.of("local", "python").shown = shown
    return counters


def shown(store: Store) -> int:
    return store.load()[0].counters.total().shown


def test_counts_add_up(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    assert shown(store) == 0
    assert store.add(counted(2)) == ""
    since = store.load()[0].since
    assert store.add(counted(3)) == ""
    assert (shown(store), store.load()[0].since) == (5, since)
    store.reset()
    assert shown(store) == 0
    store.reset()


def test_several_servers_at_once_lose_nothing(tmp_path: Path) -> None:
    servers = [subprocess.Popen([sys.executable, "-c", _ADD, str(tmp_path)]) for _ in range(4)]
    assert [server.wait(60) for server in servers] == [0, 0, 0, 0]
    assert shown(Store(tmp_path)) == 80
    assert {file.name for file in tmp_path.iterdir()} <= {"stats.json", "stats.lock"}


@pytest.mark.skipif(sys.platform == "win32", reason="files have no modes there")
def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    store.add(counted(1))
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff", b"{", b"[]", b"{}", b'{"version": 99, "since": "", "counts": {}}', b'{"version": 1}'],
)
def test_a_broken_file_is_put_aside_and_counting_begins_anew(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    store.path.write_bytes(content)
    stored, wrong = store.load()
    assert "begin anew, and it is kept as stats.json.bad" in wrong
    assert not stored.counters
    assert store.add(counted(1)) == wrong
    assert shown(store) == 1
    assert (tmp_path / "stats.json.bad").read_bytes() == content
    assert store.add(counted(1)) == ""


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        Store(tmp_path / "file" / "state").add(counted(1))
    (tmp_path / "state" / "stats.json").mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be read"):
        Store(tmp_path / "state").load()


def test_a_file_that_another_program_has_locked_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_PATIENCE", 0.01)
    with FileLock(tmp_path / "stats.lock"), pytest.raises(StoreError, match="locked by another program"):
        Store(tmp_path).add(counted(1))


# --- what a server counts ---

SHOWN = Outcome(
    Reason.SHOWN,
    origin=Origin.MEMORY,
    backend="tabbyapi",
    timings=Timings(answered=0.002),
    snapshot=Snapshot("file:///a.py", 1, "py", 0, "", ""),
)
WROTE = Generated("tabbyapi", "Qwen", "python", 128, characters=30, tokens=9, first_text=0.2)


async def test_a_server_adds_what_it_counted_when_it_ends(tmp_path: Path) -> None:
    async def session(*, is_on: bool) -> str:
        ledger = Ledger(Store(tmp_path), pytest.fail)
        ledger.is_on = is_on
        ledger.ended(SHOWN)
        ledger.generated(WROTE)
        stored, here = await ledger.totals()
        await ledger.close()
        return f"{stored.counters.total().requests} {here.total().requests}"

    assert await session(is_on=True) == "1 1"
    assert await session(is_on=True) == "2 1"
    assert await session(is_on=False) == "2 0"
    total = Store(tmp_path).load()[0].counters
    assert total.by_language()["python"].from_memory == 2, "whatever the editor calls the language"
    counts = total.total()
    assert (counts.backend_requests, counts.characters_generated, counts.tokens) == (2, 60, 18)
    assert counts.first_text_ms.percentile(0.5) == pytest.approx(200, rel=0.5)


async def test_what_could_not_be_stored_is_kept_for_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    ledger = Ledger(Store(tmp_path / "state"), pytest.fail)
    ledger.ended(SHOWN)
    await ledger.close()
    (tmp_path / "state").unlink()
    ledger.ended(SHOWN)
    await ledger.close()
    assert Store(tmp_path / "state").load()[0].counters.total().requests == 2


async def test_now_and_then_it_adds_them_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "_REST", 0.0)
    ledger = Ledger(Store(tmp_path), pytest.fail)
    for number in (1, 2):
        ledger.ended(SHOWN)
        await eventually(lambda: Store(tmp_path).load()[0].counters.total().requests == number)  # noqa: B023
    stored, here = await ledger.totals()
    assert stored.counters.total().requests == here.total().requests == 2
    await ledger.close()


async def test_counts_that_had_to_begin_anew_are_told(tmp_path: Path) -> None:
    (tmp_path / "stats.json").write_text("{")
    told: list[str] = []
    ledger = Ledger(Store(tmp_path), told.append)
    ledger.ended(SHOWN)
    await ledger.close()
    (complaint,) = told
    assert "the next counts begin anew" in complaint


async def test_a_session_without_requests_writes_nothing(tmp_path: Path) -> None:
    await Ledger(Store(tmp_path / "state"), pytest.fail).close()
    assert not (tmp_path / "state").exists()
