"""What all tests share: a scripted server to ask. No property has to hold within a time: the machine may be busy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.tabbyapi import ScriptedTabbyAPI

settings.register_profile("tabby-ls", settings(), deadline=None)
settings.load_profile("tabby-ls")


@pytest.fixture
def backend() -> Iterator[ScriptedTabbyAPI]:
    with ScriptedTabbyAPI() as server:
        yield server
