"""A client in the same process: what a `ServerProtocol` is sent, and what it writes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from tabby_ls.server.framing import Unframer
from tabby_ls.server.protocol import ServerProtocol


class Conversation:
    """A server, by default one without features of its own, and the messages to and from it."""

    def __init__(self, server: LanguageServer | None = None) -> None:
        self.server = server or LanguageServer(
            "test",
            "0",
            protocol_cls=ServerProtocol,
            notebook_document_sync=types.NotebookDocumentSyncOptions(
                notebook_selector=[types.NotebookDocumentFilterWithNotebook(notebook="*")]
            ),
        )
        self.protocol: Any = self.server.protocol
        self.protocol.set_writer(self)
        self.written = b""
        self._unframer = Unframer()
        self._unread: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self.written += data
        self._unread += [json.loads(body) for body in self._unframer.feed(data)]

    def close(self) -> None:
        pass

    @property
    def answers(self) -> list[dict[str, Any]]:
        """The messages the server has written since this was last asked for."""
        answers, self._unread = self._unread, []
        return answers

    def send(self, message: object) -> list[dict[str, Any]]:
        """Send one message and return what is written before it has been handled."""
        self.protocol.receive(json.dumps(message).encode())
        return self.answers

    def request(self, msg_id: object, method: str, params: object = None) -> list[dict[str, Any]]:
        return self.send({"jsonrpc": "2.0", "id": msg_id, "method": method, "params": params})

    def notify(self, method: str, params: object = None) -> list[dict[str, Any]]:
        return self.send({"jsonrpc": "2.0", "method": method, "params": params})

    async def settle(self) -> list[dict[str, Any]]:
        """Let tasks run, and return what was written meanwhile."""
        for _ in range(10):
            await asyncio.sleep(0)
        return self.answers

    def initialize(self, **params: object) -> dict[str, Any]:
        (answer,) = self.request("init", "initialize", {"capabilities": {}, **params})
        self.notify("initialized", {})
        return answer

    def open(self, uri: str, text: str, language: str = "python") -> Any:
        """Open a document; returns ours."""
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return self.server.workspace.get_text_document(uri)

    def change(self, uri: str, *changes: object, version: int = 2) -> list[dict[str, Any]]:
        identifier = {"uri": uri, "version": version}
        return self.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": changes})


def insertion(line: int, character: int, text: str) -> dict[str, Any]:
    """A change that inserts."""
    position = {"line": line, "character": character}
    return {"range": {"start": position, "end": position}, "text": text}
