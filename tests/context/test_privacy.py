"""Files that hold secrets, and files that the user excludes."""

from __future__ import annotations

import pytest

from tabby_ls.context.privacy import FileRules


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
