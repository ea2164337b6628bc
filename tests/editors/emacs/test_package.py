"""The package as Emacs' own tools see it, and as people install it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.editors.emacs.emacs import PACKAGE, Emacs
from tests.editors.emacs.test_ghost_text import ADD
from tests.editors.scripts import going_on_to
from tests.editors.workspace import Workspace
from tests.support import debian
from tests.support.tabbyapi import ScriptedTabbyAPI

FILES = sorted(path.name for path in PACKAGE.glob("*.el"))


def batch(folder: Path, *arguments: str) -> str:
    """What Emacs complains of."""
    done = subprocess.run(
        [debian.emacs(), "-Q", "--batch", "-L", ".", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    complaints = [line for line in done.stderr.splitlines() if "Warning: Lisp directory" not in line]
    assert done.returncode == 0, "\n".join(complaints)
    return "\n".join(complaints)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package in a folder where compiled files may be left behind."""
    folder = tmp_path / "package"
    folder.mkdir()
    for name in FILES:
        shutil.copy(PACKAGE / name, folder)
    return folder


def test_it_compiles_without_a_warning(copy: Path) -> None:
    strict = "(setq byte-compile-error-on-warn t)"
    assert batch(copy, "--eval", strict, "-f", "batch-byte-compile", *FILES) == ""
    assert sorted(path.name for path in copy.glob("*.elc")) == [f"{name}c" for name in FILES]


@pytest.mark.parametrize("name", FILES)
def test_its_documentation_has_the_form_emacs_expects(copy: Path, name: str) -> None:
    assert batch(copy, "--eval", f'(checkdoc-file "{name}")') == ""


def test_it_loads_where_nothing_of_it_is_used(copy: Path) -> None:
    """Loading defines things; it starts nothing and changes no key."""
    batch(
        copy,
        "--eval",
        """(let ((before (copy-tree global-map)) (hooks post-command-hook))
             (require 'tabby-ls)
             (unless (and (equal before global-map) (equal hooks post-command-hook)
                          (null (process-list)))
               (kill-emacs 1)))""",
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="package-vc needs git, which is not there")
def test_it_is_installed_from_a_repository(
    workspace: Workspace, backend: ScriptedTabbyAPI, tmp_path: Path
) -> None:
    """As docs/editors/emacs.md tells: `use-package` with `:vc`, in a home where nothing was installed before."""
    repository = tmp_path / "tabby-ls"
    shutil.copytree(PACKAGE, repository / "editors" / "emacs", ignore=shutil.ignore_patterns("*.elc"))
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", *author, *command], cwd=repository, check=True, timeout=60)
    workspace.write("sum.py", ADD)
    backend.reply(going_on_to("return a + b\n"))
    init = f"""
      (setq package-archives nil package-user-dir "{workspace.home}/elpa")
      (use-package tabby-ls
        :vc (:url "{repository}" :lisp-dir "editors/emacs" :rev :newest)
        :config (global-tabby-ls-mode))
    """
    with Emacs(workspace, "sum.py", init=init, from_source=False) as emacs:
        emacs.wait_until_open()
        assert emacs.string('(locate-library "tabby-ls")').startswith(f"{workspace.home}/elpa")
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.wait_for_ghost("urn a + b")
