"""A key is sent to the one host it is for, and is nowhere else: canaries, looked for in all that a session leaves."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.commands.conftest import Run
from tests.support.editor import Editor
from tests.support.profiles import GHOST_TEXT, WITH_PLUGIN
from tests.support.replay import replaying
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

KEY = "canary-0a1b2c3d4e5f-of-the-key"
HEADER = "canary-9f8e7d6c5b4a-of-the-header"
SECRETS = (KEY, HEADER)
linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")


def left_behind(folder: Path) -> bytes:
    """All that is in files below a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def holds_no_secret(text: str | bytes) -> None:
    text = text if isinstance(text, bytes) else text.encode()
    for secret in SECRETS:
        assert secret.encode() not in text


@pytest.mark.parametrize("level", ["error", "warning", "info", "debug"])
@pytest.mark.parametrize("happens", ["answers", "refuses", "echoes", "breaks", "is gone"])
async def test_no_log_trace_status_or_message_holds_a_key(tmp_path: Path, level: str, happens: str) -> None:
    home, files = tmp_path / "home", tmp_path / "files"
    settings = {
        "backend": {"headers": {"X-Extra": HEADER}},
        "log": {"level": level, "file": str(files / "log")},
        "trace": {"file": str(files / "trace"), "code": True, "paths": True},
    }
    files.mkdir()
    with ScriptedTabbyAPI(api_key="another" if happens == "refuses" else KEY) as backend:
        backend.reply("1\n")
        if happens == "echoes":
            backend.fail(400, {"error": {"message": f"Bearer {KEY} and X-Extra: {HEADER} are not welcome"}})
        if happens == "refuses":
            backend.key_errors = ({"detail": KEY}, {"detail": f"unknown key {KEY}"})
        if happens == "breaks":
            backend.send(b"HTTP/1.1 200 OK\r\n", KEY.encode(), b"\r\n\r\n")
        url = backend.url
        if happens == "is gone":
            url = "http://127.0.0.1:1"
        async with Editor(
            home,
            WITH_PLUGIN,
            backend=url,
            settings=settings,
            environment={"TABBY_LS_API_KEY": KEY},
            secrets=SECRETS,
        ) as editor:
            editor.open("x = |\n")
            await editor.ghost(invoked=True)
            for command in ("tabby-ls.why", "tabby-ls.stats", "tabby-ls.status"):
                holds_no_secret(str(await editor.run(command)))
            holds_no_secret(str(editor.statuses))
            sent = [request.headers.get("authorization") for request in backend.completions]
            assert set(sent) <= {f"Bearer {KEY}"}
    assert (files / "trace").read_text()
    holds_no_secret(left_behind(tmp_path))


@linux
async def test_no_process_list_holds_a_key(tmp_path: Path) -> None:
    """Neither ours, but for the environment it was given in, nor a process that we start."""
    project = tmp_path / "project"
    project.mkdir()
    for number in range(300):
        (project / f"module_{number}.py").write_text(f"name_{number} = {number}\n" * 300)
    spied: dict[int, tuple[bytes, bytes]] = {}
    profile = {**GHOST_TEXT, "rootUri": project.as_uri()}
    with ScriptedTabbyAPI(api_key=KEY) as backend:
        backend.reply("1\n")
        async with Editor(
            tmp_path / "home",
            profile,
            backend=backend.url,
            environment={"MY_KEY": KEY, "TABBY_LS_BACKEND_API_KEY_ENV": "MY_KEY"},
            settings={"backend": {"headers": {"X-Extra": HEADER}}},
            secrets=SECRETS,
        ) as editor:
            ours = editor.client.process.pid
            editor.open("x = |\n", uri=(project / "new.py").as_uri())

            def spy() -> bool:
                for pid in children(ours):
                    try:
                        command, environment = (
                            Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")
                        )
                    except OSError:
                        continue
                    if b"tabby_ls.local_model.build" in command and environment:
                        spied[pid] = command, environment
                return bool(spied)

            spying = asyncio.create_task(eventually(spy))
            assert await editor.ghost(invoked=True)
            await spying
            holds_no_secret(Path(f"/proc/{ours}/cmdline").read_bytes())
    for command, environment in spied.values():
        holds_no_secret(command + environment)


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


async def test_each_server_gets_its_own_and_no_redirect_carries_one(tmp_path: Path) -> None:
    keys = {"FIRST_KEY": KEY, "SECOND_KEY": HEADER, "TABBY_LS_API_KEY": "canary-of-nobody"}
    moved = b"HTTP/1.1 307 Moved\r\nlocation: %s/v1/model\r\ncontent-length: 0\r\n\r\n"
    with ScriptedTabbyAPI(api_key=HEADER) as second, ScriptedTabbyAPI() as elsewhere:
        second.reply("1\n")
        async with replaying([moved % elsewhere.url.encode()]) as first:
            servers = [
                {"url": first.url, "api_key_env": "FIRST_KEY", "kind": "tabbyapi"},
                {"url": second.url, "api_key_env": "SECOND_KEY"},
            ]
            async with Editor(
                tmp_path,
                settings={"backends": servers, "local": {"fallback": False}},
                environment=keys,
                secrets=[*SECRETS, "canary-of-nobody"],
            ) as editor:
                editor.open("x = |\n")
                await eventually(lambda: editor.ghost(invoked=True))
            assert {headers["authorization"] for _, _, headers, _ in first.requests} == {f"Bearer {KEY}"}
        assert {it.headers["authorization"] for it in second.completions} == {f"Bearer {HEADER}"}
        assert elsewhere.requests == []


@pytest.mark.parametrize("name", ["api-key", "X-Auth-Token", "Cookie", "Proxy-Authorization"])
def test_no_header_with_a_key_travels_in_the_open(run: Run, name: str) -> None:
    headers = "{ %s = %s }" % (json.dumps(name), json.dumps(HEADER))  # noqa: UP031
    result = run("check", "--backend", "http://192.0.2.1:5000", TABBY_LS_BACKEND_HEADERS=headers)
    assert result.returncode == 1
    assert "was not sent" in result.stdout
    holds_no_secret(result.stdout + result.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("config",),
        ("check",),
        ("complete", "a.py:1"),
        ("complete", "a.py:1", "--json"),
        ("complete", "a.py:1", "--show-prompt"),
        ("stats",),
        ("stats", "--json"),
        ("why",),
        ("index", "."),
    ],
    ids=" ".join,
)
def test_no_command_prints_a_key(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "a.py").write_text("total = \n")
    with ScriptedTabbyAPI(api_key=KEY) as server:
        server.reply("1\n")
        result = run(
            *arguments,
            TABBY_LS_BACKEND_URL=server.url,
            TABBY_LS_API_KEY=KEY,
            TABBY_LS_BACKEND_HEADERS='{ "X-Extra" = "%s" }' % HEADER,  # noqa: UP031
        )
    assert result.stdout or result.stderr
    holds_no_secret(result.stdout + result.stderr)
    holds_no_secret(left_behind(tmp_path))


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_a_crash_prints_no_key(run: Run, tmp_path: Path) -> None:
    """An exception that nobody expected, in the middle of a request with the key."""
    crash = tmp_path / "crash"
    crash.mkdir()
    (crash / "sitecustomize.py").write_text(
        "import tabby_ls.engine.target as target\n"
        "def fail(*_, **__):\n    raise RuntimeError('as unexpected as can be')\n"
        "target.Target.prepare = fail\n"
    )
    with ScriptedTabbyAPI(api_key=KEY) as server:
        repository = Path(__file__).parents[2]
        (tmp_path / "a.py").write_text("total = \n")
        result = run(
            *("complete", "a.py:1"),
            TABBY_LS_BACKEND_URL=server.url,
            TABBY_LS_API_KEY=KEY,
            PYTHONPATH=f"{crash}{os.pathsep}{repository}",
            PYTHONFAULTHANDLER="1",
        )
    assert "as unexpected as can be" in result.stderr
    holds_no_secret(result.stdout + result.stderr)
