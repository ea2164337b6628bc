"""`tabby-ls check`: every step between here and a suggestion, each with a verdict and what to do."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Literal

import attrs
from attrs import frozen

from tabby_ls import settings as user_settings
from tabby_ls.backends.backend import Backend, BackendError, Trouble
from tabby_ls.backends.credentials import find_api_key
from tabby_ls.backends.detect import Found, detect
from tabby_ls.backends.hosted import SERVICES
from tabby_ls.backends.kinds import open_server
from tabby_ls.backends.server import Server
from tabby_ls.commands.common import CommandError, say, settings_and_problems
from tabby_ls.context.budget import prompt_tokens
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.target import Target
from tabby_ls.engine.template_choice import TemplateChoice
from tabby_ls.printable import printable
from tabby_ls.prompts.families import Family
from tabby_ls.settings import BackendSettings, Problem, Settings

Verdict = Literal["ok", "warning", "failed"]
_MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "failed": "[red]✗[/]"}
_PLAIN_MARKS = {"ok": "+", "warning": "!", "failed": "x"}


@frozen
class Step:
    """One finding. `advice` is what to do, where something is to be done."""

    name: str
    verdict: Verdict
    finding: str
    advice: str = ""


def check(options: argparse.Namespace) -> int:
    """Print each step as it is done; return 1 if one failed."""
    if options.discover:
        from tabby_ls.commands.discover import print_found

        return print_found()
    try:
        settings, problems = settings_and_problems(options.backend)
    except CommandError as error:
        say(str(error))
        return 1
    failed = asyncio.run(_print_steps(settings, problems))
    if not failed and "://" in (options.backend or ""):
        from tabby_ls.commands.discover import print_how_to_keep

        print_how_to_keep(options.backend)
    return failed


async def _print_steps(settings: Settings, problems: list[Problem]) -> int:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    marks, arrow = (_MARKS, "→") if console.encoding.startswith("utf") else (_PLAIN_MARKS, "->")
    failed = False
    async for step in find_steps(settings, problems):
        failed = failed or step.verdict == "failed"
        console.print(f"{marks[step.verdict]} {step.name:<10} {escape(printable(step.finding))}")
        if step.advice:
            console.print(f"  {'':<10} [dim]{arrow} {escape(printable(step.advice))}[/]")
    return int(failed)


async def find_steps(settings: Settings, problems: Sequence[Problem] = ()) -> AsyncIterator[Step]:
    """Yield what is found, in the order a request would meet it; a server's steps end at the first that fails."""
    for problem in problems:
        yield Step("settings", "failed", str(problem))
    if not problems:
        file = user_settings.config_file()
        yield Step(
            "settings", "ok", f"{file}{'' if file.exists() else ' (not there: everything at its default)'}"
        )
    several = len(settings.servers) > 1
    for server in settings.servers:
        if several:
            yield Step("backend", "ok", _described(server))
        if server.is_local:
            yield _local_step(settings, several=several)
            continue
        async for step in _server_steps(server, settings):
            yield step
            if step.verdict == "failed":
                break


def _described(server: BackendSettings) -> str:
    languages = f", for {', '.join(server.languages)}" if server.languages else ""
    requests = "" if server.requests == "all" else f", for {server.requests} requests"
    return f"{server.kind} {server.url}{languages}{requests}".strip()


def _local_step(settings: Settings, *, several: bool) -> Step:
    finding = "the local model: suggestions come from your own files, no server is asked"
    advice = (
        "to use a server, set backend.url, for example TABBY_LS_BACKEND_URL=http://127.0.0.1:5000; "
        "`tabby-ls check --discover` finds those on this machine"
    )
    return Step("backend", "ok", finding, "" if several else advice)


async def _server_steps(server: BackendSettings, settings: Settings) -> AsyncIterator[Step]:
    probe = Server(server, server.kind)
    target: Target | None = None
    trying = "address"
    try:
        started = monotonic()
        if server.kind in SERVICES:
            found = None
            yield Step("address", "ok", f"{server.url or SERVICES[server.kind].url}, as you set it")
        else:
            found = await detect(probe)
            yield _address(server, found, started)
        kind = found.kind if found and server.kind == "auto" else server.kind
        software = found.software if found else ""
        trying = "key"
        target = Target(open_server(attrs.evolve(server, kind=kind), software), settings, server)
        yield await _key(probe, target.backend, found)
        trying = "model"
        await target.prepare()
        yield _model(target)
        trying = "answer"
        async for step in _template_steps(target.backend, target.template or TemplateChoice(None, "")):
            yield step
        limit = target.model.max_prompt_tokens
        room = prompt_tokens(settings.context.max_prompt_tokens, limit)
        told = f"{limit} tokens" if limit else "not told"
        yield Step("context", "ok", f"prompts of up to {room} tokens are sent; the server's limit is {told}")
        yield await _answer(target)
    except BackendError as error:
        yield Step(_STEP_OF_TROUBLE.get(error.trouble, trying), "failed", error.message)
    finally:
        await probe.close()
        if target is not None:
            await target.backend.close()


def _address(server: BackendSettings, found: Found, started: float) -> Step:
    if found.kind in SERVICES:
        return Step("address", "ok", f"{server.url} is {found.software}, by {found.by}")
    by = f"{found.software or 'it does not say what it is'}, {found.version}".rstrip(", ")
    finding = f"{server.url} answers in {_ms(started)}: {by} ({found.by})"
    if server.kind not in ("auto", found.kind):
        advice = f"it is asked as {server.kind}, as you set it, and looks like {found.kind}"
        return Step("address", "warning", finding, advice)
    if not found.software:
        return Step("address", "warning", finding, f"it is asked like any server of the kind {found.kind}")
    return Step("address", "ok", finding)


async def _key(probe: Server, backend: Backend, found: Found | None) -> Step:
    if backend.kind == "tabbyapi":
        reply = await probe.ask("GET", "/v1/auth/permission", accept=(200, 404))
        if reply.status == 200:
            return Step("key", "ok", f"accepted, with permission {str(reply.data.get('permission'))!r}")
        return Step("key", "warning", "the server does not tell what the key permits")
    if await find_api_key(probe.settings) is None:
        is_wanted = found is None or found.needs_key
        if is_wanted:
            advice = "the server wants one: see backend.api_key_env, api_key_file and api_key_command"
            return Step("key", "warning", "none is sent", advice)
        return Step("key", "ok", "none is sent, and none is wanted")
    return Step("key", "ok", "one is sent; the answer below shows whether it is accepted")


def _model(target: Target) -> Step:
    slots = f", {target.model.slots} requests at a time" if target.model.slots else ""
    name = target.model.id or "the server does not name it"
    if target.backend.is_chat:
        advice = "a chat model is the last resort: slower, and often beside the point; see docs/backends.md"
        return Step("model", "warning", f"{name}{slots}, asked in a chat", advice)
    return Step("model", "ok", f"{name}{slots}")


async def _template_steps(backend: Backend, template: TemplateChoice) -> AsyncIterator[Step]:
    family = template.family
    if template.fills_in:
        name = family.name if family else "no template of ours is needed"
        yield Step("family", "ok", f"{name}; the server puts prefix and suffix together by itself")
        return
    if family is None:
        yield Step(
            "family",
            "warning",
            f"none: {template.caveat}",
            "the model sees only the text before the cursor; load a model trained to fill in the middle, "
            "or name its family in backend.family",
        )
        return
    yield Step(
        "family",
        "warning" if template.caveat else "ok",
        f"{family.name}, by {template.found_by}",
        template.caveat,
    )
    counts = {token: await backend.count_tokens(token) for token in sorted(_template_tokens(family))}
    if None in counts.values():
        yield Step(
            "tokens", "warning", "the server's tokenizer cannot be asked whether it knows the special tokens"
        )
    elif unknown := [token for token, count in counts.items() if count != 1]:
        yield Step(
            "tokens",
            "failed",
            f"the model's tokenizer does not know {', '.join(unknown)}",
            "this model does not belong to that family: set backend.family",
        )
    else:
        yield Step("tokens", "ok", f"{', '.join(counts)}: one token each")


def _template_tokens(family: Family) -> set[str]:
    """Return the special tokens that the prompt is written with."""
    literals = "".join(family.template.literals) if family.template else ""
    return {token for token in family.tokens if token in literals}


async def _answer(target: Target) -> Step:
    now = Snapshot("", 0, "python", 1, "def add(a, b):\n    return ", "\n")
    started = monotonic()
    first: float | None = None
    text = ""
    async with target.backend.stream(target.infill(now, Mode.LINE, invoked=True)) as stream:
        async for piece in stream:
            first = monotonic() - started if first is None else first
            text += piece
            if "\n" in text.lstrip("\n"):
                break
    if first is None:
        return Step("answer", "warning", f"the model ended at once, after {_ms(started)}, without any text")
    return Step(
        "answer", "ok", f"first token after {first * 1000:.0f} ms, {_ms(started)} in all: {text.strip()!r}"
    )


def _ms(started: float) -> str:
    return f"{(monotonic() - started) * 1000:.0f} ms"


_STEP_OF_TROUBLE = {
    Trouble.UNREACHABLE: "address",
    Trouble.UNAUTHORIZED: "key",
    Trouble.NO_MODEL: "model",
}
