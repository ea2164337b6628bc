"""A workspace that is not trusted: the server runs, and the workspace's settings decide neither what nor whom it asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.editors.vscode.code import CodeServer, browser
from tests.editors.vscode.installation import Installation
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import wait_until


def test_a_project_that_is_not_trusted_has_no_say_in_what_is_run_and_asked(
    installation: Installation, vsix: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path
    (folder / "new.py").touch()
    trap = folder / "trap"
    trap.write_text("#!/bin/sh\ntouch sprung\n")
    trap.chmod(0o755)
    with ScriptedTabbyAPI() as theirs:
        (folder / ".vscode").mkdir()
        settings = {
            "tabby-ls.serverCommand": [str(trap)],
            "tabby-ls.interpreter": str(trap),
            "tabby-ls.backend.url": theirs.url,
        }
        (folder / ".vscode" / "settings.json").write_text(json.dumps(settings))
        work = tmp_path_factory.mktemp("untrusted")
        with (
            CodeServer(installation, vsix, work / "code", trusts_all=False) as server,
            browser(installation, work / "browser") as open_window,
        ):
            window = open_window(server, folder)
            wait_until(window.page.get_by_text("Restricted Mode").count)
            window.wait_for_status("idle", "local model")
            # Nor does it keep from the user of a first run what they are offered.
            window.page.get_by_role("button", name="Connect a Server", exact=True).wait_for()
            window.open("new.py")
            window.type("class Circle:\n")
            window.press("Alt+Backslash")
            window.wait_for_status("idle", "local model")
        assert theirs.requests == []
        assert not list(folder.rglob("sprung"))
        assert not (server.home / "sprung").exists()
