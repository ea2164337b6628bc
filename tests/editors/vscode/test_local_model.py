"""With no server: suggestions from the user's own files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.editors.vscode.code import CodeServer, Window
from tests.support.waiting import wait_until

_SHAPES = """\
import math


class Circle:
    def __init__(self, radius: float) -> None:
        self.radius = radius

    def area(self) -> float:
        return math.pi * self.radius**2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shapes.py").write_text(_SHAPES)
    (tmp_path / "new.py").touch()
    return tmp_path


def test_a_line_of_another_file_is_known(
    code_server: CodeServer, open_window: Callable[[Path], Window], folder: Path
) -> None:
    code_server.configure({})
    window = open_window(folder)
    window.wait_for_status("idle", "local model")
    window.open("new.py")
    window.type("class Circle:\ndef __init__(")

    def is_known() -> bool:
        window.press("Alt+Backslash")
        return window.ghost.startswith("self, radius: float")

    wait_until(is_known)
    window.accept()
    assert window.saved().startswith("class Circle:\n    def __init__(self, radius: float)")
