"""What is wrong with a command line is one line that says where to read on; and output that cannot be written."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
from pathlib import Path
from typing import IO

import pytest

from tests.commands.conftest import Run
from tests.support.home import COMMAND, at_home


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["complet"], "invalid choice: 'complet'"),
        (["--bogus"], "unknown argument: --bogus; see `tabby-ls --help`"),
        (["complete", "--jsn", "a.py:1"], "unknown argument: --jsn; see `tabby-ls complete --help`"),
        (["check", "--discover", "--backend", "local"], "not allowed with argument --discover"),
        (["stats", "all"], "unknown argument: all; see `tabby-ls stats --help`"),
        (["complete"], "required: FILE:LINE[:COLUMN]; see `tabby-ls complete --help`"),
        (["why", "--last", "0"], "'0' is not a number from 1 on; see `tabby-ls why --help`"),
    ],
)
def test_a_wrong_command_line_is_one_line(run: Run, arguments: list[str], complaint: str) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert result.stderr.startswith("tabby-ls: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("place", ["65536", "here:5000x", ""])
def test_a_place_to_listen_at_that_is_none_is_one_line(run: Run, place: str) -> None:
    result = run("--tcp", place)
    assert (result.returncode, result.stderr) == (2, f"tabby-ls: {place!r} is not [HOST:]PORT\n")


@pytest.mark.parametrize("way", ["--tcp", "--ws"])
def test_a_port_that_is_taken_is_one_line(run: Run, way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = run(way, str(port))
    assert result.returncode == 1
    assert result.stderr.startswith(f"tabby-ls: cannot listen on 127.0.0.1:{port}: ")
    assert result.stderr.count("\n") == 1


OUTPUTS = pytest.mark.parametrize(
    "arguments", [["config", "--schema"], ["config"], ["check"], ["stats"], ["--help"], ["--version"]]
)


def run_into(output: int | IO[str], home: Path, arguments: list[str]) -> tuple[int, str]:
    """The status and standard error of a command that writes to `output`, buffered as a user's Python does it."""
    result = subprocess.run(
        [*COMMAND, *arguments],
        env=at_home(home, PYTHONUNBUFFERED=""),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    return result.returncode, result.stderr


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="there is no /dev/full, which stands for a full disk"
)
@OUTPUTS
def test_a_full_disk_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        status, said = run_into(full, tmp_path, arguments)
    assert (status, said) == (1, "tabby-ls: the output: No space left on device\n")


@OUTPUTS
def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    _, said = run_into(writing, tmp_path, arguments)
    os.close(writing)
    assert said == ""


def test_somebody_who_starts_it_in_a_terminal_is_told_what_it_is() -> None:
    outer, inner = pty.openpty()
    with subprocess.Popen(COMMAND, stdin=inner, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as server:
        assert server.stderr is not None
        assert b"tabby-ls --help" in server.stderr.readline()
        server.kill()
    os.close(outer)
    os.close(inner)
