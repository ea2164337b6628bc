"""What the pages say is so: links lead somewhere, commands and settings exist, code can be used as it stands."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tabby_ls import __version__
from tabby_ls.commands.arguments import parser
from tabby_ls.server.capabilities import COMMANDS
from tabby_ls.settings import Settings, Source, setting_paths
from tests.support.pages import PAGES, ROOT, Block, anchors, blocks, links, name, quoted
from tests.support.settings_page import page as settings_page

_SETTINGS = {".".join(path) for path in setting_paths()}
_SECTIONS = {setting.partition(".")[0] for setting in _SETTINGS if "." in setting}
_EXTENSION = json.loads((ROOT / "editors" / "vscode" / "package.json").read_text("utf-8"))["contributes"]
_VSCODE = {
    *(command["command"] for command in _EXTENSION["commands"]),
    *(setting for group in _EXTENSION["configuration"] for setting in group["properties"]),
}


def test_the_page_of_settings_is_the_one_made_from_their_definition() -> None:
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == settings_page()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Any) -> None:
    for link in links(page):
        if link.startswith(("https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


def test_every_picture_is_on_a_page() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    assert set((ROOT / "docs" / "images").iterdir()) <= shown


def _commands() -> Iterator[tuple[str, str]]:
    """Every command line of a shell on the pages, continued lines joined, with the place where it stands."""
    for language in ("sh", "console"):
        for block in blocks(language):
            for line in block.text.replace("\\\n", " ").splitlines():
                if language == "sh" or line.startswith("$ "):
                    for part in re.split(r"&&|\|(?!\|)|;", line.removeprefix("$ ")):
                        yield str(block), part.strip()
    yield from quoted()


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, comments=True)
    except ValueError:
        return []


_OURS = sorted({(place, c) for place, c in _commands() if re.match(r"(\S*/)?tabby-ls( |$)", c)})
_MODULES = sorted({(place, c) for place, c in _commands() if re.search(r"\bpython3? -m tests\.", c)})


@pytest.mark.parametrize(("place", "command"), _OURS)
def test_every_command_of_ours_is_understood(place: str, command: str) -> None:
    words = [word.strip("[]") for word in _words(command)[1:]]
    # In a sentence `--last N` stands for any number, and `--all` may stand without its command.
    words = ["1" if word == "N" else word for word in words if not word.startswith((">", "<"))]
    if "--version" not in words:
        parser().parse_args(words)


@pytest.mark.parametrize(("place", "command"), _MODULES)
def test_every_module_to_run_is_there(place: str, command: str) -> None:
    module = re.findall(r"-m (tests\.[\w.]+)", command)[0]
    assert importlib.util.find_spec(module) or importlib.util.find_spec(f"{module}.__main__")


def test_every_file_of_ours_that_is_named_is_there() -> None:
    tops = ("tabby_ls/", "tests/", "docs/", "editors/")
    named = [(page, code) for page, code in quoted() if code.startswith(tops) and " " not in code]
    there = [path for _, path in named if any(ROOT.glob(path.replace("NAME", "*")))]
    assert len(there) > 40
    assert [(page, path) for page, path in named if path not in there] == []


def test_there_is_one_version() -> None:
    """Programs of other languages cannot read it where it is kept: `tabby_ls/__init__.py`."""
    manifest, lock = ((ROOT / "editors" / "vscode" / f"package{part}.json") for part in ("", "-lock"))
    emacs = (ROOT / "editors" / "emacs" / "tabby-ls.el").read_text("utf-8")
    changes = [ROOT / "docs" / "changelog.md", ROOT / "editors" / "vscode" / "CHANGELOG.md"]
    assert {
        json.loads(manifest.read_text("utf-8"))["version"],
        json.loads(lock.read_text("utf-8"))["version"],
        *re.findall(r"^;; Version: (.*)", emacs, re.M),
        *(re.findall(r"^## (.*)", page.read_text("utf-8"), re.M)[0] for page in changes),
    } == {__version__}


def test_every_command_of_the_protocol_is_there() -> None:
    unknown = [
        (page, word)
        for page, code in quoted()
        for word in re.findall(r"(?<![\w/-])tabby-ls\.[a-zA-Z][\w.]*\w", code)
        if word not in COMMANDS and word not in _VSCODE and not word.endswith((".vsix", ".el"))
    ]
    assert unknown == []


def test_every_setting_named_in_a_sentence_is_there() -> None:
    named = [(page, code) for page, code in quoted() if re.fullmatch(r"[a-z]+(\.[a-z_]+)+", code)]
    unknown = [
        (page, code) for page, code in named if code.partition(".")[0] in _SECTIONS and code not in _SETTINGS
    ]
    assert len(named) > 20
    assert unknown == []


def _tables(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for value in data.values():
        yield from value if isinstance(value, list) else [value]


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_configuration_can_be_pasted(block: Block) -> None:
    data = tomllib.loads(block.text)
    if block.page == "docs/contributing.md":  # not settings but a language or a family
        file = "prompts/families.toml" if "family" in data else "languages.toml"
        ours = tomllib.loads((ROOT / "tabby_ls" / file).read_text("utf-8"))
        fields = {field for table in _tables(ours) if isinstance(table, dict) for field in table}
        assert {field for table in _tables(data) for field in table} <= fields
        return
    helix = data.get("language-server", {}).get("tabby-ls", {}).get("config")
    if helix is None and "language-server" in data:
        return
    assert Settings().merged(helix or data, Source.FILE)[1] == []


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_is_python(block: Block) -> None:
    compile(block.text, str(block), "exec")


def test_the_local_model_can_be_used_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = (block for block in blocks("python") if block.page == "docs/local-model.md")
    exec(example.text.replace("/tmp/indexes", str(tmp_path)), {"__name__": "example"})
    assert "options.color" in capsys.readouterr().out


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_shell_is_shell(block: Block) -> None:
    shell = shutil.which("sh")
    if shell is None:
        pytest.skip("there is no sh on this machine")
    read = subprocess.run([shell, "-n"], input=block.text, text=True, capture_output=True, check=False)
    assert read.returncode == 0, read.stderr
