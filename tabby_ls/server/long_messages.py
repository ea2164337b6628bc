"""Long messages as documents, for a client whose messages have one line and end where its window does."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import textwrap
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

#: Columns of a message: a terminal's usual 80, without what is put before it.
_IN_ONE_LINE = 70
#: Columns of a document: the same without line numbers.
_COLUMNS = 72


def is_long(text: str) -> bool:
    """Return whether some of `text` would not be seen as a message of one line."""
    return "\n" in text or len(text) > _IN_ONE_LINE


async def show_document(server: LanguageServer, text: str) -> None:
    """Have the client open `text`, of which nothing stays on disk: a client that has answered has read it."""
    # Another folder each time: of a file that is open already, Helix shows what it had.
    with tempfile.TemporaryDirectory(prefix="tabby-ls-", ignore_cleanup_errors=True) as folder:
        file = Path(folder, "tabby-ls.txt")
        await asyncio.to_thread(file.write_text, _wrapped(text), "utf-8")
        try:
            shown = await server.window_show_document_async(
                types.ShowDocumentParams(file.as_uri(), take_focus=True)
            )
            problem = "" if shown.success else "it says"
        except Exception as error:  # the client's answer may be anything
            problem = type(error).__name__
        if problem:
            logger.warning("the client could not open a document: %s", problem)


def _wrapped(text: str) -> str:
    lines = (
        textwrap.wrap(line, _COLUMNS, break_long_words=False, break_on_hyphens=False) or [""]
        for line in text.splitlines()
    )
    return "".join(f"{part}\n" for parts in lines for part in parts)
