"""The entry point: runs the one command that is asked for, and imports nothing else: editors wait for `serve`."""

from __future__ import annotations

import gc

# Nothing that importing allocates is garbage; a collection in the middle of it costs 20 ms. `server.connection`
# switches it on again when what a first suggestion needs is there.
gc.disable()

import io  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from importlib import import_module  # noqa: E402
from typing import Any, TypeVar  # noqa: E402

_Result = TypeVar("_Result")

#: What editors start. Anything else is read by argparse, which takes as long as answering `initialize`.
_USUAL: Sequence[Sequence[str]] = ([], ["--stdio"], ["serve"], ["serve", "--stdio"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given in _USUAL:
        return _serve()
    from tabby_ls.commands.arguments import parser

    options = _writing(lambda: parser().parse_args(given))
    if options.command in (None, "serve"):
        return _serve(tcp=getattr(options, "tcp", None), ws=getattr(options, "ws", None))
    gc.enable()
    for stream in (sys.stdout, sys.stderr):  # a terminal or a file that knows no ✓ is no reason to fail
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # Each is a function in a module of its own name.
    run: Callable[[Any], int]
    run = getattr(import_module(f"tabby_ls.commands.{options.command}"), options.command)
    try:
        return _writing(lambda: run(options))
    except KeyboardInterrupt:
        return 130


def _writing(do: Callable[[], _Result]) -> _Result:
    """Return what `do` returns, once all that it printed is written; end the process if that cannot be."""
    try:
        try:
            return do()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        status = 141
    except OSError as error:
        # Commands tell of the files they know of. Without a name it is the output: the disk is full.
        from tabby_ls.commands.common import say

        say(f"{error.filename or 'the output'}: {error.strerror}")
        status = 1
    os._exit(status)  # what is left in the buffer cannot be written either, and Python would complain of it


def _serve(*, tcp: str | None = None, ws: str | None = None) -> int:
    from tabby_ls.commands.serve import serve

    return serve(tcp=tcp, ws=ws)


if __name__ == "__main__":
    sys.exit(main())
