"""A workspace that changes during a session: folders come and go, and an ignore file counts once it is saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from tests.support.editor import Editor
from tests.support.profiles import GHOST_TEXT
from tests.support.tabbyapi import ScriptedTabbyAPI
from tests.support.waiting import eventually


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    lines = "def f(section):\n    raise ConfigurationError(section)\n    return totally_different(section)\n"
    (folder / "other.py").write_text(lines)
    return folder


def folders_changed(editor: Editor, *, added: tuple[Path, ...] = (), removed: tuple[Path, ...] = ()) -> None:
    came, went = (
        [types.WorkspaceFolder(it.as_uri(), it.name) for it in folders] for folders in (added, removed)
    )
    event = types.WorkspaceFoldersChangeEvent(added=came, removed=went)
    editor.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))


async def test_a_folder_is_learned_from_while_it_is_open(tmp_path: Path, project: Path) -> None:
    async with Editor(tmp_path, GHOST_TEXT) as editor:
        editor.open("def g(section):\n    raise Configur|\n", uri=(project / "new.py").as_uri())
        assert await editor.ghost() == []
        folders_changed(editor, added=(project,))
        await eventually(editor.ghost)
        folders_changed(editor, removed=(project,))
        editor.open("def h(section):\n    return totally_di|\n", uri=(project / "more.py").as_uri())
        await editor.settle()
        assert await editor.ghost() == []


@pytest.mark.parametrize("by", ["this editor", "another program"])
@pytest.mark.parametrize("name", [".gitignore", ".tabbyignore"])
async def test_an_ignore_file_counts_once_it_is_saved(
    tmp_path: Path, project: Path, backend: ScriptedTabbyAPI, name: str, by: str
) -> None:
    backend.reply("1\n")
    (project / ".git").mkdir()
    profile = {**GHOST_TEXT, "rootUri": project.as_uri()}
    async with Editor(tmp_path, profile, backend=backend.url) as editor:
        editor.open("x = |\n", uri=(project / "generated.py").as_uri())
        assert await editor.ghost()
        (project / name).write_text("generated.py\n")
        uri = (project / name).as_uri()
        if by == "this editor":
            saved = types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri))
            editor.client.text_document_did_save(saved)
        else:
            event = types.FileEvent(uri, types.FileChangeType.Created)
            editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        editor.replace("x = ", "y = ")
        assert await editor.ghost(invoked=True) == []
        assert len(backend.completions) == 1
