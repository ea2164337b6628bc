"""A terminal that a test types into and looks at: tmux, with a server of its own.

with Terminal(["hx", "file.py"], workspace.environment, workspace.folder) as terminal:
    terminal.type("ifrom")
    terminal.keys("Escape", "C-x")
    terminal.wait_for(lambda: "import" in terminal.screen)
    terminal.save_svg(Path("docs/images/helix.svg"), "Helix")
"""

from __future__ import annotations

import io
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.support import debian
from tests.support.waiting import SECONDS, wait_until

_SETTINGS = """\
set -g default-terminal tmux-256color
set -g escape-time 0
set -g status off
set -g remain-on-exit on
"""
_COLOURS = TerminalTheme(
    background=(20, 22, 27),
    foreground=(224, 226, 234),
    normal=[
        (0, 0, 0),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (171, 178, 191),
    ],
    bright=[
        (92, 99, 112),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (255, 255, 255),
    ],
)
#: Rich's own format takes its font from a server; a document shall need none.
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>{title_text}</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; white-space: pre; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}"
 height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


class Terminal:
    """A program in a terminal of `columns` by `rows`, ended together with it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        folder: Path,
        *,
        columns: int = 90,
        rows: int = 24,
    ) -> None:
        """`environment` is all that the program gets besides `TERM`; `folder` is where it starts."""
        tmux = debian.tmux()
        self._own = Path(tempfile.mkdtemp(prefix="terminal-"))  # sockets need short paths
        (self._own / "tmux.conf").write_text(_SETTINGS)
        self._tmux_command = [str(tmux), "-S", str(self._own / "socket"), "-f", str(self._own / "tmux.conf")]
        clean = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        run = " ".join(
            [*map(shlex.quote, clean), 'TERM="$TERM"', "COLORTERM=truecolor", shlex.join(map(str, command))]
        )
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(folder), f"exec {run}")

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(self.screen)
        self._tmux("kill-server")
        shutil.rmtree(self._own, ignore_errors=True)

    def type(self, text: str, *, pause: float = 0.0) -> None:
        """Type text as it is, with `pause` seconds after each character."""
        for piece in text if pause else [text]:
            # tmux takes a semicolon at the end of an argument for its own.
            self._tmux("send-keys", "-l", "--", piece[:-1] + "\\;" if piece.endswith(";") else piece)
            time.sleep(pause)

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names: `Enter`, `Escape`, `Tab`, `C-x`, `M-Right`, or a character."""
        self._tmux("send-keys", *names)

    @property
    def screen(self) -> str:
        """What is on the screen, line by line, without styles."""
        return self._tmux("capture-pane", "-p")

    @property
    def styled_screen(self) -> str:
        """What is on the screen, with the escape sequences of its styles."""
        return self._tmux("capture-pane", "-p", "-e")

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, from 0."""
        column, row = self._tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
        return int(column), int(row)

    @property
    def ended(self) -> bool:
        """Whether the program has ended by itself."""
        return self._tmux("display-message", "-p", "#{pane_dead}").strip() == "1"

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until `condition()` holds; when it never does, the screen is shown."""
        wait_until(condition, lambda: self.screen)

    def wait_for_text(self, text: str) -> None:
        """Wait until `text` is on the screen."""
        self.wait_for(lambda: text in self.screen)

    def save_svg(self, path: Path, title: str) -> None:
        """Write the screen, with its colours and cursor, as a picture for the documentation."""
        lines = self.styled_screen.rstrip("\n").split("\n")
        columns = int(self._tmux("display-message", "-p", "#{pane_width}"))
        column, row = self.cursor
        screen = [Text.from_ansi(line) for line in lines]
        screen += [Text()] * (row + 1 - len(screen))
        screen[row].pad_right(max(0, column + 1 - len(screen[row])))
        screen[row].stylize("reverse", column, column + 1)
        console = Console(
            record=True, width=columns, color_system="truecolor", force_terminal=True, file=io.StringIO()
        )
        for line in screen:
            console.print(line, no_wrap=True, overflow="crop", crop=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        svg = console.export_svg(title=title, theme=_COLOURS, code_format=_SVG.replace("{title_text}", title))
        path.write_text(svg, "utf-8")

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._tmux_command, *arguments], capture_output=True, text=True, timeout=SECONDS
        )
        return done.stdout
