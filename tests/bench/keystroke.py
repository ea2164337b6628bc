"""What a keystroke costs before any completion, in documents of any size, beside pygls' own document."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from tabby_ls.server.documents import OpenDocuments, snapshot
from tests.bench.rows import Row, print_table

LINE = "    value = function(argument, 1)  # ünïcode 😀\n"
BUDGET_SECONDS = 0.5


def milliseconds(operation: Callable[[], object]) -> float:
    """The median of as many runs as fit the budget, 5 at least."""
    runs: list[float] = []
    while len(runs) < 5 or (sum(runs) < BUDGET_SECONDS and len(runs) < 2000):
        began = time.perf_counter()
        operation()
        runs.append(time.perf_counter() - began)
    return statistics.median(runs) * 1000


def measure() -> list[Row]:
    """Return the rows about one character typed in the middle of a document, and about looking at its cursor."""
    rows, smallest = [], None
    workspace = OpenDocuments(Workspace(None), lambda document, edits: None)
    shapes = [
        (f"{lines:,} lines", LINE * lines, types.Position(lines // 2, 9)) for lines in (10**3, 10**5, 10**6)
    ]
    shapes.append(("a line of 100,000", LINE.strip() * (100_000 // len(LINE)), types.Position(0, 50_000)))
    for name, text, position in shapes:
        uri = f"untitled:{name}"
        workspace.put_text_document(types.TextDocumentItem(uri, "python", 1, text))
        ours, stock = workspace.get_text_document(uri), TextDocument(uri, text)
        change = types.TextDocumentContentChangePartial(types.Range(position, position), "x")

        def typing(document: TextDocument, change: types.TextDocumentContentChangePartial = change) -> float:
            return milliseconds(lambda: document.apply_change(change))

        own = typing(ours)
        rows.append(Row(f"keystroke, {name}", own, "ms", typing(stock), "pygls", 0.1))
        looking = milliseconds(lambda ours=ours, position=position: snapshot(ours, position))
        rows.append(Row(f"the text around a cursor, {name}", looking))
        smallest = smallest or own
        if "1,000,000" in name:
            rows.append(Row(f"keystroke, {name}", own, "ms", smallest, "1,000 lines", 2.0))
        workspace.remove_text_document(uri)
    return rows


if __name__ == "__main__":
    print_table(measure())
