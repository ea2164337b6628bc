"""Runs a language server and writes down what it and its editor say to one another, each message on a line.

python tap.py LOG COMMAND [ARGUMENT...]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from tabby_ls.server.framing import Unframer


def main() -> int:
    """Pass everything on, unchanged and at once; returns the server's exit status."""
    with Path(sys.argv[1]).open("a", encoding="utf-8") as log:
        server = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert server.stdin is not None
        assert server.stdout is not None
        lock = threading.Lock()

        def write(by: str, body: bytes) -> None:
            with lock:
                log.write(json.dumps({"by": by, "message": json.loads(body)}) + "\n")
                log.flush()

        def passes(by: str, source: IO[bytes], target: IO[bytes]) -> None:
            unframer = Unframer()
            try:
                while data := os.read(source.fileno(), 1 << 16):
                    for body in unframer.feed(data):
                        write(by, body)
                    target.write(data)
                    target.flush()
                target.close()
            except OSError:
                pass  # the other side has ended

        incoming = (sys.stdin.buffer, server.stdin)
        threading.Thread(target=passes, args=("editor", *incoming), daemon=True).start()
        passes("server", server.stdout, sys.stdout.buffer)
        return server.wait()


if __name__ == "__main__":
    sys.exit(main())
