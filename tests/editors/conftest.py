"""What tests of all editors share: a workspace and pictures for the documentation on demand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.workspace import Workspace
from tests.support.tabbyapi import ScriptedTabbyAPI

_IMAGES = Path(__file__).parents[2] / "docs" / "images"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--images", action="store_true", help="make the pictures of docs/images anew")


@pytest.fixture
def images(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder for pictures: the documentation's with `--images`, otherwise one that nobody keeps."""
    return _IMAGES if request.config.getoption("--images", default=False) else tmp_path / "images"


@pytest.fixture
def workspace(tmp_path: Path, backend: ScriptedTabbyAPI) -> Workspace:
    """A project whose suggestions come from the scripted server."""
    return Workspace(tmp_path, backend.url)


@pytest.fixture
def local_workspace(tmp_path: Path) -> Workspace:
    """A project whose suggestions come from the local model."""
    return Workspace(tmp_path)
