"""What can be written on the command line: commands and their options, and how the user is told what is wrong."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from tabby_ls import __version__


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where to read on, instead of all of a command's usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"tabby-ls: {message}; see `{self.prog} --help`\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse here what is unknown to a command: the whole program's help would not tell of its options."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unknown argument: {' '.join(unknown)}")
        return known, unknown


def parser() -> _Parser:
    """Return the parser of the command line; the tests of the documentation use it too."""
    parser = _Parser(
        prog="tabby-ls",
        description="Code completion from your own server, or with no server at all. Without a command it serves an editor.",
    )
    parser.add_argument("--version", action="version", version=f"tabby-ls {__version__}")
    _add_serve_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, does: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")

    serve = command("serve", "serve an editor over the Language Server Protocol (the default)")
    _add_serve_options(serve)

    complete = command("complete", "print what would be suggested at a place in a file")
    complete.add_argument(
        "place",
        metavar="FILE:LINE[:COLUMN]",
        help="line and column count from 1, as editors show them; without a column, the end of the line",
    )
    complete.add_argument(
        "--json", action="store_true", help="print one JSON object, with the reason if there is nothing"
    )
    complete.add_argument(
        "--stdin", action="store_true", help="read the text from standard input; FILE only names it"
    )
    complete.add_argument(
        "--show-prompt",
        action="store_true",
        help="print the request that would be sent, without keys, and send no code",
    )
    _add_backend_options(complete)

    index = command("index", "let the local model learn from the files in a folder now")
    index.add_argument(
        "folder", metavar="FOLDER", nargs="?", default=".", help="the folder; without it, the current one"
    )

    why = command("why", "say why the last request did or did not show something")
    why.add_argument(
        "trace", nargs="?", metavar="TRACE", help="a trace file; without it, the one in your settings"
    )
    which = why.add_mutually_exclusive_group()
    which.add_argument(
        "--all", action="store_true", help="tell of every request in the trace, the oldest first"
    )
    which.add_argument("--last", type=_positive, metavar="N", help="tell of the last N requests")

    config = command("config", "print the settings in force, and where each came from")
    what = config.add_mutually_exclusive_group()
    what.add_argument("--schema", action="store_true", help="print the JSON Schema of the settings")
    what.add_argument("--init", action="store_true", help="write a configuration file to begin with")

    stats = command("stats", "print what was counted of suggestions on this machine")
    how = stats.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print one JSON object")
    how.add_argument("--reset", action="store_true", help="forget everything that was counted")

    check = command("check", "try every step from your settings to a suggestion, and say what is wrong")
    whom = check.add_mutually_exclusive_group()
    _add_backend_options(whom)
    whom.add_argument(
        "--discover", action="store_true", help="find the servers on this machine, and say how to use them"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _add_serve_options(parser: argparse.ArgumentParser) -> None:
    # SUPPRESS: the subcommand's defaults would otherwise overwrite what stood before it.
    unset: Any = {"default": argparse.SUPPRESS}
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--stdio", action="store_true", help="serve over standard input and output (the default)", **unset
    )
    way.add_argument(
        "--tcp",
        metavar="[HOST:]PORT",
        help="serve the first client that connects to this port; without HOST, only clients on this machine can",
        **unset,
    )
    way.add_argument(
        "--ws",
        metavar="[HOST:]PORT",
        help="the same over a WebSocket; needs the package websockets",
        **unset,
    )


def _add_backend_options(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--backend",
        metavar="KIND|URL",
        help="`local`, or the address of a server; instead of the one in your settings",
    )
