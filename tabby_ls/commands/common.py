"""What the terminal's commands share: settings from the command line, and errors of one line."""

from __future__ import annotations

import sys

from tabby_ls import settings as user_settings
from tabby_ls.printable import printable
from tabby_ls.settings import KINDS, Problem, Settings, Source

_NEED_URL = ("tabbyapi", "llamacpp", "ollama", "openai", "chat")


class CommandError(Exception):
    """Ends a command with this one line on standard error and status 1."""


def command_settings(backend: str | None) -> Settings:
    """Return the settings in force for a command; each that cannot be used is named on standard error."""
    settings, problems = settings_and_problems(backend)
    for problem in problems:
        say(f"warning: {problem}")
    return settings


def settings_and_problems(backend: str | None) -> tuple[Settings, list[Problem]]:
    """Return the settings in force for a command, and each that cannot be used."""
    settings, problems = user_settings.load()
    if backend is not None:
        choice = {"url": backend, "kind": "auto"} if "://" in backend else {"kind": backend}
        settings, more = settings.merged({"backend": choice}, Source.COMMAND_LINE)
        if more and "://" in backend:
            raise CommandError(f"--backend {more[0].why}")
        if more:
            kinds = ", ".join(kind for kind in KINDS if kind != "auto")
            raise CommandError(
                f"--backend takes an address such as http://127.0.0.1:5000 or a kind ({kinds}), not {backend!r}"
            )
    for server in settings.servers:
        if not server.url and server.kind in _NEED_URL:
            raise CommandError(f"backend.kind is `{server.kind}` and backend.url is not set")
    return settings, problems


def say(line: str) -> None:
    """Print a line to standard error, where nothing of a command's result goes."""
    print(f"tabby-ls: {printable(line)}", file=sys.stderr)


def show(text: str) -> None:
    """Print part of a command's result, without what a terminal would obey: it may come from a project, a server or a trace."""
    print(printable(text))
