"""Public sources to train and measure the local model on, fetched by name and version; none is kept here.

    python -m tests.bench.corpus [FOLDER]

fetches and unpacks all of them into FOLDER (default: the platform's cache folder). The training half and the test
half share no project: the calibrator never saw what the benchmark asks.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Literal

import platformdirs
from attrs import frozen

DEFAULT_FOLDER = Path(platformdirs.user_cache_dir("tabby-ls-bench"))


@frozen
class Package:
    """A source package: `version` is the text asked about; what changed since `previous` is replayed.

    `sources` is the folder in it that people write in; npm packages hold built copies as well.
    """

    registry: Literal["pypi", "npm"]
    name: str
    version: str
    previous: str | None = None
    sources: str = "."


TRAINING = (
    Package("pypi", "celery", "5.3.6", "5.3.1"),
    Package("pypi", "flask", "3.0.2", "2.3.3"),
    Package("pypi", "rich", "13.7.1", "13.5.0"),
    Package("pypi", "SQLAlchemy", "2.0.29"),
    Package("pypi", "redis", "5.0.3", "5.0.0"),
    Package("pypi", "pylint", "3.1.0"),
    Package("pypi", "lxml", "5.1.0"),
    Package("npm", "rxjs", "7.8.1", "7.5.5", sources="src"),
    Package("npm", "three", "0.160.0", sources="src"),
    Package("npm", "ajv", "8.12.0", "8.9.0", sources="lib"),
    Package("npm", "@tanstack/query-core", "5.28.4", sources="src"),
    Package("npm", "fp-ts", "2.16.5", sources="es6"),
)

TEST = (
    Package("pypi", "networkx", "3.2.1", "3.2"),
    Package("pypi", "Django", "4.2.11", "4.2.8"),
    Package("pypi", "httpx", "0.27.0", "0.26.0"),
    Package("pypi", "requests", "2.31.0", "2.30.0"),
    Package("pypi", "sympy", "1.11.1", "1.11"),
    Package("pypi", "psutil", "5.9.8", "5.9.7"),
    Package("npm", "mobx", "6.12.0", "6.11.0", sources="src"),
    Package("npm", "@reduxjs/toolkit", "2.2.1", "2.1.0", sources="src"),
    Package("npm", "ethers", "6.11.1", "6.10.0", sources="src.ts"),
    Package("npm", "immer", "10.0.4", "10.0.2", sources="src"),
)


def fetch(package: Package, folder: Path, *, version: str | None = None) -> Path:
    """Return the folder with `package`'s sources, downloading them into `folder` first if they are not there.

    Raises CalledProcessError if the package's own tool (pip or npm) cannot get it.
    """
    version = version or package.version
    target = folder / f"{package.name.replace('/', '-').lstrip('@')}-{version}"
    if target.is_dir():
        return _sources(target, package)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        _download(package, version, Path(temporary))
        (archive,) = Path(temporary).glob("*.t*gz")
        unpacked = Path(temporary) / "unpacked"
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
        unpacked.rename(target)
    return _sources(target, package)


def _sources(target: Path, package: Package) -> Path:
    (top,) = (folder for folder in target.iterdir() if folder.is_dir())
    return top / package.sources


def _download(package: Package, version: str, into: Path) -> None:
    if package.registry == "npm":
        command = ["npm", "pack", "--silent", f"{package.name}@{version}"]
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-binary", ":all:", "--no-deps"]
        command.append(f"{package.name}=={version}")
    subprocess.run(command, cwd=into, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Fetch every package in both versions."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER
    for package in (*TRAINING, *TEST):
        for version in filter(None, (package.version, package.previous)):
            try:
                print(fetch(package, folder, version=version))
            except (subprocess.CalledProcessError, ValueError) as error:
                print(f"{package.name} {version}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
