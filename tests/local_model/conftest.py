"""A model to ask: `|` marks the cursor in the text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tabby_ls.local_model.model import LocalModel, Prediction, Query

Ask = Callable[..., Prediction | None]


def query(text: str, *, path: str = "/w/main.py", threshold: float = 0.5, max_lines: int = 1) -> Query:
    prefix, _, suffix = text.partition("|")
    return Query(path, prefix, suffix, threshold, max_lines)


@pytest.fixture
def model(tmp_path: Path) -> LocalModel:
    return LocalModel(tmp_path / "cache")


@pytest.fixture
def ask(model: LocalModel) -> Ask:
    def ask(text: str, **more: object) -> Prediction | None:
        return model.predict(query(text, **more), deadline=60.0, cancelled=lambda: False)  # type: ignore[arg-type]

    return ask
