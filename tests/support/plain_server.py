"""A server with a few methods for tests, in a process of its own: `python -m tests.support.plain_server stdio`.

The first argument is `stdio`, `early` (stdio, the first message read and answered by the entry point), `tcp`, `ws`,
or `stock` (pygls' own protocol and stdio loop, to compare with).
"""

from __future__ import annotations

import gc
import os
import sys
import time
from typing import Any

gc.disable()

from pygls.lsp.server import LanguageServer  # noqa: E402

from tabby_ls.server import connection, transport  # noqa: E402
from tabby_ls.server.protocol import ServerProtocol  # noqa: E402


async def ended() -> None:
    sys.stderr.write("ended well\n")


def build(stock: bool) -> LanguageServer:
    server = (
        LanguageServer("plain", "0") if stock else LanguageServer("plain", "0", protocol_cls=ServerProtocol)
    )

    @server.feature("test/echo")
    async def echo(params: Any) -> Any:
        return params

    @server.feature("test/print")
    def print_(params: Any) -> None:
        print("stray output")

    @server.feature("test/sleep")
    def sleep(params: Any) -> None:
        time.sleep(params)

    @server.feature("test/collector")
    def collector(params: Any) -> Any:
        return [gc.isenabled(), gc.get_freeze_count() > 0]

    return server


def main(mode: str) -> int:
    server = build(mode == "stock")
    connection.CLIENT_CHECK_SECONDS = 0.05
    match mode:
        case "stdio":
            return transport.serve_stdio(server, on_end=ended)
        case "early":
            return transport.serve_stdio(server, received=os.read(0, 1 << 16), answered=0)
        case "tcp":
            return transport.serve_tcp(server, on_end=ended)
        case "ws":
            return transport.serve_ws(server, on_end=ended)
        case _:
            server.start_io()
            return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
