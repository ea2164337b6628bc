"""The pages in docs/ that are made from the code say what the code says."""

from __future__ import annotations

from pathlib import Path

from tests.support.settings_page import page

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_of_settings_is_the_one_made_from_their_definition() -> None:
    assert (DOCS / "settings.md").read_text("utf-8") == page()
