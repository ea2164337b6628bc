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
from typing import Any  # noqa: E402

#: What editors start. Anything else is read by argparse, which takes as long as answering `initialize`.
_USUAL: Sequence[Sequence[str]] = ([], ["--stdio"], ["serve"], ["serve", "--stdio"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given in _USUAL:
        return _serve()
    from tabby_ls.commands.arguments import parser

    options = parser().parse_args(given)
    command = options.command or "serve"
    if command == "serve":
        return _serve(tcp=getattr(options, "tcp", None), ws=getattr(options, "ws", None))
    gc.enable()
    for stream in (sys.stdout, sys.stderr):  # a terminal or a file that knows no ✓ is no reason to fail
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        # Each is a function in a module of its own name.
        run: Callable[[Any], int]
        run = getattr(import_module(f"tabby_ls.commands.{command}"), command)
        return run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        sys.stderr.close()
        return 141
    except OSError as error:
        # Commands tell of the files they know of. Without a name it is the output: the disk is full.
        from tabby_ls.commands.common import say

        say(f"{error.filename or 'the output'}: {error.strerror}")
        os._exit(1)  # what is left in the buffer cannot be written either


def _serve(*, tcp: str | None = None, ws: str | None = None) -> int:
    from tabby_ls.commands.serve import serve

    return serve(tcp=tcp, ws=ws)


if __name__ == "__main__":
    sys.exit(main())
