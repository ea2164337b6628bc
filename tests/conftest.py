"""What holds for all tests: no property has to hold within a time, since the machine may be busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("tabby-ls", settings(), deadline=None)
settings.load_profile("tabby-ls")
