"""What a user sees while typing, and what it costs the server: `tabby-ls` beside `tabby-agent`.

    python -m tests.bench.typing [FILE ...] [--keys N] [--first-token SECONDS] [--speed TOKENS/S] [--accuracy P] [--seed N]

Real files are typed by a seeded hand with a rhythm, pauses, mistakes and acceptances, key by key in real time, through
a real server process, against a model of given speed that is right about as often as real ones are. Then the same is
typed through `tabby-agent` from npm, whose own server's API is imitated with the same model at the same speed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attrs import Factory, define
from rich.console import Console
from rich.table import Table

from tests.bench.driver import at, running
from tests.bench.tabby_agent import fetch_tabby_agent, tabby_agent
from tests.bench.typed_model import (
    Asked,
    Deployment,
    Model,
    Text,
    TypedTabbyAPI,
    TypedTabbyServer,
    mark_shown,
    regions,
)
from tests.bench.typed_session import Counts, Hand, Method, Server, Session
from tests.support.rpc import RpcClient, message

#: Modules of Python's own library: on every machine, and written by many hands.
_FILES = ("textwrap", "shlex", "csv", "cmd", "netrc", "sched")
_LINES = 30
_BETWEEN_FILES = 0.5
_GHOST_TEXT = {"capabilities": {"textDocument": {"inlineCompletion": {}}}}


@define
class Result:
    """What one server did."""

    counts: Counts = Factory(Counts)
    asked: list[Asked] = Factory(list)

    def rows(self) -> list[tuple[str, str]]:
        """Return the table's column."""
        counts, seen = self.counts, [s for s in self.counts.to_text if s is not None]
        late = [s for s in seen if s]
        pauses = [s if s is not None else float("inf") for s in counts.to_text]
        tokens = sum(len(one.tokens) for one in self.asked)
        thrown = sum(one.thrown_away() for one in self.asked)
        memory = counts.from_memory
        return [
            ("keys pressed", str(counts.keys)),
            ("suggestions taken (characters)", f"{counts.taken} ({counts.taken_characters})"),
            ("backend requests", str(len(self.asked))),
            ("... a minute (for tests.bench.capacity)", self._a_minute()),
            ("tokens generated", str(tokens)),
            ("... a request (for tests.bench.capacity)", f"{tokens / max(1, len(self.asked)):.0f}"),
            ("tokens thrown away", str(thrown)),
            ("keys with right ghost text on the screen", _share(counts.with_ghost, counts.keys)),
            ("wrong ghost text shown, times", str(counts.wrong)),
            ("pauses with right text", f"{len(seen)} of {len(pauses)}"),
            ("last key to right text p50 / p95, ms", f"{_ms(pauses, 0.5)} / {_ms(pauses, 0.95)}"),
            ("... where it came at all", f"{_ms(seen, 0.5)} / {_ms(seen, 0.95)}"),
            ("... and was not on the screen already", f"{_ms(late, 0.5)} / {_ms(late, 0.95)}"),
            ("answers from memory", str(len(memory))),
            ("... after p50 / p99, ms", f"{_ms(memory, 0.5)} / {_ms(memory, 0.99)}"),
        ]

    def _a_minute(self) -> str:
        """Return how many requests were made in a minute of typing."""
        seconds = self.asked[-1].began - self.asked[0].began if self.asked else 0.0
        return f"{60 * len(self.asked) / seconds:.0f}" if seconds else "-"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _ms(values: Sequence[float], share: float) -> str:
    if not values:
        return "-"
    value = at(values, share)
    return "never" if value == float("inf") else f"{value * 1e3:.1f}"


async def typed(
    client: RpcClient,
    method: Method,
    deployment: Deployment,
    texts: Sequence[Text],
    options: argparse.Namespace,
) -> Result:
    """Type all texts through one server."""
    result, asked, server = Result(asked=deployment.asked), deployment.asked, Server(client)
    for text in texts:
        deployment.model = Model(text, options.accuracy, options.seed)
        first = len(asked)

        def shows(place: int, shown: str, text: Text = text, first: int = first) -> None:
            mark_shown(asked[first:], place, shown, text.whole)

        def generations() -> tuple[int, int]:
            return len(asked), sum(one.ended is None for one in asked)

        hand = Hand(text, options.seed)
        session = Session(server, method, text, deployment.model, hand, generations, shows, result.counts)
        await session.type_all(result.counts.keys + options.keys // len(texts))
        await asyncio.sleep(_BETWEEN_FILES)
    await server.stop()
    return result


async def through_tabby_ls(texts: Sequence[Text], options: argparse.Namespace) -> Result:
    """Type through our own server."""
    deployment = Deployment(options.first_token, options.speed)
    with TypedTabbyAPI(deployment) as backend, tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "XDG_STATE_HOME": home, "TABBY_LS_LOCAL_FALLBACK": "false"}
        async with running(
            (sys.executable, "-m", "tabby_ls"), TABBY_LS_BACKEND_URL=backend.url, **environment
        ) as client:
            await client.initialize(**_GHOST_TEXT)
            await client.send(message("initialized", {}))
            return await typed(client, "textDocument/inlineCompletion", deployment, texts, options)


async def through_tabby_agent(package: Path, texts: Sequence[Text], options: argparse.Namespace) -> Result:
    """Type through tabby-agent, as it comes."""
    deployment = Deployment(options.first_token, options.speed)
    async with TypedTabbyServer(deployment) as backend, tabby_agent(package, backend) as client:
        return await typed(client, "textDocument/completion", deployment, texts, options)


def _texts(files: Sequence[Path], seed: int) -> list[Text]:
    return [
        regions(
            file.name,
            file.read_text("utf-8").replace("\r\n", "\n"),
            _LINES,
            random.Random(f"{seed} {file.name}"),
        )
        for file in files
    ]


async def run(options: argparse.Namespace) -> None:
    """Print the comparison."""
    files = options.files or [
        Path(sys.modules["os"].__file__ or "").with_name(f"{name}.py") for name in _FILES
    ]
    texts = _texts(files, options.seed)
    results = {"tabby-ls": await through_tabby_ls(texts, options)}
    package = fetch_tabby_agent()
    if isinstance(package, Path):
        results["tabby-agent"] = await through_tabby_agent(package, texts, options)
    else:
        print(f"tabby-agent is left out: {package}")
    table = Table(f"first token after {options.first_token * 1e3:.0f} ms, then {options.speed:.0f} tokens/s")
    columns = []
    for name, result in results.items():
        table.add_column(name, justify="right")
        columns.append(result.rows())
    for row in zip(*columns, strict=True):
        table.add_row(row[0][0], *(value for _, value in row))
    Console().print(table)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description="Typing through tabby-ls and through tabby-agent.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--keys", type=int, default=600)
    parser.add_argument("--first-token", type=float, default=0.15, help="seconds")
    parser.add_argument("--speed", type=float, default=60, help="tokens a second")
    parser.add_argument("--accuracy", type=float, default=0.93, help="how often a token is right")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
