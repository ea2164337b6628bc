"""The pictures of the documentation: made on demand with `--images`, and on the way the walk through the menu is tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.editors.vscode.code import CodeServer, Window
from tests.support.tabbyapi import ScriptedTabbyAPI

_BEFORE = """\
from collections.abc import Iterable


def mean(numbers: Iterable[float]) -> float:
    \"\"\"Return the arithmetic mean; raises ZeroDivisionError if there are no numbers.\"\"\"
    values = list(numbers)
    return sum(values) / len(values)


"""
_LINE = "def variance(numbers: Iterable[float]) -> float:\n"
_ANSWER = """\
values = list(numbers)
    centre = mean(values)
    return sum((value - centre) ** 2 for value in values) / len(values)
"""
#: Items of the status bar that VS Code on a desktop does not have.
_ONLY_IN_A_BROWSER = """
[id="status.host"], [id="status.forwardedPorts"], [id="status.workbench.keyboardLayout"] { display: none !important }
"""


def test_ghost_text_the_menu_and_the_reason(
    code_server: CodeServer,
    open_window: Callable[[Path], Window],
    backend: ScriptedTabbyAPI,
    images: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "statistics"
    folder.mkdir()
    (folder / "spread.py").write_text(_BEFORE)
    backend.model = "Qwen2.5-Coder-7B"
    backend.reply(lambda prompt: _ANSWER if _LINE.rstrip() in prompt.split("<|fim_suffix|>")[0] else "")
    code_server.configure({"backend.url": backend.url})
    window = open_window(folder)
    small, high = {"width": 880, "height": 460}, {"width": 880, "height": 660}
    window.page.set_viewport_size(small)
    window.wait_for_status("idle", "Qwen2.5-Coder-7B")
    window.open("spread.py")
    window.run("View: Toggle Primary Side Bar Visibility")
    window.run("View: Hide Activity Bar")
    window.page.add_style_tag(content=_ONLY_IN_A_BROWSER)
    window.focus()
    window.type(_LINE)
    window.wait_for_ghost(_ANSWER.rstrip())
    window.hover_status()
    window.picture(images / "vscode-ghost-text.png")
    window.page.set_viewport_size(high)
    window.click_status()
    window.page.locator(".quick-input-list .monaco-list-row").first.wait_for()
    window.page.wait_for_timeout(500)  # it fades in
    window.picture(images / "vscode-menu.png")
    window.press("Escape")
    window.page.set_viewport_size(small)
    backend.fail(401, {"detail": "Invalid API key"})
    window.focus()
    window.press("Escape")
    window.type("total = 0\nfor number in numbers:\n")
    status = window.wait_for_status("key")
    assert "local model" in status
    window.hover_status()
    window.picture(images / "vscode-trouble.png")
