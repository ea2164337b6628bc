"""VS Code at work: a code-server process, and a window of it, driven by keys and read as a person reads it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tests.editors.vscode.installation import Installation
from tests.support.waiting import SECONDS, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

EXTENSION = "tabby-ls.tabby-ls"
_GHOST = ".monaco-editor :is([class^='ghost-text'], [class*=' ghost-text'], .suggest-preview-text)"
_GALLERY = {"serviceUrl": "", "itemUrl": "", "resourceUrlTemplate": ""}
_USER_SETTINGS: Mapping[str, Any] = {
    "chat.disableAIFeatures": True,
    "editor.fontFamily": "'DejaVu Sans Mono'",
    "editor.minimap.enabled": False,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",
    "files.simpleDialog.enable": True,
    "git.enabled": False,
    "security.workspace.trust.startupPrompt": "never",
    "telemetry.telemetryLevel": "off",
    "window.restoreWindows": "none",
    "workbench.colorTheme": "Dark Modern",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}


class CodeServer:
    """A code-server with the extension in it and a home folder of its own, on a free port of this machine."""

    def __init__(
        self, installation: Installation, vsix: Path, folder: Path, *, trusts_all: bool = True
    ) -> None:
        self._installation = installation
        self._folder = folder
        self._data = folder / "data"
        self.home = folder / "home"
        # Sockets are made in there, whose names must be short.
        self._temporary = tempfile.TemporaryDirectory(prefix="code-")
        self._arguments = [
            str(installation.node),
            str(installation.code_server),
            *("--config", str(folder / "config.yaml")),
            *("--user-data-dir", str(self._data)),
            *("--extensions-dir", str(folder / "extensions")),
        ]
        self._trust = ["--disable-workspace-trust"] if trusts_all else []
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TABBY_LS_")},
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "TMPDIR": self._temporary.name,
            "EXTENSIONS_GALLERY": json.dumps(_GALLERY),
        }
        self.home.mkdir(parents=True)
        (folder / "config.yaml").write_text("auth: none\n")
        self._write("User", _USER_SETTINGS)
        self.configure({})
        self._run("--install-extension", str(vsix), "--force")

    def __enter__(self) -> CodeServer:
        self._log = (self._folder / "code-server.log").open("w+")
        self._process = subprocess.Popen(
            [
                *self._arguments,
                *("--auth", "none", "--bind-addr", "127.0.0.1:0"),
                *("--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"),
                *("--disable-proxy", "--ignore-last-opened", "--reconnection-grace-time", "2"),
                *self._trust,
            ],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.url = wait_until(self._address)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._temporary.cleanup()

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Write the machine's settings, which VS Code takes in at once. Names are ours, without the prefix."""
        own = {f"tabby-ls.{name}": value for name, value in settings.items()}
        self._write("Machine", {"tabby-ls.interpreter": _interpreter(), **own})

    def machine_settings(self) -> dict[str, Any]:
        """Return the machine's settings as they are on disk."""
        return dict(json.loads((self._data / "Machine" / "settings.json").read_text("utf-8")))

    def user_settings(self) -> dict[str, Any]:
        """Return the user's settings as they are on disk."""
        return dict(json.loads((self._data / "User" / "settings.json").read_text("utf-8")))

    def language_servers(self) -> list[int]:
        """Return the processes that serve our extension."""
        found = []
        for process in Path("/proc").iterdir():
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
                environment = (process / "environ").read_bytes()
            except OSError:
                continue
            if b"tabby_ls" in command and f"HOME={self.home}\0".encode() in environment:
                found.append(int(process.name))
        return sorted(found)

    def _write(self, whose: str, settings: Mapping[str, Any]) -> None:
        file = self._data / whose / "settings.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings, indent=2), "utf-8")

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [*self._arguments, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _address(self) -> str | None:
        printed = (self._folder / "code-server.log").read_text("utf-8", "replace")
        assert self._process.poll() is None, printed
        found = re.search(r"listening on (http://127\.0\.0\.1:\d+)", printed)
        return found[1] if found else None


def _interpreter() -> str:
    """The Python below this virtual environment: it has nothing installed that the extension could lean on."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


class Window:
    """A window with a folder open, in which one file is edited at a time."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self._file: Path | None = None

    # What a person does

    def open(self, name: str) -> None:
        """Open a file of the folder, with the cursor at its end."""
        self._file = self.folder / name
        self._quick_open(name)
        editor = self.page.locator(f'.monaco-editor[data-uri$="{name}"]')
        editor.locator(".view-line").first.wait_for()
        self.press("Control+End")

    def open_notebook(self, name: str) -> None:
        """Open a notebook of the folder, with the cursor in its first cell."""
        self._quick_open(name)
        self.page.locator(".notebook-editor .cell .monaco-editor .view-line").first.click()

    def _quick_open(self, name: str) -> None:
        row = self.page.locator(f'.quick-input-list .monaco-list-row[aria-label^="{name}"]').first

        def is_found() -> bool:
            # A file that was just made is not in the list that is shown; the next list has it.
            self.press("Escape", "Control+p")
            self.page.locator(".quick-input-widget:visible input[type=text]").fill(name)
            wait_briefly = 2000
            try:
                row.click(timeout=wait_briefly)
            except Error:
                return False
            return True

        from playwright.sync_api import Error

        wait_until(is_found)

    def type(self, text: str, *, delay: float = 0.04) -> None:
        """Type, with so many seconds between keys."""
        self.page.keyboard.type(text, delay=delay * 1000)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, as in `Control+ArrowRight`."""
        for key in keys:
            self.page.keyboard.press(key)

    def run(self, title: str) -> None:
        """Run a command by its title in the command palette."""
        self.press("F1")
        box = self.page.locator(".quick-input-widget:visible input[type=text]")
        box.fill(f">{title}")
        self.page.locator(f'.quick-input-list .monaco-list-row[aria-label^="{title}"]').first.click()

    def accept(self, key: str = "Tab") -> None:
        """Take ghost text, by default all of it. VS Code does that a moment after the key."""
        shown = self.ghost
        assert shown, "there is no ghost text to take"
        self.press(key)
        wait_until(lambda: self.ghost != shown)

    def choose(self, label: str) -> None:
        """Choose from the list that is open."""
        self.page.locator(".quick-input-list .monaco-list-row", has_text=label).first.click()

    def answer(self, text: str) -> None:
        """Fill in the box that is open."""
        box = self.page.locator(".quick-input-widget:visible input")
        box.fill(text)
        box.press("Enter")

    def focus(self) -> None:
        """Click behind the text of the file, as after something else was clicked on."""
        assert self._file is not None
        self.page.locator(f'.monaco-editor[data-uri$="{self._file.name}"] .view-lines').click()
        self.press("Control+End")

    def clear_notifications(self) -> None:
        """Close all notifications."""
        self.run("Notifications: Clear All Notifications")

    def click_status(self) -> None:
        """Click on our item in the status bar."""
        self._status.locator("a").first.click()
        self.page.mouse.move(300, 300)  # else the tooltip comes and covers what is there

    def hover_status(self) -> None:
        """Point at our item in the status bar until its tooltip is there."""
        self._status.hover()
        self.page.locator(".monaco-hover:visible", has_text="tabby-ls").first.wait_for()

    def picture(self, file: Path) -> None:
        """Take a picture of the window for the documentation."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=file)

    # What a person sees

    @property
    def ghost(self) -> str:
        """The ghost text on the screen; tabs are shown as spaces."""
        parts = self.page.locator(_GHOST)
        texts = parts.evaluate_all(
            """elements => {
                const outermost = elements.filter(one => !elements.some(other => other !== one && other.contains(one)));
                const isBelow = element => element.classList.contains('suggest-preview-text');
                const lines = element => [...element.querySelectorAll('.view-line')];
                return [
                    ...outermost.filter(element => !isBelow(element)).map(element => element.textContent),
                    ...outermost.filter(isBelow).flatMap(lines).map(line => '\\n' + line.textContent),
                ];
            }"""
        )
        return "".join(texts).replace("\u00a0", " ").replace("\u200b", "")

    def wait_for_ghost(self, text: str) -> None:
        """Wait until just this ghost text is on the screen."""
        wait_until(lambda: self.ghost == text)

    def wait_for_no_ghost(self) -> None:
        """Wait until no ghost text is on the screen."""
        wait_until(lambda: not self.ghost)

    def saved(self) -> str:
        """Save the file and return what is in it, with its line endings."""
        assert self._file is not None
        tab = self.page.locator(f'.tab.active.dirty[data-resource-name="{self._file.name}"]')
        self.press("Control+s")
        wait_until(lambda: tab.count() == 0)
        return self._file.read_bytes().decode("utf-8")

    @property
    def status(self) -> str:
        """Our item in the status bar, as it is read out: its text and its tooltip."""
        return self._status.get_attribute("aria-label", timeout=SECONDS * 1000) or ""

    def wait_for_status(self, *words: str) -> str:
        """Wait until the status bar item says all of `words`."""
        return str(wait_until(lambda: all(word in self.status for word in words) and self.status))

    def notifications(self) -> list[str]:
        """The texts of all notifications on the screen."""
        return self.page.locator(".notification-toast .notification-list-item-message").all_inner_texts()

    @property
    def _status(self) -> Locator:
        return self.page.locator(f'[id="{EXTENSION}.status"]')


@contextmanager
def browser(installation: Installation, profile: Path) -> Iterator[Callable[[CodeServer, Path], Window]]:
    """Yield a function that opens a folder in a new window of a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=installation.chromium,
            headless=True,
            viewport={"width": 1120, "height": 640},
            device_scale_factor=1.5,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
        )
        chromium.set_default_timeout(SECONDS * 1000)

        def open_window(server: CodeServer, folder: Path) -> Window:
            page = chromium.new_page()
            page.goto(f"{server.url}/?folder={folder}", wait_until="domcontentloaded")
            page.locator(f'[id="{EXTENSION}.status"]').wait_for()
            return Window(page, folder)

        try:
            yield open_window
        finally:
            chromium.close()
