"""Settings: where they come from, which source wins, and that they are in force without a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.editor import Editor, write_config
from tests.support.profiles import GHOST_TEXT
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

NO_PULL = {**GHOST_TEXT, "capabilities": {"textDocument": {"inlineCompletion": {}}}}


async def max_tokens(editor: Editor, backend: ScriptedTabbyAPI) -> int:
    """What the backend is asked for, by which a test tells which setting is in force."""
    backend.reply("1\n")
    editor.open("x = |\n", uri=f"file:///home/user/{len(backend.completions)}.py")
    assert await editor.ghost()
    asked: int = backend.completions[-1].body["max_tokens"]
    return asked - 1


async def test_settings_come_from_every_source_and_a_later_one_wins(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    url = f'[backend]\nurl = "{backend.url}"\n'
    async with Editor(tmp_path, environment={"TABBY_LS_BACKEND_URL": backend.url}) as editor:
        assert await max_tokens(editor, backend) == 128
    write_config(tmp_path, f"max_tokens = 11\n{url}")
    async with Editor(tmp_path) as editor:
        assert await max_tokens(editor, backend) == 11
    environment = {"TABBY_LS_MAX_TOKENS": "12"}
    async with Editor(tmp_path, environment=environment) as editor:
        assert await max_tokens(editor, backend) == 12
    async with Editor(tmp_path, environment=environment, settings={"max_tokens": 13}) as editor:
        assert await max_tokens(editor, backend) == 13
    async with Editor(
        tmp_path, environment=environment, settings={"max_tokens": 13}, configuration={"max_tokens": 14}
    ) as editor:
        assert await max_tokens(editor, backend) == 14, "already for what is asked at once"


async def test_the_file_can_be_named(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    write_config(tmp_path, "max_tokens = 11\n")
    (tmp_path / "mine.toml").write_text("max_tokens = 15\n")
    environment = {"TABBY_LS_CONFIG": str(tmp_path / "mine.toml")}
    async with Editor(tmp_path, backend=backend.url, environment=environment) as editor:
        assert await max_tokens(editor, backend) == 15
        assert editor.messages == []


@pytest.mark.parametrize("name", ["tabby-ls", None])
async def test_an_editor_may_send_its_section_or_all_of_them(
    tmp_path: Path, backend: ScriptedTabbyAPI, name: str | None
) -> None:
    settings = {"max-tokens": 16, "backend": {"url": backend.url}}
    async with Editor(tmp_path, settings={name: settings} if name else settings) as editor:
        assert await max_tokens(editor, backend) == 16
        assert editor.messages == []


@pytest.mark.parametrize("pulls", [True, False])
async def test_changed_settings_are_in_force_at_once(
    tmp_path: Path, backend: ScriptedTabbyAPI, pulls: bool
) -> None:
    backend.reply("1\n")
    async with Editor(tmp_path, GHOST_TEXT if pulls else NO_PULL, backend=backend.url) as editor:
        editor.open("x = |\n")
        assert await editor.ghost()

        async def change(settings: dict[str, Any]) -> None:
            editor.configuration, before = settings, editor.configuration_requests
            editor.settings_changed(None if pulls else {"tabby-ls": settings})
            await eventually(lambda: editor.configuration_requests > before or not pulls)
            await editor.settle()

        await change({"enabled": False})
        assert await editor.ghost() == []
        await change({})
        assert await editor.ghost()
        await change({"disabled_languages": ["python"]})
        assert await editor.ghost() == []
        await change({"exclude": ["*.py"]})
        assert await editor.ghost() == []
        await change({"trigger": "manual"})
        assert await editor.ghost() == []
        assert await editor.ghost(invoked=True)
        assert editor.messages == []


async def test_a_change_ends_what_runs(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply_endlessly("1 + ")
    editor.open("x = |\n")
    ask = editor.ask_ghost()
    await eventually(lambda: backend.open_streams)
    editor.configuration = {"enabled": False}
    editor.settings_changed()
    assert not (await ask).items
    await eventually(lambda: backend.completions[0].ended == "closed by client")
    assert await editor.ghost() == []


async def test_the_same_settings_again_disturb_nothing(editor: Editor, backend: ScriptedTabbyAPI) -> None:
    backend.reply("1 + 2\n", delay_between=0.1)
    editor.open("x = |\n")
    ask = editor.ask_ghost()
    await eventually(lambda: backend.open_streams)
    editor.settings_changed()
    assert (await ask).items[0].insert_text == "1 + 2"


async def test_settings_that_cannot_be_used_are_named_once_and_the_rest_counts(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    """What cannot be used is named once, in words, with its source; the rest is in force."""
    settings = {
        "max_tokens": 17,
        "temprature": 1,
        "debounce_ms": "fast",
        "menu": {"show": "maybe"},
        "local": 3,
    }
    async with Editor(tmp_path, backend=backend.url, settings=settings) as editor:
        assert await max_tokens(editor, backend) == 17
        await eventually(lambda: len(editor.messages) == 4)
        for name in ("temprature", "debounce_ms", "menu.show", "local"):
            (message,) = [text for text in editor.messages if repr(name) in text]
            assert "initializationOptions" in message
        editor.settings_changed()
        await eventually(lambda: editor.configuration_requests == 2)
        await max_tokens(editor, backend)
        assert len(editor.messages) == 4


async def test_a_config_file_that_is_no_toml_is_named_and_the_defaults_hold(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    write_config(tmp_path, "max_tokens = \n")
    async with Editor(tmp_path, backend=backend.url) as editor:
        assert await max_tokens(editor, backend) == 128
        (message,) = editor.messages
        assert "config.toml" in message


@pytest.mark.parametrize("options", [[1, 2], "yes", {"tabby-ls": "x"}])
async def test_initialization_options_of_any_shape_do_no_harm(
    tmp_path: Path, backend: ScriptedTabbyAPI, options: Any
) -> None:
    async with Editor(tmp_path, backend=backend.url, settings=options) as editor:
        assert await max_tokens(editor, backend) == 128


async def test_whatever_a_client_answers_for_its_settings_does_no_harm(
    editor: Editor, backend: ScriptedTabbyAPI
) -> None:
    for answer in ([], "x", 5, {"tabby-ls": None}, ValueError("no")):
        editor.configuration, before = answer, editor.configuration_requests
        editor.settings_changed()
        await eventually(lambda before=before: editor.configuration_requests > before)
        assert await max_tokens(editor, backend) == 128


# --- what a project may not say ---


async def test_a_project_cannot_send_code_elsewhere(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    """A file in a project (`.vscode/settings.json`) may set what `workspace/configuration` answers."""
    with ScriptedTabbyAPI() as elsewhere:
        told = {
            "url": elsewhere.url,
            "headers": {"X-Leak": "1"},
            "api_key_command": ["touch", str(tmp_path / "ran")],
            "api_key_file": "/etc/hostname",
            "api_key_env": "HOME",
        }
        async with Editor(
            tmp_path,
            backend=backend.url,
            configuration={"backend": told, "log": {"file": str(tmp_path / "log")}},
        ) as editor:
            await eventually(lambda: len(editor.messages) == len(told) + 1)
            assert await max_tokens(editor, backend) == 128
            editor.settings_changed({"tabby-ls": {"backend": told}})
            await eventually(lambda: editor.configuration_requests == 2)
            await editor.settle()
            assert await max_tokens(editor, backend) == 128
        assert elsewhere.requests == []
        assert not (tmp_path / "ran").exists()
        assert not (tmp_path / "log").exists()
        assert all("X-Leak".lower() not in request.headers for request in backend.requests)
        assert all("authorization" not in request.headers for request in backend.requests)
        assert all("ignored here" in message for message in editor.messages)


async def test_pushed_settings_are_no_way_around_it(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    with ScriptedTabbyAPI() as elsewhere:
        async with Editor(tmp_path, NO_PULL, backend=backend.url) as editor:
            editor.settings_changed({"tabby-ls": {"backend": {"url": elsewhere.url}}})
            await eventually(lambda: editor.messages)
            assert await max_tokens(editor, backend) == 128
        assert elsewhere.requests == []


async def test_a_config_file_in_the_project_is_not_read(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in ("config.toml", "tabby-ls.toml", ".tabby-ls.toml"):
        (project / name).write_text("max_tokens = 20\n")
    profile = {**GHOST_TEXT, "rootUri": project.as_uri()}
    async with Editor(tmp_path / "home", profile, backend=backend.url) as editor:
        assert await max_tokens(editor, backend) == 128


async def test_the_log_goes_to_a_file_and_holds_no_code(tmp_path: Path, backend: ScriptedTabbyAPI) -> None:
    log = {"level": "debug", "file": str(tmp_path / "tabby-ls.log")}
    backend.reply("a + b  # the answer\n")
    async with Editor(tmp_path, backend=backend.url, settings={"log": log}) as editor:
        editor.open("def secret_sauce(a, b):\n    return |\n")
        await editor.ghost()
    logged = (tmp_path / "tabby-ls.log").read_text()
    assert "shown" in logged
    for text in ("secret_sauce", "a + b", "the answer"):
        assert text not in logged
    assert editor.stderr == ""


async def test_a_client_that_never_tells_its_settings_gets_suggestions(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    async with Editor(tmp_path, backend=backend.url, configuration=never) as editor:
        assert await max_tokens(editor, backend) == 128
        never.set_result(None)


async def test_what_is_typed_before_the_settings_are_known_is_no_contradiction(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    backend.reply("1234\n")
    told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    async with Editor(tmp_path, backend=backend.url, configuration=told) as editor:
        editor.open("x = |\n")
        asked = editor.ask_ghost()
        editor.type("1")
        told.set_result({"debounce_ms": 300})
        await editor.settle()  # they are known, and asking waits for a pause in the typing
        editor.type("2")
        (item,) = (await asked).items
        assert item.insert_text == "1234"
        assert len(backend.completions) == 1
