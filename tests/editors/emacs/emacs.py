"""Emacs in a terminal: typed into as a person does, and asked over `emacsclient` for what a person sees."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.editors.terminal import Terminal
from tests.editors.workspace import Workspace
from tests.support import debian
from tests.support.waiting import SECONDS

PACKAGE = Path(__file__).parents[3] / "editors" / "emacs"
_INIT = Path(__file__).with_name("init.el")


class Emacs:
    """A session that has a file of the project open; it ends without saving."""

    def __init__(
        self,
        workspace: Workspace,
        file: str,
        *,
        init: str = "",
        from_source: bool = True,
        columns: int = 90,
        rows: int = 24,
    ) -> None:
        """`init` is more Lisp for the init file; `from_source` puts the package in the load path."""
        self._workspace = workspace
        self._file = file
        self._client = debian.emacs().with_name("emacsclient")
        self._own = Path(tempfile.mkdtemp(prefix="emacs-"))  # sockets need short paths, and nobody else near
        self._socket = self._own / "server"
        user_init = workspace.home / "init.el"
        user_init.write_text(
            (f'(add-to-list \'load-path "{PACKAGE}")\n' if from_source else "")
            + f'(setq server-socket-dir "{self._own}")\n'
            f"{_INIT.read_text('utf-8')}\n{init}\n",
            "utf-8",
        )
        self.terminal = Terminal(
            [debian.emacs(), "-nw", "-Q", "-l", user_init, file],
            workspace.environment,
            workspace.folder,
            columns=columns,
            rows=rows,
        )

    def __enter__(self) -> Emacs:
        self.wait_for(lambda: self._socket.exists() and self._file in self.terminal.screen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._socket.exists():
            print(self.messages)
        self.terminal.__exit__(kind, error, trace)
        shutil.rmtree(self._own, ignore_errors=True)

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until `condition()` holds; when it never does, the screen is shown."""
        self.terminal.wait_for(condition)

    def wait_until_open(self) -> None:
        """Wait until the server knows the file."""
        self.wait_for(
            lambda: any(
                opened["textDocument"]["uri"].endswith(self._file)
                for opened in self._workspace.sent("textDocument/didOpen")
            )
        )

    def wait_for_ghost(self, text: str) -> None:
        """Wait until `text` is shown as ghost text; "" waits until there is none."""
        self.wait_for(lambda: self.ghost == text)

    def wait_for_text(self, text: str) -> None:
        """Wait until the buffer holds `text`, with `|` at point."""
        self.wait_for(lambda: self.text == text)

    def type(self, text: str) -> None:
        """Type at a person's speed."""
        self.terminal.type(text, pause=0.03)

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names."""
        self.terminal.keys(*names)

    def quit(self) -> None:
        """Press C-g. One that meets the end of a question of ours would quit that, and its end cannot be seen."""
        time.sleep(0.2)
        self.keys("C-g")

    def save(self) -> str:
        """Save with the usual keys; returns what is on disk then."""
        self.keys("C-x", "C-s")
        self.wait_for(lambda: self.evaluate("(buffer-modified-p)") == "nil")
        return self._workspace.read(self._file)

    # What a person sees

    @property
    def ghost(self) -> str:
        """The ghost text, without the cell that the cursor stands on before a line break; "" if none is shown."""
        shown = self.string(
            """(mapconcat (lambda (overlay) (or (overlay-get overlay 'after-string) ""))
                          (overlays-in (point-min) (point-max)) "")"""
        )
        return shown.removeprefix(" ") if shown.startswith(" \n") else shown

    @property
    def text(self) -> str:
        """The buffer with `|` at point."""
        return self.string(
            '(concat (buffer-substring (point-min) (point)) "|" (buffer-substring (point) (point-max)))'
        )

    @property
    def status(self) -> str:
        """What the mode line says of tabby-ls, and what the mouse would show there."""
        shown = '(let ((s (tabby-ls--mode-line))) (concat s "\\n" (get-text-property 0 \'help-echo s)))'
        return self.string(shown)

    @property
    def commands(self) -> list[Any]:
        """The server's commands that the user's keys ran: name and arguments."""
        ran = self._workspace.sent("workspace/executeCommand")
        return [call for call in ran if call["command"] != "tabby-ls.status"]

    @property
    def messages(self) -> str:
        """All that the echo area has shown; the newest covers those before it."""
        return self.string('(with-current-buffer "*Messages*" (buffer-string))')

    def evaluate(self, lisp: str) -> str:
        """What Lisp evaluates to, printed, in the buffer of the selected window."""
        inside = f"(with-current-buffer (window-buffer (selected-window)) {lisp})"
        command = [self._client, "-s", self._socket, "--eval", inside]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def string(self, lisp: str) -> str:
        """The string that Lisp evaluates to. It comes in hexadecimal: printed strings differ from Python's."""
        bare = f"(encode-coding-string (substring-no-properties {lisp}) 'utf-8)"
        printed = self.evaluate(f'(mapconcat (lambda (byte) (format "%02x" byte)) {bare} "")')
        return bytes.fromhex(printed.strip('"')).decode()
