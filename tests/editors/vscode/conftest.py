"""One VS Code for all tests of the extension, and a window of it for each module."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.editors.vscode.code import CodeServer, Window, browser
from tests.editors.vscode.extension import packaged
from tests.editors.vscode.installation import Installation, NotAvailableError, installed


@pytest.fixture(scope="session")
def installation() -> Installation:
    pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install -e '.[editors]'"
    )
    try:
        return installed()
    except NotAvailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def vsix(installation: Installation) -> Path:
    """The package as users install it."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm on the PATH")
    return packaged()


@pytest.fixture(scope="session")
def code_server(
    installation: Installation, vsix: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CodeServer]:
    with CodeServer(installation, vsix, tmp_path_factory.mktemp("code")) as server:
        yield server


@pytest.fixture(scope="module")
def open_window(
    installation: Installation, code_server: CodeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path], Window]]:
    """Opens a folder in a window. The browser is the module's: while it runs, so does an event loop in this thread."""
    with browser(installation, tmp_path_factory.mktemp("browser")) as open_window:
        yield lambda folder: open_window(code_server, folder)
