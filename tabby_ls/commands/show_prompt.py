"""`tabby-ls complete --show-prompt`: what would leave this machine, byte for byte but for keys, and does not."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from tabby_ls.backends.backend import BackendError
from tabby_ls.commands.common import say, show
from tabby_ls.commands.workspace import local_model_of, rules_of
from tabby_ls.completions import Withheld, withholding
from tabby_ls.context.privacy import Rule
from tabby_ls.context.surroundings import Surroundings
from tabby_ls.engine.gate import refuse
from tabby_ls.engine.outcome import Reason
from tabby_ls.engine.shaping.mode import choose_mode
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.engine.switches import Switches
from tabby_ls.engine.target import Target
from tabby_ls.engine.targets import open_targets
from tabby_ls.journal.explain import because
from tabby_ls.settings import Settings


async def show_prompt(settings: Settings, snapshot: Snapshot, path: Path) -> int:
    """Print the request for a place; return the exit status.

    The server is asked which model it has, since the form of the prompt depends on it; no code is sent for that.
    """
    rules = rules_of(path, settings)
    if reason := refuse(snapshot.uri, snapshot.language, settings, rules, Switches(), invoked=True):
        print(f"nothing leaves this machine. {because(reason)}")
        return 0
    if rules.rule_for(snapshot.uri) is Rule.GITIGNORE:
        print(f"nothing leaves this machine. {because(Reason.FILE_IGNORED)}")
        return 0
    model = await local_model_of(path, settings)
    targets = open_targets(settings, lambda: model)
    try:
        target = targets[0]
        if target.backend.kind == "local":
            print("nothing leaves this machine: suggestions come from the local model")
            return 0
        target.surroundings = Surroundings(
            indexed=model.indexed, rules=rules, sources=settings.context.sources
        )
        for request in await _requests(target, snapshot, settings):
            show(as_text(request))
    except BackendError as error:
        say(error.message)
        return 1
    finally:
        for target in targets:
            await target.backend.close()
    return 0


async def _requests(target: Target, snapshot: Snapshot, settings: Settings) -> list[Withheld]:
    await target.prepare()
    mode = choose_mode(snapshot, multiline=settings.multiline, invoked=True)
    snippets = await target.snippets(snapshot)
    infill = target.infill(snapshot, mode, invoked=True, snippets=snippets)
    with withholding() as requests, suppress(BackendError):
        async with target.backend.stream(infill) as stream:
            async for _ in stream:
                pass
    return requests


def as_text(request: Withheld) -> str:
    """Return a request for people to read: address, headers, body; texts with line ends follow as they are."""
    head = [
        f"{request.method} {request.url}",
        *(f"{name}: {value}" for name, value in request.headers.items()),
    ]
    body = request.body.decode("utf-8", "replace")
    parts = ["\n".join(head), body]
    fields = json.loads(body) if body else {}
    parts += [
        f"--- {name} ---\n{text}" for name, text in fields.items() if isinstance(text, str) and "\n" in text
    ]
    return "\n\n".join(parts)
