"""Turns the features of a decoded step into the probability that the step is right.

Blended counts are badly over-confident. Gradient-boosted decision trees (Friedman, 2001), learned from public sources
by `tests/bench/train_calibrator.py`, correct that. They are data, `calibrator.json`, which holds numbers only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from attrs import frozen


@frozen
class Tree:
    """A decision tree in arrays. Node 0 is the root; a leaf has feature -1 and its value as threshold."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]

    def value(self, features: Sequence[float]) -> float:
        """Return the value of the leaf that `features` lead to."""
        node = 0
        while (feature := self.feature[node]) >= 0:
            node = self.left[node] if features[feature] <= self.threshold[node] else self.right[node]
        return self.threshold[node]


@frozen
class Calibrator:
    """Gradient-boosted trees: their sum is the log-odds."""

    base: float
    trees: tuple[Tree, ...]

    def probability(self, features: Sequence[float]) -> float:
        """Return the probability that a step is right, given that those before it are.

        `features` are those that `features.py` returns.
        """
        log_odds = self.base + sum(tree.value(features) for tree in self.trees)
        return 1 / (1 + math.exp(-log_odds))


@cache
def load() -> Calibrator:
    """Return the calibrator that comes with the package."""
    table = json.loads(files(__package__).joinpath("calibrator.json").read_text("utf-8"))
    return Calibrator(table["base"], tuple(Tree(*map(tuple, arrays)) for arrays in table["trees"]))
