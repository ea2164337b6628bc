"""A real llama-server with a tiny model, on a free port of this machine.

    with LlamaServer(model, "--parallel", "1") as server:
        ...  # talk to server.url

Tests that need it are skipped, with the reason, where the program cannot be had.
"""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support import debian
from tests.support.ports import free_port
from tests.support.waiting import wait_until


class LlamaServer:
    """The server; it runs while the block does. `port` is for one that comes back where another one was."""

    def __init__(self, model: Path, *options: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        program = debian.llama_server()
        self._command = [
            *(str(program), "--model", str(model), "--host", "127.0.0.1", "--port", str(self.port)),
            *("--threads", "2", "--slots", "--props", "--no-webui", "--no-warmup", *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._is_ready)
        return self

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "llama-server ended at once"
        try:
            self.get("/health")
        except OSError:
            return False
        return True

    def get(self, path: str) -> Any:
        """What the server answers to a plain question."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    @property
    def is_busy(self) -> bool:
        """Whether one of its slots works."""
        return any(slot["is_processing"] for slot in self.get("/slots"))

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
