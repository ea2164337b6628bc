"""Weighs the files of a workspace for a document, by the distance of their folders: code in one folder repeats itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

#: How often a place in a file is counted; the next folder is the one above or one directly below. Chosen as in
#: `blend.py`.
_SAME_FOLDER, _NEXT_FOLDER, _ELSEWHERE = 3.0, 1.5, 1.0


def weights(names: Sequence[str], folder: str, left_out: frozenset[str] = frozenset()) -> list[float]:
    """Return the weight of each file for a document in `folder`; 0 for those left out.

    `names` and `folder` are relative to one root; the root itself is ".".
    """
    by_folder: dict[str, float] = {}
    result: list[float] = []
    here = PurePosixPath(folder)
    for name in names:
        there = name.rpartition("/")[0] or "."
        weight = by_folder.get(there)
        if weight is None:
            weight = by_folder[there] = _weight(here, PurePosixPath(there))
        result.append(0.0 if name in left_out else weight)
    return result


def _weight(here: PurePosixPath, there: PurePosixPath) -> float:
    if here == there:
        return _SAME_FOLDER
    return _NEXT_FOLDER if here.parent == there or there.parent == here else _ELSEWHERE
