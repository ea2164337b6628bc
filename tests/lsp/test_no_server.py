"""With no configuration at all: suggestions come from what is open, and nothing leaves the machine."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from tests.support.editor import Editor
from tests.support.profiles import GHOST_TEXT, recorded
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually

LINE = "    raise ConfigurationError(f'unknown section {section!r}')"


def goes_on(editor: Editor) -> bool:
    """Whether the line at the cursor is the known one, some way beyond what was typed."""
    line = editor.buffer.line_prefix
    return LINE.startswith(line) and len(line) > len("    raise Configur")


async def test_suggestions_come_from_the_open_document(tmp_path: Path) -> None:
    async with Editor(tmp_path) as editor:
        editor.open(f"def f(section):\n{LINE}\n\n\ndef g(section):\n    raise Configur|\n")
        (item,) = await editor.ghost()
        editor.accept(item)
        assert goes_on(editor)
        assert editor.messages == []
        assert editor.statuses == []


async def test_they_come_from_another_open_document_until_it_is_closed(tmp_path: Path) -> None:
    async with Editor(tmp_path) as editor:
        other = editor.open(f"|def f(section):\n{LINE}\n", uri="file:///home/user/project/other.py")
        editor.open("def g(section):\n    raise Configur|\n")
        (item,) = await editor.ghost()
        editor.accept(item)
        assert goes_on(editor)
        editor.switch(other)
        editor.close()
        editor.open("def h(section):\n    raise Configur|\n", uri="file:///home/user/project/third.py")
        assert await editor.ghost() == []


async def test_what_was_open_before_the_first_request_counts(tmp_path: Path) -> None:
    """Clients open documents before the server has asked for its settings."""
    async with Editor(tmp_path, recorded("helix")) as editor:
        editor.open(f"|def f(section):\n{LINE}\n", uri="file:///home/user/project/other.py")
        editor.open("def g(section):\n    raise Configur|\n")
        (item,) = (await editor.menu()).items
        editor.accept(item)
        assert goes_on(editor)


async def test_a_saved_document_counts_as_it_is_now(tmp_path: Path) -> None:
    async with Editor(tmp_path) as editor:
        other = editor.open("|\n", uri="file:///home/user/project/other.py")
        editor.type(LINE.strip())
        editor.client.text_document_did_save(
            types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(other.uri))
        )
        editor.open("def g(section):\n    raise Configur|\n")
        (item,) = await editor.ghost()
        editor.accept(item)
        assert goes_on(editor)


async def test_the_local_model_answers_by_choice_and_no_server_is_asked(
    tmp_path: Path, backend: ScriptedTabbyAPI
) -> None:
    settings = {"backend": {"kind": "local"}}
    async with Editor(tmp_path, backend=backend.url, settings=settings) as editor:
        editor.open(f"def f(section):\n{LINE}\n\n\ndef g(section):\n    raise Configur|\n")
        assert await editor.ghost()
    assert backend.requests == []


async def test_they_come_from_the_files_of_the_workspace_but_for_secret_ones(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "other.py").write_text(f"def f(section):\n{LINE}\n")
    (project / ".env").write_text("TOKEN = configure_everything('secret')\n")
    async with Editor(tmp_path, {**GHOST_TEXT, "rootUri": project.as_uri()}) as editor:
        editor.open("def g(section):\n    raise Configur|\n", uri=(project / "new.py").as_uri())
        (item,) = await eventually(editor.ghost)  # the index is being built
        editor.accept(item)
        assert goes_on(editor)
        editor.open("TOKEN = configure_every|\n", uri=(project / "more.py").as_uri())
        assert await editor.ghost(invoked=True) == []


async def test_they_do_not_come_from_the_workspace_if_the_user_says_so(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "other.py").write_text(f"def f(section):\n{LINE}\n")
    profile = {**GHOST_TEXT, "rootUri": project.as_uri()}
    async with Editor(tmp_path, profile, environment={"TABBY_LS_LOCAL_INDEX": "false"}) as editor:
        editor.open("def g(section):\n    raise Configur|\n", uri=(project / "new.py").as_uri())
        assert await editor.ghost() == []
    assert not list(tmp_path.glob("**/*.segment"))


async def test_what_was_learned_is_there_at_the_next_start(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "other.py").write_text(f"def f(section):\n{LINE}\n")
    profile = {**GHOST_TEXT, "rootUri": project.as_uri()}
    async with Editor(tmp_path, profile) as editor:
        editor.open("x|\n")
        await editor.ghost()
        await eventually(lambda: list(tmp_path.glob("**/manifest.json")))
    async with Editor(tmp_path, profile) as editor:
        editor.open("def g(section):\n    raise Configur|\n", uri=(project / "new.py").as_uri())
        await eventually(editor.ghost)
