"""What the local model knows of the project that a file belongs to, for commands."""

from __future__ import annotations

from pathlib import Path

from tabby_ls.commands.common import say
from tabby_ls.context.privacy import FileRules
from tabby_ls.local_model.indexer import BuildError, build_index
from tabby_ls.local_model.model import LocalModel
from tabby_ls.settings import Settings

#: What marks the top of a project.
_MARKS = (".git", ".hg", ".jj", "pyproject.toml", "package.json", "Cargo.toml", "go.mod")


def project_of(path: Path) -> Path | None:
    """Return the folder of the project that `path` is in, None if nothing marks one: never the home folder."""
    others = {Path.home(), *Path.home().parents}
    parents = [folder for folder in path.absolute().parents if folder not in others]
    found = [folder for folder in parents if any((folder / mark).exists() for mark in _MARKS)]
    return next((folder for folder in found if (folder / ".git").exists()), next(iter(found), None))


async def local_model_of(path: Path, settings: Settings) -> LocalModel:
    """Return the local model, with the index of `path`'s project up to date if the settings want it, as in an editor.

    It is what the local model completes from, and where pieces of other files are found for a server.
    """
    model = LocalModel()
    project = project_of(path)
    context = settings.context
    is_looked_up = context.snippets and "workspace" in context.sources
    if project is not None and settings.local.index and (settings.servers[0].is_local or is_looked_up):
        try:
            await build_index(project, model.cache_dir, _ignore, settings.exclude)
        except (BuildError, OSError) as error:  # the file itself is learned from all the same
            say(f"warning: the index of {project} could not be built: {error}")
        model.add_root(project)
    return model


def rules_of(path: Path, settings: Settings) -> FileRules:
    """Return which files are left alone in `path`'s project; the model sees paths from the project's top on."""
    project = project_of(path)
    return FileRules(settings.exclude, [project] if project else [])


def _ignore(_: dict[str, int]) -> None:
    """Nobody is shown the progress."""
