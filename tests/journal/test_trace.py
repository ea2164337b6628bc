"""The trace: what is written, who may read it, how large it gets, and that it comes back as it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.engine.outcome import Failing, Generated, Origin, Outcome, Reason, Timings
from tabby_ls.engine.snapshot import Snapshot, Suggestion
from tabby_ls.journal.keeper import Keeper
from tabby_ls.journal.record import Record, record_of
from tabby_ls.journal.trace import Trace, append, former, line_of, read
from tabby_ls.settings import Settings, TraceSettings
from tests.support.waiting import eventually

SNAPSHOT = Snapshot("file:///work/a%20b.py", 1, "python", 4, "secret = 'x'\nprint(", ")\n")
OUTCOME = Outcome(
    Reason.SHOWN,
    Suggestion("secret)", 1),
    Origin.ASKED,
    backend="tabbyapi",
    timings=Timings(0.05, 0.2, 0.3),
    number=7,
    snapshot=SNAPSHOT,
    invoked=True,
    generated=Generated(
        "tabbyapi", "Qwen", "python", 128, 9, 3, None, 0.15, 0.25, rule="the line was complete"
    ),
    failing=Failing(3.04, 1.0),
)
RECORD = record_of(OUTCOME, 1.5e9)

text = st.text(max_size=20)
number = st.none() | st.floats(-1e6, 1e6)
count = st.integers(0, 10**6)
records = st.builds(
    Record,
    time=st.integers(10**9, 2 * 10**9).map(float),
    request=count,
    file=st.from_regex(r"[a-z]{1,8}\.py", fullmatch=True),
    language=text,
    line=count,
    trigger=st.sampled_from(["typing", "key"]),
    reason=st.sampled_from(Reason),
    detail=text,
    origin=st.none() | st.sampled_from(Origin),
    backend=text,
    model=text,
    asked_ms=number,
    first_text_ms=number,
    answered_ms=number,
    complete=st.booleans(),
    shown=count,
    lines=count,
    replaced=count,
    generated=st.none() | count,
    tokens=st.none() | count,
    max_tokens=st.none() | count,
    rule=text,
    failing_s=number,
    asked_again_s=number,
)


@given(st.lists(records, max_size=5))
def test_what_is_written_comes_back(tmp_path_factory: pytest.TempPathFactory, written: list[Record]) -> None:
    path = tmp_path_factory.mktemp("trace") / "trace.jsonl"
    append(path, [line_of(record, OUTCOME, TraceSettings()) for record in written], 10**9)
    assert read(path) == (written, 0)
    assert read(path, 2) == (written[-2:], 0)


def test_a_line_says_what_happened_and_holds_no_code() -> None:
    line = line_of(RECORD, OUTCOME, TraceSettings())
    values = json.loads(line)
    assert values.pop("time").startswith("2017-07-14T")
    assert values == {
        "request": 7,
        "file": "a b.py",
        "language": "python",
        "line": 5,
        "trigger": "key",
        "reason": "shown",
        "origin": "asked",
        "backend": "tabbyapi",
        "model": "Qwen",
        "asked_ms": 50.0,
        "first_text_ms": 200.0,
        "answered_ms": 300.0,
        "shown": 7,
        "lines": 1,
        "replaced": 1,
        "generated": 9,
        "max_tokens": 128,
        "rule": "the line was complete",
        "failing_s": 3.0,
        "asked_again_s": 1.0,
    }
    assert "secret" not in line


def test_code_and_paths_only_where_the_user_wants_them() -> None:
    values = json.loads(line_of(RECORD, OUTCOME, TraceSettings(code=True, paths=True)))
    assert values["file"] == "/work/a b.py"
    assert values["code"] == {"before": SNAPSHOT.prefix, "after": SNAPSHOT.suffix, "suggestion": "secret)"}


def test_of_the_code_what_is_near_the_cursor() -> None:
    snapshot = evolve(SNAPSHOT, prefix="x" * 5000 + "before", suffix="after" + "y" * 5000)
    outcome = evolve(OUTCOME, snapshot=snapshot)
    code = json.loads(line_of(RECORD, outcome, TraceSettings(code=True)))["code"]
    assert code["before"].endswith("xbefore")
    assert code["after"].startswith("aftery")
    assert len(code["before"] + code["after"]) < 2000


def test_a_line_end_before_a_suggestion_is_no_line_of_it() -> None:
    outcome = evolve(OUTCOME, suggestion=Suggestion("\n    a\n    b"))
    assert record_of(outcome, 1.5e9).lines == 2


@pytest.mark.skipif(sys.platform == "win32", reason="files have no modes there")
def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "trace.jsonl"
    append(path, ["{}"], 1000)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_it_never_holds_more_than_two_parts(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    for number in range(100):
        append(path, [line_of(evolve(RECORD, request=number), OUTCOME, TraceSettings())], 2000)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["trace.jsonl", "trace.jsonl.1"]
    assert path.stat().st_size + former(path).stat().st_size < 2 * 2000 + 2 * 500
    found, strange = read(path)
    assert strange == 0
    numbers = [record.request for record in found]
    assert numbers == list(range(numbers[0], 100)), "none of the last is missing, in order"


@pytest.mark.parametrize(("megabytes", "begins_anew"), [(1.9, False), (2.1, True)])
async def test_how_much_it_may_hold_is_the_users_choice(
    tmp_path: Path, megabytes: float, begins_anew: bool
) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(b"\n" * int(megabytes * 1_000_000))
    trace = Trace(TraceSettings(file=str(path), max_mb=2), pytest.fail)
    trace.take(RECORD, OUTCOME)
    await trace.close()
    assert former(path).exists() == begins_anew


async def test_a_trace_is_complete_before_another_takes_its_place(tmp_path: Path) -> None:
    keeper = Keeper(pytest.fail)
    await keeper.configure(Settings(stats=False, trace=TraceSettings(file=str(tmp_path / "one"))))
    keeper.ended(OUTCOME)
    await keeper.configure(Settings(stats=False, trace=TraceSettings(file=str(tmp_path / "other"))))
    assert len(read(tmp_path / "one")[0]) == 1
    await keeper.close()
    assert not (tmp_path / "other").exists()


def test_lines_of_others_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    good = line_of(RECORD, OUTCOME, TraceSettings())
    bad = ["", "nonsense", "[]", "{}", "null", good[:40], good.replace('"shown"', '"a reason of the future"')]
    append(path, [*bad, good], 10**6)
    found, strange = read(path)
    assert (len(found), strange) == (1, len(bad))


async def test_it_is_written_soon_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    trace = Trace(TraceSettings(file=str(path)), pytest.fail)
    trace.take(RECORD, OUTCOME)
    await eventually(path.exists)
    for _ in range(3):
        trace.take(RECORD, OUTCOME)
    await trace.close()
    assert len(read(path)[0]) == 4


async def test_a_file_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    warnings: list[str] = []
    trace = Trace(TraceSettings(file=str(tmp_path / "file" / "trace")), warnings.append)
    for _ in range(2):
        trace.take(RECORD, OUTCOME)
        await eventually(lambda: warnings)
    await trace.close()
    (warning,) = warnings
    assert warning.startswith("trace.file cannot be written")


async def test_a_home_folder_may_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    trace = Trace(TraceSettings(file="~/trace.jsonl"), pytest.fail)
    trace.take(RECORD, OUTCOME)
    await trace.close()
    assert (tmp_path / "trace.jsonl").exists()
