"""The page docs/security.md names a test for each claim; each is there, and each of this folder is named."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = set(re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "docs" / "security.md").read_text("utf-8")))


def test_every_test_that_is_named_is_there() -> None:
    assert NAMED
    assert {name for name in NAMED if not (ROOT / name).is_file()} == set()


def test_every_claim_in_a_table_names_a_test() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    for table in page.split("| test |")[1:]:
        rows = [line for line in table.split("\n\n")[0].splitlines()[2:] if line.startswith("|")]
        assert rows
        for row in rows:
            assert "`tests/" in row.rstrip("| ").rpartition("|")[2], row


def test_every_test_of_this_folder_is_named() -> None:
    here = {f"tests/security/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert here - NAMED == {"tests/security/test_page.py"}
