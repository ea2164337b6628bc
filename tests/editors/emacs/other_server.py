"""A language server that is not ours: it completes one word, and says in a file that it was asked."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("other", "1")


@server.feature(types.TEXT_DOCUMENT_COMPLETION)
def complete(params: types.CompletionParams) -> list[types.CompletionItem]:
    return [types.CompletionItem("frobnicate")]


@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(params: types.HoverParams) -> types.Hover:
    return types.Hover("the other server speaks")


if __name__ == "__main__":
    server.start_io()
