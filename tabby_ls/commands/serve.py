"""`tabby-ls serve`: the language server over stdio, TCP or a WebSocket."""

from __future__ import annotations

import sys

from tabby_ls.commands.common import say
from tabby_ls.server.app import create_server
from tabby_ls.server.transport import serve_stdio, serve_tcp, serve_ws

_LOOPBACK = "127.0.0.1"
#: How long a thread that predicts may keep the interpreter from the event loop; Python's own 5 ms are a keystroke's time.
SWITCH_SECONDS = 0.0005


def serve(*, tcp: str | None, ws: str | None) -> int:
    """Serve one client until it leaves; return the exit status."""
    sys.setswitchinterval(SWITCH_SECONDS)
    server = create_server()
    end = server.session.end
    if tcp is None and ws is None:
        return serve_stdio(server, on_end=end)
    try:
        host, port = _address(tcp or ws or "")
    except ValueError as error:
        say(str(error))
        return 2
    try:
        serve_there = serve_tcp if tcp is not None else serve_ws
        return serve_there(server, host, port, on_end=end)
    except OSError as error:
        say(f"cannot listen on {host}:{port}: {error.strerror}")
        return 1


def _address(text: str) -> tuple[str, int]:
    """Return host and port of `[HOST:]PORT`; raises ValueError."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not [HOST:]PORT")
    return host.strip("[]") or _LOOPBACK, int(port)
