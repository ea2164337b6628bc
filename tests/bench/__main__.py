"""Every speed that matters, as one table: `python -m tests.bench [--json FILE] [--runs N] [MEASURE ...]`.

Each is a ratio to something measured in the same run, or a bound on a time that is nobody's but ours. MEASURE is
one of start_up, answers, keystroke, closing, resources; without it all are taken.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench import answers, closing, keystroke, resources, start_up
from tests.bench.rows import Row, as_json, print_table


async def _keystroke(_: int) -> list[Row]:
    return keystroke.measure()


async def _resources(_: int) -> list[Row]:
    return await resources.measure()


_MEASURES: dict[str, Callable[[int], Awaitable[list[Row]]]] = {
    "start_up": start_up.measure,
    "answers": answers.measure,
    "keystroke": _keystroke,
    "closing": lambda runs: closing.measure(runs * 5),
    "resources": _resources,
}


async def _run(names: list[str], runs: int) -> list[Row]:
    rows = []
    for name in names:
        rows += await _MEASURES[name](runs)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("measures", nargs="*", choices=[*_MEASURES, []], metavar="MEASURE")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    options = parser.parse_args()
    rows = asyncio.run(_run(options.measures or [*_MEASURES], options.runs))
    print_table(rows)
    if options.json is not None:
        options.json.write_text(as_json(rows), "utf-8")


if __name__ == "__main__":
    main()
