"""A measurement as a row: what was measured, beside what, and what was wanted of the ratio."""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import asdict, frozen
from rich.console import Console
from rich.table import Table


@frozen
class Row:
    """One line of the table. `ours` and `theirs` are in `unit`; without `theirs` nothing is compared.

    `at_most` is what the ratio ours / theirs should not exceed; where nothing is compared, what `ours` should not.
    """

    measure: str
    ours: float
    unit: str = "ms"
    theirs: float | None = None
    beside: str = ""
    at_most: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours divided by theirs."""
        return None if not self.theirs else self.ours / self.theirs

    @property
    def is_met(self) -> bool | None:
        """Whether what was wanted was reached, None where nothing was."""
        if self.at_most is None:
            return None
        return (self.ours if self.theirs is None else self.ratio or 0.0) <= self.at_most


def print_table(rows: Sequence[Row]) -> None:
    """Print rows for people."""
    table = Table("measure")
    for name in ("ours", "beside", "theirs", "ratio", "wanted"):
        table.add_column(name, justify="left" if name == "beside" else "right")
    table.add_column("")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        wanted = "" if row.at_most is None else f"≤ {row.at_most:g}"
        theirs = "" if row.theirs is None else f"{_number(row.theirs)} {row.unit}"
        mark = {True: "✓", False: "✗", None: ""}[row.is_met]
        table.add_row(row.measure, f"{_number(row.ours)} {row.unit}", row.beside, theirs, ratio, wanted, mark)
    Console(width=150).print(table)


def as_json(rows: Sequence[Row]) -> str:
    """Return rows for programs."""
    return json.dumps([{**asdict(row), "ratio": row.ratio, "is_met": row.is_met} for row in rows], indent=1)


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
