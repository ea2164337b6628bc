"""What people call each kind of server is the same wherever it is said."""

from __future__ import annotations

import pytest

from tabby_ls.backends.kinds import NAMES, open_server
from tabby_ls.backends.local import LocalBackend
from tabby_ls.settings import KINDS, BackendSettings


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("auto", "local")])
async def test_a_kind_has_the_name_that_its_backend_has(kind: str) -> None:
    backend = open_server(BackendSettings(kind=kind, url="http://127.0.0.1:1"))  # type: ignore[arg-type]
    assert backend.label == NAMES[kind]
    await backend.close()


def test_so_has_the_local_model() -> None:
    assert LocalBackend.label == NAMES["local"]
