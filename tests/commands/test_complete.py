"""`tabby-ls complete`: the suggestion on standard output, everything else elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tabby_ls.commands.common import CommandError
from tabby_ls.commands.complete import Place, parse_place, snapshot_at
from tests.commands.conftest import Run
from tests.support.home import COMMAND, at_home
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import SECONDS, wait_until

ADD = "def add(a, b):\n    \n\nprint(add(1, 2))\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "add.py"
    path.write_text(ADD)
    return path


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a.py:3", Place(Path("a.py"), 3, None)),
        ("a.py:3:7", Place(Path("a.py"), 3, 7)),
        ("C:/src/a.py:3:7", Place(Path("C:/src/a.py"), 3, 7)),
    ],
)
def test_a_place_is_a_file_a_line_and_perhaps_a_column(text: str, place: Place) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["a.py", "a.py:", ":3", "a.py:x", "a.py:0", "a.py:1:0"])
def test_anything_else_is_no_place(text: str) -> None:
    with pytest.raises(CommandError):
        parse_place(text)


def test_lines_and_columns_count_from_one_as_editors_show_them() -> None:
    snapshot = snapshot_at(Place(Path("a.py"), 2, 3), "one\ntwo\nthree")
    assert (snapshot.prefix, snapshot.suffix, snapshot.line) == ("one\ntw", "o\nthree", 1)


def test_without_a_column_the_cursor_is_at_the_end_of_the_line() -> None:
    snapshot = snapshot_at(Place(Path("a.py"), 1, None), "one\r\ntwo")
    assert (snapshot.prefix, snapshot.suffix, snapshot.line_ending) == ("one", "\ntwo", "\r\n")


def test_the_suggestion_is_all_there_is_on_standard_output(
    run: Run, server: ScriptedTabbyAPI, file: Path
) -> None:
    server.reply("return a + b\n\n\ndef sub(a, b):\n")
    result = run("complete", "add.py:2", "--backend", server.url)
    assert (result.stdout, result.stderr, result.returncode) == ("return a + b\n", "", 0)


def test_all_of_a_slow_answer_is_waited_for(run: Run, server: ScriptedTabbyAPI, file: Path) -> None:
    server.reply("if a:\n        return a\n    return b\n", delay_between=0.3)
    result = run("complete", "add.py:2", "--json", "--backend", server.url)
    assert json.loads(result.stdout)["text"] == "if a:\n        return a\n    return b"


def test_the_settings_choose_the_server_where_the_command_line_does_not(
    run: Run, server: ScriptedTabbyAPI, file: Path
) -> None:
    server.reply("return a + b")
    assert run("complete", "add.py:2", TABBY_LS_BACKEND_URL=server.url).stdout == "return a + b\n"


def test_an_unsaved_buffer_comes_over_standard_input(run: Run, server: ScriptedTabbyAPI) -> None:
    server.reply("    return b\n")
    run("complete", "--stdin", "new.py:1", "--backend", server.url, stdin="def f(b):\n")
    assert "def f(b):" in server.completions[-1].body["prompt"]


def test_json_tells_the_replaced_characters_and_the_reason(
    run: Run, server: ScriptedTabbyAPI, tmp_path: Path
) -> None:
    (tmp_path / "call.py").write_text("print()\n")
    server.reply("add(1, 2))")
    answer = json.loads(run("complete", "--json", "call.py:1:7", "--backend", server.url).stdout)
    assert (answer["text"], answer["replaces"], answer["reason"]) == ("add(1, 2))", 1, "shown")


def test_nothing_to_suggest_is_no_error(run: Run, server: ScriptedTabbyAPI, file: Path) -> None:
    server.reply("")
    result = run("complete", "add.py:2", "--backend", server.url)
    assert (result.stdout, result.returncode) == ("", 0)
    assert "nothing to suggest" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("none.py:1",), "none.py cannot be read"),
        (("folder:1",), "folder cannot be read"),
        (("endless.py:1",), "endless.py cannot be read: it is no ordinary file"),
        (("huge.txt:1",), "huge.txt is larger than 64 MB"),
        (("add.py:99",), "no line 99"),
        (("add.py:1:99",), "no column 99"),
        (("add.py",), "FILE:LINE"),
        (("latin.py:1",), "latin.py is not text in UTF-8"),
        (("add.py:1", "--backend", "tabbyapi"), "backend.url is not set"),
        (("add.py:1", "--backend", "nonsense"), "--backend takes"),
        (("add.py:1", "--backend", "http://127.0.0.1:1"), "cannot be reached"),
    ],
)
def test_an_error_is_one_line_and_a_status(
    run: Run, tmp_path: Path, file: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "endless.py").symlink_to("/dev/zero")
    with (tmp_path / "huge.txt").open("wb") as huge:
        huge.truncate((64 << 20) + 1)
    (tmp_path / "latin.py").write_bytes("# é".encode("latin-1"))
    result = run("complete", *arguments)
    assert result.stdout == ""
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.returncode == 1


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_somebody_who_does_not_want_to_wait_ends_it(
    tmp_path: Path, server: ScriptedTabbyAPI, file: Path
) -> None:
    server.reply("x", ending="hang before headers")
    command = [*COMMAND, "complete", "add.py:2", "--backend", server.url]

    def hear() -> None:  # a shell has its background jobs ignore it
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with subprocess.Popen(
        command, env=at_home(tmp_path), cwd=tmp_path, stderr=subprocess.PIPE, preexec_fn=hear
    ) as process:
        wait_until(lambda: server.completions)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=SECONDS) == (None, b"")
    assert process.returncode == 130


def test_an_answer_that_does_not_come_in_time_is_an_error(
    run: Run, server: ScriptedTabbyAPI, file: Path
) -> None:
    server.reply("x", ending="hang before headers")
    result = run("complete", "add.py:2", "--backend", server.url, TABBY_LS_DEADLINE_MS="200")
    assert (result.stdout, result.returncode) == ("", 1)
    assert "The time was up" in result.stderr


def test_with_no_server_the_file_itself_is_learned_from(run: Run, tmp_path: Path) -> None:
    (tmp_path / "twice.py").write_text(
        'def first(path):\n    with open(path, encoding="utf-8") as file:\n        return file.read()\n\n\n'
        "def second(path):\n    with open(path, enc\n"
    )
    result = run("complete", "twice.py:7")
    assert result.stdout.startswith('oding="utf-8") as file:')
    assert result.returncode == 0


def test_what_would_be_sent_is_shown_and_not_sent(run: Run, server: ScriptedTabbyAPI, file: Path) -> None:
    result = run(
        "complete", "add.py:2", "--show-prompt", "--backend", server.url, TABBY_LS_API_KEY="0123456789abcdef"
    )
    assert result.stderr == ""
    head, body, prompt = result.stdout.split("\n\n", 2)
    assert head.startswith(f"POST {server.url}/v1/completions\n")
    assert "authorization: (not shown)" in head.lower()
    assert "0123456789abcdef" not in result.stdout
    shown = json.loads(body)
    assert "def add(a, b):" in shown["prompt"]
    assert shown["prompt"] in prompt
    assert server.completions == []


def test_what_is_shown_is_what_is_sent(run: Run, server: ScriptedTabbyAPI, file: Path) -> None:
    shown = run("complete", "add.py:2", "--show-prompt", "--backend", server.url).stdout
    server.reply("return a + b")
    run("complete", "add.py:2", "--backend", server.url)
    assert json.loads(shown.split("\n\n")[1]) == server.completions[-1].body


def test_pieces_of_other_files_go_along_as_from_an_editor(
    run: Run, server: ScriptedTabbyAPI, tmp_path: Path
) -> None:
    (tmp_path / "project" / ".git").mkdir(parents=True)
    (tmp_path / "project" / "stock.py").write_text(
        "class Warehouse:\n    def restock(self, article, amount):\n        self.shelves[article] += amount\n"
    )
    (tmp_path / "project" / "order.py").write_text("def order(warehouse, article):\n    warehouse.restock(\n")
    shown = run("complete", "project/order.py:2", "--show-prompt", "--backend", server.url).stdout
    assert "self.shelves[article] += amount" in shown
    run("complete", "project/order.py:2", "--backend", server.url)
    assert json.loads(shown.split("\n\n")[1]) == server.completions[-1].body
    without = {"TABBY_LS_LOCAL_INDEX": "false"}
    assert (
        "shelves"
        not in run(
            "complete", "project/order.py:2", "--show-prompt", "--backend", server.url, **without
        ).stdout
    )


def test_keys_in_the_text_are_not_in_what_is_sent(run: Run, server: ScriptedTabbyAPI, tmp_path: Path) -> None:
    key = "AKIA" + "Z7Q2M4N6P8R1T3V5"
    (tmp_path / "aws.py").write_text(f'KEY = "{key}"\nclient = connect(\n')
    shown = run("complete", "aws.py:2", "--show-prompt", "--backend", server.url).stdout
    assert "connect(" in shown
    assert key not in shown


@pytest.mark.parametrize(
    ("name", "ignored_by", "why"),
    [
        (".env", "", "usually holds keys"),
        ("out.py", ".tabbyignore", "A .tabbyignore or .gitignore keeps this file out"),
        ("out.py", ".gitignore", "A .tabbyignore or .gitignore keeps this file out"),
    ],
)
def test_of_a_file_that_must_not_be_sent_nothing_is(
    run: Run, server: ScriptedTabbyAPI, tmp_path: Path, name: str, ignored_by: str, why: str
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / name).write_text("x = 1\nx = \n")
    if ignored_by:
        (tmp_path / ignored_by).write_text(f"{name}\n")
    result = run("complete", f"{name}:2", "--show-prompt", "--backend", server.url)
    assert result.stdout.startswith("nothing leaves this machine. ")
    assert why in result.stdout
    assert result.returncode == 0
    run("complete", f"{name}:2", "--backend", server.url)
    assert server.completions == []


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").stdout.startswith("tabby-ls 0.")
