"""A port for a server that is not there yet, or comes back where it was."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port of this machine that nobody listens on at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
