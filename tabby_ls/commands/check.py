"""`tabby-ls check`: every step between here and a suggestion, each with a verdict and what to do."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Literal

from attrs import frozen

from tabby_ls import settings as user_settings
from tabby_ls.backends.backend import Backend, BackendError, Infill, ModelInfo, Trouble
from tabby_ls.backends.tabbyapi import TabbyAPIBackend
from tabby_ls.commands.common import CommandError, command_settings, say
from tabby_ls.completions import CompletionError, InvalidResponseError, NotFoundError
from tabby_ls.context.budget import prompt_characters
from tabby_ls.engine.target import Template, find_template
from tabby_ls.prompts.families import Family
from tabby_ls.prompts.render import render
from tabby_ls.settings import Settings

Verdict = Literal["ok", "warning", "failed"]
_MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "failed": "[red]✗[/]"}


@frozen
class Step:
    """One finding. `advice` is what to do, where something is to be done."""

    name: str
    verdict: Verdict
    finding: str
    advice: str = ""


def check(options: argparse.Namespace) -> int:
    """Print each step as it is done; return 1 if one failed."""
    try:
        settings = command_settings(options.backend)
    except CommandError as error:
        say(str(error))
        return 1
    return asyncio.run(_print_steps(settings))


async def _print_steps(settings: Settings) -> int:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    failed = False
    async for step in find_steps(settings):
        failed = failed or step.verdict == "failed"
        console.print(f"{_MARKS[step.verdict]} {step.name:<10} {escape(step.finding)}")
        if step.advice:
            console.print(f"  {'':<10} [dim]→ {escape(step.advice)}[/]")
    return int(failed)


async def find_steps(settings: Settings) -> AsyncIterator[Step]:
    """Yield what is found, in the order a request would meet it; ends at the first step that fails."""
    file = user_settings.config_file()
    yield Step(
        "settings", "ok", f"{file}{'' if file.exists() else ' (not there: everything at its default)'}"
    )
    if settings.backend.kind_in_use == "local":
        yield Step(
            "backend",
            "ok",
            "the local model: suggestions come from your own files, no server is asked",
            "to use a server, set backend.url, for example TABBY_LS_BACKEND_URL=http://127.0.0.1:5000",
        )
        return
    async for step in _server_steps(settings):
        yield step
        if step.verdict == "failed":
            return


async def _server_steps(settings: Settings) -> AsyncIterator[Step]:
    backend = TabbyAPIBackend(settings.backend)
    try:
        async for step in _steps_of(backend, settings):
            yield step
    except BackendError as error:
        yield Step(_STEP_OF_TROUBLE.get(error.trouble, "answer"), "failed", error.message)
    finally:
        await backend.close()


async def _steps_of(backend: TabbyAPIBackend, settings: Settings) -> AsyncIterator[Step]:
    client = await backend.client()
    started = monotonic()
    software = await _software(backend)
    yield Step(
        "address",
        "ok" if software == "TabbyAPI" else "warning",
        f"{settings.backend.url} answers in {_ms(started)}: {software or 'it does not say what it is'}",
        "" if software == "TabbyAPI" else "it is asked like TabbyAPI, by /v1/completions",
    )
    try:
        yield Step("key", "ok", f"accepted, with permission {await client.permission()!r}")
    except NotFoundError:
        yield Step("key", "warning", "the server cannot tell what the key permits")
    except CompletionError as error:
        raise backend.explain(error) from error
    model = await backend.model()
    yield Step("model", "ok", model.id or "the server does not name it")
    template = await _template(backend, settings, model)
    async for step in _template_steps(backend, template):
        yield step
    room = prompt_characters(settings.context.max_prompt_tokens, model.max_prompt_tokens)
    limit = f"{model.max_prompt_tokens} tokens" if model.max_prompt_tokens else "not told"
    yield Step("context", "ok", f"prompts of about {room} characters are sent; the server's limit is {limit}")
    yield await _first_token(backend, template, settings)


async def _software(backend: TabbyAPIBackend) -> str | None:
    """Return the name of the software at the address, None if it does not tell."""
    client = await backend.client()
    try:
        return (await client.service_info()).software.name
    except (NotFoundError, InvalidResponseError):
        return None
    except CompletionError as error:
        raise backend.explain(error) from error


async def _template(backend: Backend, settings: Settings, model: ModelInfo) -> Template:
    try:
        return await find_template(backend, settings.backend.family, model)
    except ValueError as error:
        raise BackendError(Trouble.REFUSED, f"backend.family: {error}") from None


async def _template_steps(backend: Backend, template: Template) -> AsyncIterator[Step]:
    family = template.family
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


async def _first_token(backend: Backend, template: Template, settings: Settings) -> Step:
    prompt = (
        render(template.family, "def add(a, b):\n    return ", "\n").text if template.family else "def add("
    )
    ask = Infill(
        uri="",
        language="python",
        prefix="",
        suffix="",
        prompt=prompt,
        bos=template.family.bos if template.family else None,
        stop=("\n",),
        max_tokens=8,
        temperature=0.0,
        threshold=0.0,
        max_lines=1,
    )
    started = monotonic()
    first: float | None = None
    text = ""
    async with backend.stream(ask) as stream:
        async for piece in stream:
            first = monotonic() - started if first is None else first
            text += piece
    if first is None:
        return Step("answer", "warning", f"the model ended at once, after {_ms(started)}, without a word")
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
