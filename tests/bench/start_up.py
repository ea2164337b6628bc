"""From the start of the process to the answer to `initialize`, and to a first completion, beside other servers.

Variants are interleaved, so that a machine that gets slower meanwhile does so for all of them.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import Factory, frozen
from platformdirs import user_cache_path

from tests.bench.driver import inline, opened, running
from tests.bench.rows import Row
from tests.bench.tabby_agent import fetch_tabby_agent
from tests.support.profiles import VS_CODE
from tests.support.rpc import message
from tests.support.tabbyapi import ScriptedTabbyAPI

_BARE = """
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("bare", "0")
@server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
async def inline(params): return []
server.start_io()
"""
#: What a server is that does nothing but ask for a completion, with the usual libraries as they come.
_STOCK = """
import os, httpx
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("stock", "0")
client = httpx.AsyncClient()
@server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
async def inline(params):
    document = server.workspace.get_text_document(params.text_document.uri)
    prompt = document.source[:document.offset_at_position(params.position)]
    text = ""
    async with client.stream("POST", os.environ["BACKEND"] + "/v1/completions",
                             json={"prompt": prompt, "stream": True, "max_tokens": 64}) as response:
        async for line in response.aiter_lines():
            text += line
    return [types.InlineCompletionItem(text)]
server.start_io()
"""
_JEDI = "0.47.0"


@frozen
class Variant:
    """A server's command line and environment; whether a completion is asked of it."""

    command: Sequence[str]
    environment: Mapping[str, str] = Factory(dict)
    completes: bool = True


async def measure(runs: int) -> list[Row]:
    """Return the rows about start-up."""
    with ScriptedTabbyAPI() as backend:
        backend.reply("1\n")
        served = {"TABBY_LS_BACKEND_URL": backend.url, "TABBY_LS_DEBOUNCE_MS": "0"}
        local = {"TABBY_LS_BACKEND_KIND": "local", "TABBY_LS_LOCAL_INDEX": "false"}
        variants = {
            "tabby-ls": Variant((sys.executable, "-m", "tabby_ls"), served),
            "tabby-ls, local": Variant((sys.executable, "-m", "tabby_ls"), local),
            "bare pygls": Variant((sys.executable, "-c", _BARE)),
        }
        environment = _environment_with("httpx==0.28.1", "pygls>=2.1,<2.2")
        if environment is not None:
            variants["pygls and httpx"] = Variant(
                (str(environment), "-c", _STOCK), {"BACKEND": backend.url, "NO_PROXY": "127.0.0.1"}
            )
        jedi = _environment_with(f"jedi-language-server=={_JEDI}")
        if jedi is not None:
            variants["jedi-language-server"] = Variant(
                (str(jedi.parent / "jedi-language-server"),), {}, False
            )
        agent = fetch_tabby_agent()
        if isinstance(agent, Path):
            script = str(agent / "tabby-agent" / "dist" / "cli.js")
            variants["tabby-agent"] = Variant(("node", script, "--lsp", "--stdio"), {}, False)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in variants}
        with tempfile.TemporaryDirectory() as home:
            for run in range(runs + 1):
                for name, variant in variants.items():
                    seconds = await _start(variant, home)
                    if run:
                        times[name].append(seconds)
    first = {name: statistics.median(s for s, _ in rows) * 1e3 for name, rows in times.items()}
    second = {name: statistics.median(s for _, s in rows) * 1e3 for name, rows in times.items()}
    rows = [
        Row("start to `initialize` answered", first["tabby-ls"], "ms", first[name], name, 1.0)
        for name in ("bare pygls", "jedi-language-server", "tabby-agent")
        if name in first
    ]
    if "pygls and httpx" in second:
        beside = ("pygls and httpx", second["pygls and httpx"])
        rows += [
            Row(f"start to first completion, {what}", second[name], "ms", beside[1], beside[0], 0.95)
            for what, name in (("TabbyAPI", "tabby-ls"), ("local model", "tabby-ls, local"))
        ]
    return rows


async def _start(variant: Variant, home: str) -> tuple[float, float]:
    """Seconds to the answer to `initialize`, and to a first completion."""
    began = time.perf_counter()
    async with running(variant.command, HOME=home, **variant.environment) as client:
        await client.initialize(**VS_CODE | {"processId": os.getpid(), "rootUri": None})
        initialized = time.perf_counter() - began
        if not variant.completes:
            return initialized, 0.0
        await client.send(message("initialized", {}) + opened("file:///a.py", "x = \n"))
        await client.request("textDocument/inlineCompletion", inline("file:///a.py", 0, 4))
        return initialized, time.perf_counter() - began


def _environment_with(*requirements: str) -> Path | None:
    """The Python of an environment with these packages, made on first use; None if they cannot be had."""
    name = "-".join(requirement.partition("=")[0].partition(">")[0] for requirement in requirements)
    folder = user_cache_path("tabby-ls") / "bench" / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements]
        if subprocess.run(install, check=False).returncode:
            return None
        (folder / "ready").touch()
    return python


if __name__ == "__main__":
    from tests.bench.rows import print_table

    print_table(asyncio.run(measure(10)))
