"""The settings in docs/backends.md are settings, and name every kind there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tabby_ls.backends.choice import open_backend
from tabby_ls.settings import KINDS, Settings, Source

DOCS = Path(__file__).parent.parent.parent / "docs"
EXAMPLES = [
    (page, example)
    for page in ("backends.md", "serving-a-team.md")
    for example in re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
]


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
async def test_an_example_can_be_pasted(page: str, example: str) -> None:
    settings, problems = Settings().merged(tomllib.loads(example), Source.FILE)
    assert problems == []
    for server in settings.servers:
        backend = open_backend(server, lambda: pytest.fail("not the local model"))
        await backend.close()


def test_every_kind_is_on_the_page() -> None:
    page = (DOCS / "backends.md").read_text("utf-8")
    assert [kind for kind in KINDS if kind != "auto" and f"`{kind}`" not in page] == []
