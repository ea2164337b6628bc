"""Build or refresh the saved index of a workspace folder, in a process of its own.

    python -m tabby_ls.local_model.build ROOT CACHE_DIR [--cap MEGABYTES] [--exclude PATTERN]...

Progress is one JSON object a line on standard output: `{"read": bytes, "of": bytes}`, and at the end
`{"files": n, "bytes": n, "changed": n}`, or `{"problem": "..."}` and status 1. Files that changed since the last time
go into a segment of their own; once such segments are too much of the index, it is built anew.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

from tabby_ls.local_model.files import list_files, read
from tabby_ls.local_model.index import SavedIndex, load, save
from tabby_ls.local_model.segment import File, build_segment

#: Megabytes (10^6 bytes) of source that are indexed, of the files changed last: built in some seven seconds of one
#: processor, and 50 MB of memory while in use (docs/local-model.md, Measurements).
DEFAULT_CAP = 20
#: Characters of source in one segment. Bounds the memory that building takes, some 20 bytes for each.
_SEGMENT_SIZE = 20_000_000
#: Changed files may be so much of the index, in so many segments, before it is built anew: each segment is one more
#: to search at every step.
_MOST_CHANGED = 0.1
_MOST_SEGMENTS = 6
#: Bytes of source read between two reports of progress.
_REPORT_EVERY = 500_000

#: Is called with each object of progress, as written above.
Report = Callable[[dict[str, int]], None]


def refresh(
    root: Path,
    cache_dir: Path,
    report: Report,
    cap: int = DEFAULT_CAP * 1_000_000,
    exclude: Sequence[str] = (),
) -> None:
    """Bring the index of `root` up to date with at most `cap` bytes of source; OSError if it cannot be written.

    `exclude` is as in `list_files`.
    """
    chosen = list(_newest(list_files(root, exclude), cap))
    saved = load(root, cache_dir)
    live = saved.live_files if saved is not None else frozenset()
    changed = [file for file in chosen if file not in live and not (saved and file in saved.skipped)]
    keep = saved if saved is not None and _can_add(saved, live, chosen, changed) else None
    if keep is None:
        changed = chosen
    if changed or saved is None:
        reading = _Reading(root, changed, report)
        blocks = [build_segment(group) for group in reading.groups()]
        skipped = {*reading.skipped, *(keep.skipped if keep else ())}
        save(root, cache_dir, blocks, skipped, keep=keep)
    total = sum(file.size for file in chosen)
    report({"files": len(chosen), "bytes": total, "changed": len(changed)})


def _newest(found: Sequence[File], cap: int) -> Iterator[File]:
    size = 0
    for file in found:
        size += file.size
        if size > cap:
            return
        yield file


def _can_add(
    saved: SavedIndex, live: frozenset[File], chosen: Sequence[File], changed: Sequence[File]
) -> bool:
    """Return whether a segment of the changed files is enough."""
    listed = {file.name for file in chosen}
    if any(file.name not in listed for file in live):
        # No longer to be learned from, perhaps because it was ignored since.
        return False
    dead = sum(map(len, saved.stale))
    later = sum(len(segment.files) for segment in saved.segments[1:])
    few = max(dead, len(changed) + later) <= max(_MOST_CHANGED * len(chosen), 1)
    return bool(saved.segments) and few and len(saved.segments) < _MOST_SEGMENTS


class _Reading:
    """Reads files once each, in groups for one segment, leaving out those that hold nothing new."""

    def __init__(self, root: Path, files: Sequence[File], report: Report) -> None:
        self.skipped: list[File] = []
        self._root = root
        self._files = files
        self._report = report

    def groups(self) -> Iterator[list[tuple[File, str]]]:
        group: list[tuple[File, str]] = []
        size = 0
        for file, text in self._texts():
            if size + len(text) > _SEGMENT_SIZE and group:
                yield group
                group, size = [], 0
            group.append((file, text))
            size += len(text)
        yield group

    def _texts(self) -> Iterator[tuple[File, str]]:
        seen: set[bytes] = set()
        done = reported = 0
        total = sum(file.size for file in self._files)
        for file in self._files:
            text = read(self._root, file.name)
            done += file.size
            if done - reported >= _REPORT_EVERY:
                reported = done
                self._report({"read": done, "of": total})
            digest = blake2b((text or "").encode("utf-8", "surrogatepass"), digest_size=16).digest()
            if not text or digest in seen:
                self.skipped.append(file)
                continue
            seen.add(digest)
            yield file, text


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Build the local model's index of a folder.")
    parser.add_argument("root", type=Path)
    parser.add_argument("cache_dir", type=Path)
    parser.add_argument("--cap", type=int, default=DEFAULT_CAP, help="megabytes of source at most")
    parser.add_argument("--exclude", action="append", default=[], help="a pattern of files to leave out")
    given = parser.parse_args()
    if hasattr(os, "nice"):
        os.nice(10)
    # Nothing here is cyclic, and the collector would walk millions of lists.
    gc.disable()

    def report(progress: Mapping[str, int | str]) -> None:
        sys.stdout.write(json.dumps(progress) + "\n")
        sys.stdout.flush()

    try:
        refresh(given.root, given.cache_dir, report, given.cap * 1_000_000, given.exclude)
    except OSError as error:
        report({"problem": f"{error.filename or given.cache_dir}: {error.strerror}"})
        sys.exit(1)


if __name__ == "__main__":
    main()
