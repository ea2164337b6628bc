"""`tabby-ls why` and `tabby-ls stats`: a trace and counts as an editor's session left them, told to people."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tabby_ls.engine.outcome import Origin, Outcome, Reason
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.journal.counters import Counters
from tabby_ls.journal.record import record_of
from tabby_ls.journal.store import Store
from tabby_ls.journal.trace import append, line_of
from tabby_ls.settings import TraceSettings
from tests.commands.conftest import Run


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A trace of three requests: suggested, in a private file, replaced."""
    path = tmp_path / "trace.jsonl"
    for number, (reason, name) in enumerate(
        [(Reason.SHOWN, "a.py"), (Reason.PRIVATE_FILE, ".env"), (Reason.SUPERSEDED, "b.py")]
    ):
        outcome = Outcome(
            reason,
            origin=Origin.ASKED,
            number=number,
            snapshot=Snapshot(f"file:///w/{name}", 1, "", 0, "", ""),
        )
        append(path, [line_of(record_of(outcome, 1.5e9 + number), outcome, TraceSettings())], 10**6)
    return path


# --- why ---


def test_why_tells_of_the_last_request_that_says_something(run: Run, trace: Path) -> None:
    result = run("why", str(trace))
    assert result.returncode == 0
    assert ".env line 1" in result.stdout
    assert "keys or passwords" in result.stdout
    assert "one more was replaced" in result.stdout
    assert run("why", TABBY_LS_TRACE_FILE=str(trace)).stdout == result.stdout


@pytest.mark.parametrize(
    ("options", "files"),
    [
        (["--all"], ["a.py", ".env", "b.py"]),
        (["--last", "2"], [".env", "b.py"]),
        (["--last", "9"], ["a.py", ".env", "b.py"]),
    ],
)
def test_why_tells_of_as_many_as_one_likes(
    run: Run, trace: Path, options: list[str], files: list[str]
) -> None:
    lines = run("why", str(trace), *options).stdout.splitlines()
    assert [re.search(r", (\S+) line", line)[1] for line in lines] == files  # type: ignore[index]


def test_all_of_them_are_as_many_as_there_are(run: Run, trace: Path) -> None:
    trace.write_text(trace.read_text() * 100)
    assert len(run("why", str(trace), "--all").stdout.splitlines()) == 300


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["why"], "there is no trace: set trace.file"),
        (["why", "nowhere.jsonl"], "cannot be read"),
        (["why", "empty.jsonl"], "holds no request yet"),
        (["why", "a", "--last", "0"], "--last"),
        (["why", "a", "--last", "1", "--all"], "not allowed"),
    ],
)
def test_what_why_cannot_tell_is_one_clear_line(
    run: Run, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    result = run(*arguments)
    assert result.returncode != 0
    assert result.stdout == ""
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr


def test_why_does_with_what_it_can_read(run: Run, trace: Path) -> None:
    with trace.open("a") as file:
        file.write("half a li")
    result = run("why", str(trace))
    assert ".env" in result.stdout
    assert "1 line(s)" in result.stderr


# --- stats ---


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Counts where `run` finds them."""
    store = Store(tmp_path / ".local" / "state" / "tabby-ls")
    counted = Counters()
    counts = counted.of("tabbyapi", "python")
    counts.shown, counts.accepted = 4, 3
    store.add(counted)
    return store


def test_stats_are_a_table(run: Run, store: Store) -> None:
    result = run("stats")
    assert result.returncode == 0
    assert result.stdout.startswith("Counted on this machine since 2")
    assert re.search(r"^accepted +3 \(75 %\)$", result.stdout, re.MULTILINE)


def test_stats_are_json(run: Run, store: Store) -> None:
    data = json.loads(run("stats", "--json").stdout)
    assert data["all"]["shown"] == data["backends"]["tabbyapi"]["shown"] == 4


def test_stats_are_forgotten(run: Run, store: Store) -> None:
    assert run("stats", "--reset").returncode == 0
    assert not store.path.exists()
    assert "Nothing has been counted yet" in run("stats").stdout
    assert "`stats` is false" in run("stats", TABBY_LS_STATS="false").stdout


def test_broken_stats_are_told(run: Run, store: Store) -> None:
    store.path.write_text("{")
    result = run("stats", "--json")
    assert json.loads(result.stdout)["all"]["shown"] == 0
    assert "the next counts begin anew" in result.stderr
