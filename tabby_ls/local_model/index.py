"""Saves and loads the index of a workspace folder: some segment files and a manifest that names them.

    CACHE/<hash of the folder's path>/manifest.json      replaced as a whole, atomically
                                      <random>.segment   written once, then only ever removed

A reader takes what the manifest names, and nothing if any of it is missing, short or altered. Several processes may
read and write at once: the last manifest wins. Everything is private to the user (0700 and 0600).
"""

from __future__ import annotations

import json
import mmap
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import frozen

from tabby_ls.local_model.files import look
from tabby_ls.local_model.segment import File, Segment
from tabby_ls.own_files import ForeignError, is_own_folder, make_folder

#: Of the manifest's form: one of another version counts as absent.
_VERSION = 1
_MANIFEST = "manifest.json"
_SUFFIX = ".segment"
#: A segment file that no manifest names may belong to one about to be written; after so many seconds it does not.
_ORPHAN_SECONDS = 3600
#: Of all indexes together; above it those used longest ago are removed. It is a dozen folders of DEFAULT_CAP.
_MOST_BYTES_ON_DISK = 500_000_000


@frozen(eq=False)
class SavedIndex:
    """An index in use: each segment with the names of its files that are out of date."""

    root: Path
    segments: Sequence[Segment]
    stale: Sequence[frozenset[str]]
    #: Files that were looked at and hold nothing to learn.
    skipped: frozenset[File]

    @cached_property
    def live_files(self) -> frozenset[File]:
        """The files whose content in the index was that on disk when the index was loaded."""
        return frozenset(
            file
            for segment, stale in zip(self.segments, self.stale, strict=True)
            for file in segment.files
            if file.name not in stale
        )


def folder_of(root: Path, cache_dir: Path) -> Path:
    """Return the folder for the index of `root`."""
    return cache_dir / sha256(os.fsencode(root.resolve())).hexdigest()[:24]


def load(root: Path, cache_dir: Path) -> SavedIndex | None:
    """Return the saved index of `root`, its stale files marked; None if there is no whole one."""
    folder = folder_of(root, cache_dir)
    try:
        if not is_own_folder(folder):
            return None
        manifest = _read_manifest(folder)
        segments = [Segment(_map(folder / name)) for name in manifest["segments"]]
        skipped = frozenset(File(*entry) for entry in manifest["skipped"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # whatever is wrong with it, it is built again
    with suppress(OSError):  # says only when it was used last, and the disk may be read-only
        os.utime(folder / _MANIFEST)
    return SavedIndex(root, segments, _stale_files(root, segments), skipped)


def save(
    root: Path, cache_dir: Path, blocks: Iterable[bytes], skipped: Iterable[File], *, keep: SavedIndex | None
) -> None:
    """Write new segments and the manifest; `keep` is the index they add to, None to replace all.

    `blocks` are as :func:`build_segment` returns them, `skipped` files that hold nothing to learn. Raises OSError, of
    which ForeignError says that the folder is not the user's own.
    """
    folder = folder_of(root, cache_dir)
    make_folder(folder)
    if not is_own_folder(folder):
        raise ForeignError
    names: list[str] = _read_manifest(folder)["segments"] if keep is not None else []
    for block in blocks:
        name = secrets.token_hex(8) + _SUFFIX
        _write(folder / name, block)
        names.append(name)
    manifest = {
        "version": _VERSION,
        "root": str(root),  # for people who look what the folder is
        "segments": names,
        "skipped": [(file.name, file.size, file.mtime_ns) for file in skipped],
    }
    temporary = folder / f"{secrets.token_hex(8)}.tmp"
    _write(temporary, json.dumps(manifest).encode())
    temporary.replace(folder / _MANIFEST)
    _remove_orphans(folder, set(names))
    _remove_least_used(cache_dir, folder)


def _stale_files(root: Path, segments: Sequence[Segment]) -> list[frozenset[str]]:
    """Return per segment the files that changed since, are gone, or are in a later segment."""
    seen: set[str] = set()
    stale: list[frozenset[str]] = []
    for segment in reversed(segments):
        fresh = {
            file.name for file in segment.files if file.name not in seen and look(root, file.name) == file
        }
        stale.append(frozenset(file.name for file in segment.files) - fresh)
        seen |= fresh
    return stale[::-1]


def _read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_bytes())
    if manifest["version"] != _VERSION or any("/" in name or "\\" in name for name in manifest["segments"]):
        raise ValueError(_MANIFEST)
    return manifest


def _map(path: Path) -> memoryview[int]:
    with path.open("rb") as file:
        # The mapping lives as long as views of it do.
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _remove_orphans(folder: Path, named: set[str]) -> None:
    latest = time.time() - _ORPHAN_SECONDS
    for path in folder.iterdir():
        if path.name != _MANIFEST and path.name not in named:
            # Windows does not remove what is mapped: the next one to write does.
            with suppress(OSError):
                if path.stat().st_mtime < latest:
                    path.unlink()


def _remove_least_used(cache_dir: Path, own: Path) -> None:
    """Remove the indexes of the folders used longest ago while all of them are too large."""
    used: list[tuple[float, int, Path]] = []
    for folder in cache_dir.iterdir():
        with suppress(OSError):  # it is no index, or another process removes it too
            size = sum(path.stat().st_size for path in folder.iterdir())
            used.append(((folder / _MANIFEST).stat().st_mtime, size, folder))
    total = sum(size for _, size, _ in used)
    for _, size, folder in sorted(used):
        if total <= _MOST_BYTES_ON_DISK:
            break
        if folder != own:
            shutil.rmtree(folder, ignore_errors=True)
            total -= size
