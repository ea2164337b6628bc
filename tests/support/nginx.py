"""A real nginx in front of a server, with the configuration that docs/serving-a-team.md gives.

Tests that need it are skipped, with the reason, where the program cannot be had.
"""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import debian
from tests.support.ports import free_port
from tests.support.waiting import wait_until

PAGE = Path(__file__).parent.parent.parent / "docs" / "serving-a-team.md"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def nginx_before(upstream: str, folder: Path, *, read_timeout: str = "60s") -> Iterator[str]:
    """Run it in `folder` with the page's configuration, before the server at `upstream`; gives its address."""
    (block,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    port = free_port()
    changes = {
        "127.0.0.1:8000": upstream.removeprefix("http://"),
        "127.0.0.1:8001": upstream.removeprefix("http://"),
        "127.0.0.1:8443": f"127.0.0.1:{port}",
        "60s": read_timeout,
    }
    for old, new in changes.items():
        assert old in block
        block = block.replace(old, new)
    paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in _TEMPORARY)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}{block}}}\n"
    )
    process = subprocess.Popen(
        [str(debian.nginx()), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def answers() -> bool:
        assert process.poll() is None, (folder / "error.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    try:
        wait_until(answers)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
