"""The settings that Neovim's plugin documents and completes are the server's own."""

from __future__ import annotations

import runpy
from pathlib import Path

from tabby_ls.settings import setting_paths

_PLUGIN = Path(__file__).parent.parent / "editors" / "neovim"


def test_the_types_are_those_of_the_server() -> None:
    generator = runpy.run_path(str(_PLUGIN / "scripts" / "generate_settings.py"))
    written = (_PLUGIN / "lua" / "tabby_ls" / "types.lua").read_text("utf-8")
    assert written == generator["text"](), "run editors/neovim/scripts/generate_settings.py"
    for path in setting_paths():
        assert f"---@field {path[-1]}? " in written
