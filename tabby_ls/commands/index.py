"""`tabby-ls index [FOLDER]`: bring the local model's index of a folder up to date."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from tabby_ls.commands.common import command_settings, say
from tabby_ls.local_model.index import folder_of
from tabby_ls.local_model.indexer import BuildError, build_index
from tabby_ls.local_model.model import LocalModel


def index(options: argparse.Namespace) -> int:
    """Build or refresh the index and print what it holds; return the exit status."""
    root = Path(options.folder).absolute()
    if not root.is_dir():
        say(f"{options.folder} is not a folder")
        return 1
    if not os.access(root, os.R_OK | os.X_OK):  # git and a walk would both find nothing there
        say(f"{options.folder} cannot be read: Permission denied")
        return 1
    cache = LocalModel().cache_dir
    try:
        result = asyncio.run(_build(root, cache, command_settings(None).exclude))
    except (BuildError, OSError) as error:
        say(f"the index of {root} could not be built: {error}")
        return 1
    print(
        f"{result['files']} files, {result['bytes'] / 1e6:.1f} MB, {result['changed']} of them new or changed"
    )
    print(f"kept in {folder_of(root, cache)}")
    return 0


async def _build(root: Path, cache: Path, exclude: tuple[str, ...]) -> dict[str, int]:
    from rich.console import Console
    from rich.progress import Progress

    result: dict[str, int] = {}
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"learning from {root.name}", total=None)

        def take(report: dict[str, int]) -> None:
            if "of" in report:
                progress.update(task, completed=report["read"], total=report["of"])
            else:
                result.update(report)

        await build_index(root, cache, take, exclude)
    return result
