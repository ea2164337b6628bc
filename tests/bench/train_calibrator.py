"""Make tabby_ls/local_model/calibrator.json from public sources: numbers only, no text goes into it.

    python -m tests.bench.train_calibrator [FOLDER] [--questions N] [--seed N] [--out FILE]

needs scikit-learn, fetches the sources named in corpus.py (the training half) into FOLDER, decodes from random
cursors without any stop rule, and learns from features.py whether a step was right, given that those before it were.
The same seed and versions give the same table.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]
from sklearn.metrics import log_loss, roc_auc_score  # type: ignore[import-untyped]

import tabby_ls.local_model
from tabby_ls.local_model.blend import END_OF_LINE, Source
from tabby_ls.local_model.decode import decode
from tabby_ls.local_model.features import NAMES
from tabby_ls.local_model.nearness import weights
from tabby_ls.local_model.segment import File, Segment, build_segment
from tabby_ls.local_model.tokens import indentation, line_tokens, newline
from tests.bench.corpus import DEFAULT_FOLDER, TRAINING, Package, fetch
from tests.bench.cursors import (
    Question,
    changes,
    held_out_questions,
    read_project,
    read_texts,
    replay_questions,
    true_tokens,
)

_OUT = Path(tabby_ls.local_model.__file__).with_name("calibrator.json")
#: Share of questions with lines missing after the cursor, and of those asked without any index.
_GONE, _NO_INDEX = 0.6, 0.15
_MOST_STEPS = 24
#: Projects left out of a first fit, to say how well it goes: flask, redis and rxjs.
_CHECKED = (1, 4, 7)

Row = tuple[list[float], bool]


def rows_of(question: Question, sources: list[Source]) -> Iterator[Row]:
    """Yield the features of each decoded step and whether it was right, up to the first that was not."""
    cursor = question.cursor
    truth = true_tokens(question, cursor)
    if truth is None:
        return
    truth.append(END_OF_LINE)
    columns = cursor.columns
    for line in question.lines:
        tokens = line_tokens(line)
        if tokens:
            truth += (newline(indentation(line) - columns), *tokens, END_OF_LINE)
            columns = indentation(line)
    steps = decode(cursor, sources, lambda _: 1.0, least=0.0, crossing=0.0, lines=3)
    for number, (step, token) in enumerate(zip(steps, truth, strict=False)):
        yield step.features, step.token == token
        if step.token != token or number >= _MOST_STEPS:
            return


def rows_of_package(package: Package, folder: Path, count: int, seed: int) -> list[Row]:
    """Return the rows of `count` cursors in held-out files, and of half as many in what a version added."""
    rng = random.Random(f"{seed} {package.name}")
    project = read_project(package.name, fetch(package, folder), rng)
    rows = list(_rows(held_out_questions(project, count, rng, gone=_GONE), project.workspace, rng))
    if package.previous:
        old = read_texts(fetch(package, folder, version=package.previous))
        found = changes(old, read_texts(fetch(package, folder)))
        rows += _rows(replay_questions(found, count // 2, rng), old, rng)
    return rows


def _rows(questions: list[Question], workspace: list[tuple[File, str]], rng: random.Random) -> Iterator[Row]:
    segment = Segment(build_segment(workspace))
    names = [file.name for file in segment.files]
    for question in questions:
        here = str(PurePosixPath(question.path).parent)
        source = Source(segment, weights(names, here, frozenset({question.path})))
        yield from rows_of(question, [] if rng.random() < _NO_INDEX else [source])


def fit(x: Any, y: Any, seed: int) -> HistGradientBoostingClassifier:
    """Return 60 trees of 31 leaves."""
    model = HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.15,
        max_leaf_nodes=31,
        min_samples_leaf=100,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    return model.fit(x, y)


def table_of(model: HistGradientBoostingClassifier) -> dict[str, Any]:
    """Return the trees as plain arrays. Features have three decimals, so four are enough for what is between."""
    trees = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        features = np.where(leaf, -1, nodes["feature_idx"]).tolist()
        numbers = [
            float(f"{number:.6g}") for number in np.where(leaf, nodes["value"], nodes["num_threshold"])
        ]
        left, right = (np.where(leaf, 0, nodes[side]).tolist() for side in ("left", "right"))
        trees.append([features, numbers, left, right])
    return {
        "base": round(float(model._baseline_prediction[0, 0]), 6),
        "features": list(NAMES),
        "trees": trees,
    }


def main() -> None:
    """Train, say how well it went on projects left out, and write the table."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("folder", type=Path, nargs="?", default=DEFAULT_FOLDER)
    arguments.add_argument("--questions", type=int, default=1500, help="cursors per project")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--out", type=Path, default=_OUT)
    given = arguments.parse_args()
    rows: list[list[float]] = []
    right: list[bool] = []
    groups: list[int] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        ask = partial(rows_of_package, folder=given.folder, count=given.questions, seed=given.seed)
        for number, (package, found) in enumerate(zip(TRAINING, pool.map(ask, TRAINING), strict=True)):
            rows += [features for features, _ in found]
            right += [is_right for _, is_right in found]
            groups += [number] * len(found)
            print(f"{package.name} {package.version}: {len(found)} steps", flush=True)
    x, y, group = np.array(rows), np.array(right), np.array(groups)
    held = np.isin(group, _CHECKED)
    check = fit(x[~held], y[~held], given.seed)
    probability = check.predict_proba(x[held])[:, 1]
    print(f"on three projects left out: AUC {roc_auc_score(y[held], probability):.4f}", end=", ")
    print(f"log loss {log_loss(y[held], probability):.4f}", file=sys.stdout)
    model = fit(x, y, given.seed)
    given.out.write_text(json.dumps(table_of(model), separators=(",", ":")) + "\n", "utf-8")
    print(f"{given.out}: {given.out.stat().st_size / 1000:.0f} KB from {len(rows)} steps")


if __name__ == "__main__":
    main()
