"""languages.toml for every language of Helix, and the script that makes one for a Helix as its user has set it up."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from editors.helix.languages import PREPARED
from tests.editors.helix.defaults import VERSION, default_servers
from tests.editors.workspace import Workspace
from tests.support import debian

SCRIPT = PREPARED.with_name("languages.py")


def health(hx: Path, language: str, workspace: Workspace) -> str:
    """What Helix says of a language."""
    return subprocess.run(
        [hx, "--health", language], env=workspace.environment, capture_output=True, text=True, timeout=60
    ).stdout


def print_languages(hx: Path, workspace: Workspace) -> str:
    """What the script prints."""
    command = [sys.executable, SCRIPT, "--hx", hx]
    done = subprocess.run(command, env=workspace.environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def servers(data: dict[str, Any]) -> dict[str, list[Any]]:
    """The servers of each language; a later entry counts."""
    return {
        language["name"]: language["language-servers"]
        for language in data["language"]
        if "language-servers" in language
    }


def test_the_prepared_file_has_every_language_with_the_servers_it_has(local_workspace: Workspace) -> None:
    hx = debian.helix()
    version = subprocess.run([hx, "--version"], capture_output=True, text=True, timeout=60).stdout.split()[1]
    if not f"{version}.".startswith(f"{VERSION}."):
        pytest.skip(f"the file was made for Helix {VERSION}, and this is {version}")
    wanted = {name: [*has, "tabby-ls"] for name, has in default_servers(hx).items()}
    assert servers(tomllib.loads(PREPARED.read_text("utf-8"))) == wanted
    local_workspace.write("../.config/helix/languages.toml", PREPARED.read_text("utf-8"))
    for language in ("python", "rust", "erlang", "adl"):
        said = health(hx, language, local_workspace)
        assert "tabby-ls: " in said
        assert local_workspace.environment["PATH"].split(":")[0] in said


def test_the_script_prints_the_same_where_nothing_is_configured(local_workspace: Workspace) -> None:
    hx = debian.helix()
    printed = tomllib.loads(print_languages(hx, local_workspace))
    assert printed["language-server"] == {"tabby-ls": {"command": "tabby-ls"}}
    prepared = servers(tomllib.loads(PREPARED.read_text("utf-8")))
    assert servers(printed) == {name: prepared[name] for name in servers(printed)}
    assert len(servers(printed)) > 200


def test_what_the_user_has_configured_stays(local_workspace: Workspace) -> None:
    """What is appended to the user's own file is merged by Helix with what stands there."""
    hx = debian.helix()
    own = (
        '[language-server.mine]\ncommand = "sh"\n\n[[language]]\nname = "python"\nauto-format = false\n'
        'language-servers = [{ name = "mine", except-features = ["format"] }, "pylsp"]\n\n'
        '[[language]]\nname = "my-language"\nscope = "source.mine"\nfile-types = ["mine"]\nlanguage-servers = ["mine"]\n'
        '\n[language-server.tabby-ls]\ncommand = "sh"\n'
        '\n[[language]]\nname = "rust"\nlanguage-servers = ["tabby-ls"]\n'
    )
    local_workspace.write("../.config/helix/languages.toml", own)
    more = print_languages(hx, local_workspace)
    printed = tomllib.loads(more)
    assert servers(printed)["python"] == [
        {"name": "mine", "except-features": ["format"]},
        "pylsp",
        "tabby-ls",
    ]
    assert servers(printed)["my-language"] == ["mine", "tabby-ls"]
    assert "rust" not in servers(printed)
    assert "language-server" not in printed
    local_workspace.write("../.config/helix/languages.toml", own + more)
    assert [line.split()[1] for line in health(hx, "python", local_workspace).splitlines()[1:4]] == [
        "mine:", "pylsp:", "tabby-ls:",
    ]  # fmt: skip
    # A second time there is nothing to add.
    assert tomllib.loads(print_languages(hx, local_workspace)) == {}


def test_a_helix_that_is_not_there(local_workspace: Workspace) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--hx", "no-such-hx"], env=local_workspace.environment, capture_output=True, text=True, timeout=60
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "no-such-hx does not run: No such file or directory\n")
