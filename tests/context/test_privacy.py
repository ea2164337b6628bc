"""Files that hold secrets, and files that the user excludes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tabby_ls.context.privacy import FileRules, Rule, file_path


@pytest.mark.parametrize(
    "path",
    [
        "/home/me/project/.env",
        "/home/me/project/.env.production",
        "/home/me/project/.ENV",
        "/home/me/project/%2Eenv",
        "/home/me/project/my%20app.env",
        "/home/me/.ssh/config",
        "/home/me/.ssh/id_ed25519",
        "/home/me/.aws/credentials",
        "/home/me/.cargo/credentials.toml",
        "/home/me/.netrc",
        "/etc/ssl/private/server.KEY",
        "/c%3A/Users/me/.npmrc",
        "/srv/terraform/prod.tfvars",
        "/srv/service-account-7.json",
        "/home/me/.aws/.env.example",
    ],
)
def test_files_that_hold_secrets_are_private(path: str) -> None:
    assert FileRules().is_private(f"file://{path}")


@pytest.mark.parametrize(
    "path",
    [
        "/home/me/project/main.py",
        "/home/me/project/.env.example",
        "/home/me/project/environment.py",
        "/home/me/project/credentials.py",
        "/home/me/project/credentials/store.py",
        "/home/me/project/keyboard.key.ts",
        "/home/me/project/.aws",
        "/home/me/project/service-account.toml",
        "/home/me/project/my.kube/config",
    ],
)
def test_other_files_are_not(path: str) -> None:
    assert not FileRules().is_private(f"file://{path}")


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "vscode-notebook-cell:/work/a.ipynb#W0", ""])
def test_documents_that_are_no_files_are_not_private(uri: str) -> None:
    assert not FileRules(["*.min.js"]).is_private(uri)
    assert not FileRules(["*.min.js"]).is_excluded(uri)


@pytest.mark.parametrize(
    ("pattern", "path", "excluded"),
    [
        ("generated/", "/work/generated/a.py", True),
        ("generated/", "/work/generated.py", False),
        ("*.min.js", "/work/a.min.js", True),
        ("*.min.js", "/work/a.js", False),
        ("**/secret/**/*.py", "/work/secret/deep/a.py", True),
    ],
)
def test_the_user_excludes_by_pattern(pattern: str, path: str, excluded: bool) -> None:
    assert FileRules([pattern]).is_excluded(f"file://{path}") == excluded


def test_a_notebooks_cell_is_as_private_as_its_notebook(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.ipynb\n")
    rules = FileRules([], [tmp_path])
    assert rules.rule_for(f"vscode-notebook-cell:{tmp_path}/a.ipynb#W0") is Rule.GITIGNORE
    assert rules.rule_for(f"untitled:{tmp_path}/a.ipynb") is None


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///work/a%20b.py", "/work/a b.py"),
        ("file:///c%3A/work/a.py", "c:/work/a.py"),
        ("vscode-notebook-cell:/work/a.ipynb#W0", "/work/a.ipynb"),
        ("untitled:Untitled-1", ""),
    ],
)
def test_a_document_that_is_a_file_has_a_path(uri: str, path: str) -> None:
    assert file_path(uri) == path


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("file:///work/lib/a.py", "lib/a.py"),
        ("file:///home/me/a.py", "a.py"),
        ("untitled:Untitled-1", "Untitled-1"),
        ("untitled:", "untitled"),
    ],
)
def test_the_model_sees_where_a_document_is_in_the_sessions_folder_and_no_more(uri: str, shown: str) -> None:
    assert FileRules([], [Path("/work")]).shown_path(uri) == shown
