"""The command line. Only what the chosen command needs is imported: editors wait for `serve`."""

from __future__ import annotations

import gc

# Nothing that importing allocates is garbage; a collection in the middle of it costs 20 ms. The transport
# switches it on again once the client has its answer to `initialize`.
gc.disable()

import argparse  # noqa: E402
import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from typing import Any  # noqa: E402

from tabby_ls import __version__  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    options = parser().parse_args(arguments)
    command = options.command or "serve"
    if command == "serve":
        return _serve(options)
    gc.enable()
    try:
        if command == "complete":
            from tabby_ls.commands.complete import complete

            return complete(options)
        if command == "index":
            from tabby_ls.commands.index import index

            return index(options)
        if command == "why":
            from tabby_ls.commands.why import why

            return why(options)
        if command == "config":
            from tabby_ls.commands.config import config

            return config(options)
        if command == "stats":
            from tabby_ls.commands.stats import stats

            return stats(options)
        from tabby_ls.commands.check import check

        return check(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        sys.stderr.close()
        return 141


def parser() -> argparse.ArgumentParser:
    """Return what reads a command line, which the tests of the documentation use too."""
    parser = argparse.ArgumentParser(
        prog="tabby-ls",
        description="Code completion from your own server, or with no server at all. Without a command it serves an editor.",
    )
    parser.add_argument("--version", action="version", version=f"tabby-ls {__version__}")
    _add_serve_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    serve = commands.add_parser(
        "serve", help="serve an editor over the Language Server Protocol (the default)"
    )
    _add_serve_options(serve)

    complete = commands.add_parser("complete", help="print what would be suggested at a place in a file")
    complete.add_argument(
        "place",
        metavar="FILE:LINE[:COLUMN]",
        help="counted from 1, as editors show them; without a column the end of the line",
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

    index = commands.add_parser("index", help="let the local model learn from a folder now")
    index.add_argument("folder", nargs="?", default=".", help="the folder; without it the current one")

    why = commands.add_parser("why", help="say why the last request did or did not show something")
    why.add_argument("trace", nargs="?", metavar="TRACE", help="a trace; without it the one in your settings")
    which = why.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every request in it, the oldest first")
    which.add_argument("--last", type=_positive, metavar="N", help="the last N requests")

    config = commands.add_parser("config", help="print the settings in force, and where each came from")
    what = config.add_mutually_exclusive_group()
    what.add_argument("--schema", action="store_true", help="print the JSON Schema of the settings")
    what.add_argument("--init", action="store_true", help="write a configuration file to begin with")

    stats = commands.add_parser("stats", help="print what was counted of suggestions on this machine")
    how = stats.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print one JSON object")
    how.add_argument("--reset", action="store_true", help="forget everything that was counted")

    check = commands.add_parser("check", help="try every step between here and a suggestion")
    _add_backend_options(check)
    check.add_argument(
        "--discover", action="store_true", help="find the servers on this machine, and say how to use them"
    )
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _add_serve_options(parser: argparse.ArgumentParser) -> None:
    # SUPPRESS: the subcommand's defaults would otherwise overwrite what stood before it.
    unset: Any = {"default": argparse.SUPPRESS}
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--stdio", action="store_true", help="over standard input and output (the default)", **unset
    )
    way.add_argument(
        "--tcp",
        metavar="[HOST:]PORT",
        help="to the first client that connects; on this machine only, without HOST",
        **unset,
    )
    way.add_argument("--ws", metavar="[HOST:]PORT", help="the same over a WebSocket", **unset)


def _add_backend_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backend",
        metavar="KIND|URL",
        help="`local`, or the address of a server; instead of the one in your settings",
    )


def _serve(options: argparse.Namespace) -> int:
    from tabby_ls.commands.serve import serve

    return serve(tcp=getattr(options, "tcp", None), ws=getattr(options, "ws", None))


if __name__ == "__main__":
    sys.exit(main())
