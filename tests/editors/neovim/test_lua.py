"""The plugin's Lua by itself: what the linter says, and its pure functions."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.editors.neovim.conftest import VERSIONS
from tests.editors.neovim.driver import PLUGIN
from tests.support import debian


def test_the_linter_has_nothing_to_say() -> None:
    done = subprocess.run(
        [debian.luacheck(), "--no-color", "."], cwd=PLUGIN, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout


def test_pure_functions(version: str, tmp_path: Path) -> None:
    nvim = VERSIONS[version]()
    spec = Path(__file__).with_name("text_spec.lua")
    done = subprocess.run(
        [nvim, "--clean", "--cmd", f"set runtimepath+={PLUGIN}", "-l", spec],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "all well" in done.stdout + done.stderr
