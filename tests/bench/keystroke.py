"""What a keystroke costs before any completion: `python -m tests.bench.keystroke`.

Prints the cost of one character typed in the middle of a document, and of a trivial request over stdio, for pygls
as it comes and for ours. Ratios are the result; milliseconds belong to the machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from tabby_ls.server.documents import OpenDocument, OpenDocuments, snapshot
from tabby_ls.server.framing import Unframer
from tests.support.rpc import message

LINE = "    value = function(argument, 1)  # ünïcode 😀\n"
BUDGET_SECONDS = 0.5
REQUESTS = 2000


def milliseconds(operation: Callable[[], object]) -> float:
    """The median of as many runs as fit the budget, 5 at least."""
    runs: list[float] = []
    while len(runs) < 5 or (sum(runs) < BUDGET_SECONDS and len(runs) < 2000):
        began = time.perf_counter()
        operation()
        runs.append(time.perf_counter() - began)
    return statistics.median(runs) * 1000


def documents() -> None:
    workspace = OpenDocuments(Workspace(None), lambda document, edits: None)
    print(f"{'document':>16} {'pygls':>10} {'ours':>10} {'ratio':>8}   {'snapshot':>10}   (ms)")
    shapes = [
        (f"{lines} lines", LINE * lines, types.Position(lines // 2, 9))
        for lines in (10**3, 10**4, 10**5, 10**6)
    ]
    shapes.append(("100000 in a line", LINE.strip() * (100_000 // len(LINE)), types.Position(0, 50_000)))
    for name, text, position in shapes:
        uri = f"untitled:{name}"
        workspace.put_text_document(types.TextDocumentItem(uri, "python", 1, text))
        ours = workspace.get_text_document(uri)
        change = types.TextDocumentContentChangePartial(types.Range(position, position), "x")

        def typing(document: TextDocument, change: types.TextDocumentContentChangePartial = change) -> float:
            return milliseconds(lambda: document.apply_change(change))

        def looking(document: OpenDocument = ours, position: types.Position = position) -> object:
            return snapshot(document, position)

        stock, own = typing(TextDocument(uri, text)), typing(ours)
        print(f"{name:>16} {stock:10.4f} {own:10.4f} {stock / own:7.0f}x   {milliseconds(looking):10.4f}")
        workspace.remove_text_document(uri)


def round_trip(mode: str) -> list[float]:
    """Seconds for each of many requests one after the other."""
    command = [sys.executable, "-m", "tests.support.plain_server", mode]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        unframer = Unframer()

        def ask(data: bytes) -> None:
            process.stdin.write(data)
            while not list(unframer.feed(process.stdout.read(1 << 16))):
                pass

        ask(message("initialize", {"capabilities": {}}, 0))
        spent = []
        for number in range(REQUESTS):
            data = message("test/echo", None, number)
            began = time.perf_counter()
            ask(data)
            spent.append(time.perf_counter() - began)
        process.stdin.close()
        process.kill()
    return spent


def requests() -> None:
    print(f"\n{'request':>16} {'p50':>10} {'p99':>10}   (ms)")
    for mode in ("stock", "stdio", "stock", "stdio"):
        spent = sorted(round_trip(mode))
        print(f"{mode:>16} {spent[REQUESTS // 2] * 1000:10.3f} {spent[REQUESTS * 99 // 100] * 1000:10.3f}")


if __name__ == "__main__":
    documents()
    requests()
