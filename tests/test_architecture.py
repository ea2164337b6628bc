"""The import rules of docs/architecture.md, held against the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tabby_ls

ROOT = Path(tabby_ls.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

#: The floors of the house, from the top. A room imports only from rooms below its own floor, or from itself.
FLOORS = [
    {"__main__"},
    {"cli"},
    {"commands"},
    {"server"},
    {"journal"},
    {"engine"},
    {"context"},
    {"prompts"},
    {"backends"},
    {"completions", "local_model"},
    {"schema"},
    {"ignore_rules"},
    {"settings", "languages", "private_files", "own_files", "foreign_files", "printable"},
]
FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}


def imports(file: Path) -> set[str]:
    """Every module a file names in an import, wherever it stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def room(parts: tuple[str, ...]) -> str:
    return parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_below(file: Path) -> None:
    here = room(file.relative_to(ROOT).parts)
    if here == "__init__":
        return
    for name in imports(file):
        package, _, rest = name.partition(".")
        there = room(tuple(rest.split("."))) if package == "tabby_ls" and rest else here
        if there in FLOOR_OF and there != here:
            assert FLOOR_OF[here] < FLOOR_OF[there], f"{here} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_only_the_server_knows_lsp_and_only_two_rooms_do_http(file: Path) -> None:
    packages = {name.partition(".")[0] for name in imports(file)}
    here = room(file.relative_to(ROOT).parts)
    assert here == "server" or not packages & {"pygls", "lsprotocol"}
    assert here in ("completions", "backends") or not packages & {"httpcore2"}


#: What `local_model/` may use besides itself; `completions/` uses nothing.
FILE_ROOMS = {"ignore_rules", "private_files", "own_files", "foreign_files"}


@pytest.mark.parametrize(("alone", "uses"), [("completions", set()), ("local_model", FILE_ROOMS)])
def test_two_rooms_can_be_used_alone(alone: str, uses: set[str]) -> None:
    for file in ROOT.glob(f"{alone}/**/*.py"):
        ours = {name.split(".")[1] for name in imports(file) if name.startswith("tabby_ls.")}
        assert ours - {alone, "__version__"} <= uses, file


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {"tabby_ls." + ".".join(f.relative_to(ROOT).with_suffix("").parts): f for f in FILES}
    below = {name: imports(file) & set(modules) - {name} for name, file in modules.items()}
    while leaves := [name for name, others in below.items() if not others & set(below)]:
        for name in leaves:
            del below[name]
    assert not below, "each of these imports another of them, directly or not"


def test_the_page_names_every_room_and_no_file_that_is_not_there() -> None:
    page = (ROOT.parent / "docs" / "architecture.md").read_text("utf-8")
    drawn = re.findall(r"(?:^|  )(\w+)(?:/|\.py)  ", page.split("```")[1], re.MULTILINE)
    assert set(drawn) == set(FLOOR_OF) - {"__main__"}
    assert drawn == sorted(drawn, key=lambda room: FLOOR_OF[room]), "the page draws the floors in their order"
    there = {str(file.relative_to(ROOT.parent)) for file in [*FILES, *ROOT.parent.glob("tests/**/*.py")]}
    named = re.findall(r"`([\w/]+\.py)`", page)
    assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in there)] == []


def test_every_file_says_what_it_is_for() -> None:
    silent = [str(file) for file in FILES if not ast.get_docstring(ast.parse(file.read_text("utf-8")))]
    assert silent == []
