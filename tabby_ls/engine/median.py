"""The median. Python's `statistics` imports fractions and decimals, which takes longer than answering `initialize`."""

from __future__ import annotations

from collections.abc import Collection


def median(values: Collection[float]) -> float:
    """Return the middle one of some values, the mean of the two if there are two in the middle."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
