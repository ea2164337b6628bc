"""Neovim in a terminal, driven by keys, with a second way in to look at what a person sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.editors.terminal import Terminal
from tests.editors.workspace import Workspace
from tests.support.waiting import SECONDS, wait_until

#: How long it may take to end by itself once its terminal is gone.
_LAST_SECONDS = 5
PLUGIN = Path(__file__).parents[3] / "editors" / "neovim"

#: What is drawn as ghost text, by this plugin or by Neovim itself: lines, the first of them at the cursor.
_GHOST = """
local lines = vim.NIL
for _, name in ipairs({ 'tabby_ls.ghost', 'nvim.lsp.inline_completion' }) do
  local namespace = vim.api.nvim_get_namespaces()[name]
  for _, mark in ipairs(namespace and vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true }) or {}) do
    local text = function(chunks)
      return table.concat(vim.tbl_map(function(chunk) return chunk[1] end, chunks))
    end
    lines = { text(mark[4].virt_text or {}) }
    vim.list_extend(lines, vim.tbl_map(text, mark[4].virt_lines or {}))
  end
end
return lines
"""


class Neovim:
    """One Neovim, started as a user does, in a home where the plugin is a native package."""

    def __init__(
        self,
        nvim: Path,
        workspace: Workspace,
        file: str = "",
        text: str | None = None,
        *,
        init: str = "require('tabby_ls').setup { keymaps = true }",
        with_plugin: bool = True,
        columns: int = 90,
        rows: int = 24,
    ) -> None:
        """`init` becomes init.lua; `file`, of the project, is opened.

        With `text` it is written before, and the server has to know of it.
        """
        if text is not None:
            workspace.write(file, text)
        self.workspace = workspace
        self._nvim = nvim
        config = workspace.home / ".config/nvim/init.lua"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(init, "utf-8")
        packages = workspace.home / ".local/share/nvim/site/pack/tabby-ls/start"
        packages.mkdir(parents=True, exist_ok=True)
        if with_plugin and not (packages / "tabby-ls").exists():
            (packages / "tabby-ls").symlink_to(PLUGIN)
        self._own = tempfile.TemporaryDirectory(prefix="neovim-")  # sockets need short paths
        self._socket = str(Path(self._own.name) / "socket")
        command: list[str | Path] = [nvim, "--listen", self._socket, *([file] if file else [])]
        self.terminal = Terminal(command, workspace.environment, workspace.folder, columns=columns, rows=rows)
        try:
            self.wait_for(lambda: Path(self._socket).exists())
            if text is not None:
                self.wait_for(lambda: self.workspace.sent("textDocument/didOpen"))
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __enter__(self) -> Neovim:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminal.__exit__(kind, error, trace)
        # What the terminal showed is a process of its own, which may outlive it.
        with suppress(AssertionError):
            wait_until(lambda: not self._pids(), seconds=_LAST_SECONDS)
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._own.cleanup()

    def _pids(self) -> list[int]:
        """Its processes: those that have its socket on their command line."""
        pids = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if self._socket.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                    pids.append(int(process.name))
        return pids

    # Hands

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names."""
        self.terminal.keys(*names)

    def type(self, text: str, *, pause: float = 0.0) -> None:
        """Type text."""
        self.terminal.type(text, pause=pause)

    def insert_at_end(self, text: str = "", *, pause: float = 0.0) -> None:
        """Go to the end of the buffer, into insert mode, and type."""
        self.keys("Escape", "G", "A")
        self.wait_for(lambda: self.mode == "i")
        self.type(text, pause=pause)

    def run(self, command: str) -> None:
        """Run an Ex command, as from the command line."""
        self.lua(f"vim.schedule(function() vim.cmd({json.dumps(command)}) end)")

    # Eyes

    def lua(self, code: str) -> Any:
        """Run Lua in it and return its result, which JSON has to know."""
        wrapped = f"vim.json.encode({{ (function() {code} end)() }})"
        expression = "luaeval({})".format("'" + wrapped.replace("\n", " ").replace("'", "''") + "'")
        done = subprocess.run(
            [self._nvim, "--clean", "--headless", "--server", self._socket, "--remote-expr", expression],
            env=self.workspace.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.stdout.strip(), done.stderr
        result = json.loads(done.stdout or done.stderr)
        return result[0] if result else None

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until `condition()` holds; when it never does, the screen is shown."""
        self.terminal.wait_for(condition)

    @property
    def ghost(self) -> list[str] | None:
        """The lines of ghost text, None if there is none."""
        ghost: list[str] | None = self.lua(_GHOST)
        return ghost

    def wait_for_ghost(self, *lines: str) -> None:
        """Wait for ghost text of these lines; for its end, if there are none."""
        expected = list(lines) or None
        self.wait_for(lambda: self.ghost == expected)

    @property
    def lines(self) -> list[str]:
        """The buffer."""
        lines: list[str] = self.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, false)")
        return lines

    @property
    def cursor(self) -> tuple[int, int]:
        """Line from 1 and byte from 0."""
        line, column = self.lua("return vim.api.nvim_win_get_cursor(0)")
        return line, column

    @property
    def mode(self) -> str:
        """The mode, as Neovim abbreviates it."""
        mode: str = self.lua("return vim.api.nvim_get_mode().mode")
        return mode
