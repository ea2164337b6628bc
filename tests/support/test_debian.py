"""Programs that cannot be had say why, and cost nobody anything; that they run is for the tests that use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import debian


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_a_test_is_skipped_and_told_how_to_get_the_program() -> None:
    with pytest.raises(pytest.skip.Exception, match=r"python -m tests\.support\.debian hx"):
        debian.helix()


def test_without_apt_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(debian.UnavailableError, match="not Debian: there is no apt-get"):
        debian.prepare(debian.PROGRAMS["nvim"])
    assert not debian.PROGRAMS["nvim"].is_prepared


def test_an_unknown_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["debian", "nvim", "vi"])
    with pytest.raises(SystemExit):
        debian.main()
    assert "no program is called vi; there are nvim, " in capsys.readouterr().err
