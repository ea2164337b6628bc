"""What a stranger does first: the wheel and the sdist, in an empty environment of every Python there is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import debian
from tests.support.tabbyapi import ScriptedTabbyAPI

_ROOT = Path(__file__).parents[2]
_VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def _run(*command: str | Path, **environment: str) -> str:
    """Run a command away from the checkout, whose files must not be what it finds."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TABBY"))}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=300,
        cwd="/",
        env={**bare, **environment},
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _python(version: str) -> str:
    """The interpreter of a version: on the path, one of pyenv's, or Debian's; without one the test is skipped."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}*/bin/python"))]
    for candidate in filter(None, candidates):
        asked = subprocess.run(
            [str(candidate), "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.stdout.strip() == version:
            return str(candidate)
    if version == "3.14":
        return str(debian.python_3_14())
    pytest.skip(f"there is no Python {version} on this machine")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The sdist, and the wheel made from it, as an installer without wheels would."""
    folder = tmp_path_factory.mktemp("built")
    _run(sys.executable, "-m", "venv", folder / "env")
    python = folder / "env" / "bin" / "python"
    _run(python, "-m", "pip", "install", "-q", "build")
    _run(python, "-m", "build", "--outdir", folder, _ROOT)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_wheel_works_in_an_empty_environment(
    built: Mapping[str, Path], version: str, tmp_path: Path
) -> None:
    # Our pip installs, because Debian's Python comes without one.
    _run(_python(version), "-m", "venv", "--without-pip", tmp_path / "env")
    programs = tmp_path / "env" / "bin"
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "--disable-pip-version-check")
    _run(*pip, "install", "-q", built["wheel"])
    assert _run(programs / "tabby-ls", "--version").startswith("tabby-ls ")
    file = tmp_path / "a.py"
    file.write_text("def total(prices):\n    return sum(prices)\n\n\ndef total_of(orders):\n    return sum(")
    home = {"HOME": str(tmp_path), "TABBY_LS_CONFIG": os.devnull}
    assert "prices" in _run(programs / "tabby-ls", "complete", f"{file}:6", **home)
    with ScriptedTabbyAPI() as server:
        server.reply("order.price for order in orders)\n")
        asked = {**home, "TABBY_LS_BACKEND_URL": server.url, "TABBY_LS_LOCAL_FALLBACK": "false"}
        assert "order.price" in _run(programs / "tabby-ls", "complete", f"{file}:6", **asked)


def test_the_wheel_holds_the_package_and_nothing_else(built: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(built["wheel"]) as wheel:
        tops = {name.split("/")[0] for name in wheel.namelist()}
        assert "tabby_ls/py.typed" in wheel.namelist()
    assert {top.split("-")[0] for top in tops} == {"tabby_ls"}


def test_the_sdist_holds_what_is_tracked_and_tests_itself(built: Mapping[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "tabby_ls/cli.py",
        "tests/test_architecture.py",
    } <= names
    assert not [name for name in names if "node_modules" in name or name.startswith(".venv")]
