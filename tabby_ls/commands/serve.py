"""`tabby-ls serve`: the language server over stdio, TCP or a WebSocket."""

from __future__ import annotations

import os
import sys

_LOOPBACK = "127.0.0.1"
#: Seconds for which a thread of the local model may keep the interpreter from the event loop. Python's default of 5 ms
#: would delay every keystroke during a prediction.
SWITCH_SECONDS = 0.0005

_TO_A_PERSON = (
    "tabby-ls: this is what an editor starts and talks to; Ctrl+C ends it. "
    "`tabby-ls --help` names the commands for people, docs/editors says how to set up an editor."
)


def serve(*, tcp: str | None, ws: str | None) -> int:
    """Serve one client until it leaves; return the exit status."""
    sys.setswitchinterval(SWITCH_SECONDS)
    if tcp is None and ws is None:
        return _serve_stdio()
    return _serve_there(tcp, ws)


def _serve_stdio() -> int:
    from tabby_ls.server.greeting import greet

    stdin, stdout = 0, 1
    if os.isatty(stdin):
        print(_TO_A_PERSON, file=sys.stderr)
    try:
        received, answered = greet(stdin, stdout)
    except KeyboardInterrupt:  # started in a terminal, by somebody who looks around
        return 0
    # Only now: the client has its answer.
    from tabby_ls.server.app import create_server
    from tabby_ls.server.transport import serve_stdio

    server = create_server()
    return serve_stdio(server, received=received, answered=answered, on_end=server.session.end)


def _serve_there(tcp: str | None, ws: str | None) -> int:
    from tabby_ls.commands.common import say
    from tabby_ls.server.app import create_server
    from tabby_ls.server.transport import serve_tcp, serve_ws

    try:
        host, port = _address(tcp or ws or "")
    except ValueError as error:
        say(str(error))
        return 2
    server = create_server()
    serve = serve_tcp if tcp is not None else serve_ws
    try:
        return serve(server, host, port, on_end=server.session.end)
    except OSError as error:
        say(f"cannot listen on {host}:{port}: {error.strerror}")
        return 1


def _address(text: str) -> tuple[str, int]:
    """Return host and port of `[HOST:]PORT`; raises ValueError."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not [HOST:]PORT")
    return host.strip("[]") or _LOOPBACK, int(port)
