"""What is kept on disk is believed by nobody blindly: whatever stands in an index, counts or a trace, it does no harm."""

from __future__ import annotations

import ast
import json
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tabby_ls
from tabby_ls.journal import trace
from tabby_ls.journal.explain import explain
from tabby_ls.journal.store import Store
from tabby_ls.journal.table import as_json, brief, table
from tabby_ls.local_model.build import refresh
from tabby_ls.local_model.index import folder_of, load
from tabby_ls.local_model.model import LocalModel, Query

fuzz = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def use(root: Path, cache: Path) -> None:
    """Do with an index what a session does."""
    model = LocalModel(cache)
    model.add_root(root)
    for prefix in ("connection = open_", "settings.", ""):
        asked = Query((root / "new.py").as_uri(), prefix, "\n", 0.2, 3)
        prediction = model.predict(asked, deadline=60, cancelled=lambda: False)
        assert prediction is None or len(prediction.text) < 10_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
NAMES = st.sampled_from(
    ["..", ".", "", "/etc/passwd", "../../x", "a\0b", "manifest.json", 5, None, [], "x" * 300]
)
MANIFESTS = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {
            "version": st.just(1),
            "root": st.text(max_size=5),
            "segments": st.one_of(JSON, st.lists(NAMES, max_size=3)),
            "skipped": st.one_of(JSON, st.lists(st.lists(JSON, max_size=4), max_size=3)),
        }
    ),
)


@fuzz
@given(manifest=st.one_of(st.binary(max_size=60), MANIFESTS.map(lambda it: json.dumps(it).encode())))
def test_any_manifest_is_survived_and_mended(root: Path, cache: Path, manifest: bytes) -> None:
    (folder_of(root, cache) / "manifest.json").write_bytes(manifest)
    use(root, cache)
    refresh(root, cache, lambda _: None)
    assert load(root, cache) is not None, "it mends"


@pytest.mark.parametrize("manifest", [b"[" * 200_000, b'{"version": 1, "segments": ' + b"[" * 200_000])
def test_a_deep_manifest_is_not_taken_and_mended(root: Path, cache: Path, manifest: bytes) -> None:
    (folder_of(root, cache) / "manifest.json").write_bytes(manifest)
    assert load(root, cache) is None
    refresh(root, cache, lambda _: None)


HEADER = struct.Struct("=8sIIIIII4xI4x")


def altered(block: bytes, at: int, to: bytes) -> bytes:
    """A segment with other bytes in its body and the checksum that fits them: made up, not damaged."""
    body = bytearray(block[HEADER.size :])
    at %= len(body)
    body[at : at + len(to)] = to[: len(body) - at]
    *head, _ = HEADER.unpack_from(block)
    return HEADER.pack(*head, zlib.crc32(body)) + bytes(body)


@fuzz
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=12)), min_size=1, max_size=6
    )
)
def test_a_made_up_segment_with_a_right_checksum_does_no_harm(
    root: Path, cache: Path, changes: list[tuple[int, bytes]]
) -> None:
    (path,) = folder_of(root, cache).glob("*.segment")
    block = path.read_bytes()
    made_up = block
    for at, to in changes:
        made_up = altered(made_up, at, to)
    path.chmod(0o600)
    path.write_bytes(made_up)
    try:
        use(root, cache)
    finally:
        path.write_bytes(block)


@fuzz
@given(sizes=st.tuples(*[st.integers(0, 2**32 - 1)] * 4))
def test_made_up_sizes_of_a_segment_do_no_harm(root: Path, cache: Path, sizes: tuple[int, ...]) -> None:
    (path,) = folder_of(root, cache).glob("*.segment")
    block = path.read_bytes()
    magic, version, mark, *_, checksum = HEADER.unpack_from(block)
    path.write_bytes(HEADER.pack(magic, version, mark, *sizes, checksum) + block[HEADER.size :])
    try:
        use(root, cache)
    finally:
        path.write_bytes(block)


COUNTS = st.dictionaries(
    st.sampled_from(["requests", "shown", "answer_ms", "merge", "__class__", "__dict__", "x"]),
    st.one_of(JSON, st.lists(st.integers(), min_size=22, max_size=22), st.just(10**400)),
    max_size=4,
)
STATS = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {
            "version": st.just(1),
            "since": JSON,
            "counts": st.dictionaries(
                st.text(max_size=5), st.dictionaries(st.text(max_size=5), COUNTS, max_size=2), max_size=2
            ),
        }
    ),
)


@fuzz
@given(content=st.one_of(st.binary(max_size=60), STATS.map(lambda it: json.dumps(it).encode())))
def test_any_stats_can_be_shown_and_added_to(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    store.path.write_bytes(content)
    stored, _ = store.load()
    table(stored.counters, "all")
    brief(stored.counters, stored.counters, stored.since)
    json.dumps(as_json(stored.counters, stored.since))
    total = stored.counters.total()
    assert total.requests >= 0
    assert min(total.answer_ms.buckets) >= 0
    store.add(stored.counters)
    assert store.load()[1] == ""


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"version": 1}' + b" " * (64 << 20)])
def test_deep_and_large_stats_are_called_damaged(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    store.path.write_bytes(content)
    assert store.load()[1]


RECORDS = st.dictionaries(
    st.sampled_from(["time", "request", "file", "reason", "line", "detail", "lines", "answered_ms", "x"]),
    st.one_of(JSON, st.just("2026-01-02T03:04:05+00:00"), st.just("shown")),
)


@fuzz
@given(
    lines=st.lists(
        st.one_of(st.binary(max_size=40), RECORDS.map(lambda it: json.dumps(it).encode())), max_size=4
    )
)
def test_any_trace_can_be_explained(tmp_path: Path, lines: list[bytes]) -> None:
    (tmp_path / "trace").write_bytes(b"\n".join(lines))
    records, _ = trace.read(tmp_path / "trace")
    for record in records:
        explain(record)


@pytest.mark.parametrize("line", [b"[" * 200_000, b'{"time": "' + b"1" * (3 << 20)])
def test_strange_lines_of_a_trace_are_left_out(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "trace").write_bytes(line + b"\n")
    records, strange = trace.read(tmp_path / "trace")
    assert not records
    assert strange


def test_nothing_that_runs_what_it_reads_is_imported() -> None:
    """No pickle, marshal, shelve, eval or exec anywhere in the product."""
    forbidden = {"pickle", "marshal", "shelve", "dill", "joblib"}
    for file in Path(tabby_ls.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert not forbidden & {alias.name.split(".")[0] for alias in node.names}, file
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in forbidden, file
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), file
