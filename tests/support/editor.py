"""An editor, played: it drives a real `tabby-ls` process over stdio, and keeps a buffer of its own to compare with.

    async with Editor(tmp_path, backend=server.url) as editor:
        editor.open("def add(a, b):\\n    |\\n")
        (item,) = await editor.ghost()
        editor.accept(item)
        assert editor.shown == "def add(a, b):\\n    return a + b|\\n"

Every answer is held against what clients can use, and the end of each session against what none may do: leave a
request unanswered, print a traceback, or let the user's code or key into a log or a message.
"""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcMethodNotFound
from pytest_lsp.checks import LspSpecificationWarning, check_result_against_client_capabilities

from tests.support.buffer import Buffer, check_inline_item, check_menu_item, inserted_by_menu
from tests.support.client import Ask, Client
from tests.support.profiles import GHOST_TEXT
from tests.support.waiting import SECONDS

#: The shortest line of a document that is looked for in logs: shorter ones may be there by chance.
_TELLTALE = 8


def write_config(folder: Path, text: str) -> None:
    """Write the configuration file that editors at home in `folder` have."""
    path = folder / "config" / "tabby-ls" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class Editor:
    """One session of one editor."""

    def __init__(
        self,
        folder: Path,
        profile: Mapping[str, Any] = GHOST_TEXT,
        *,
        backend: str = "",
        settings: Any = None,
        configuration: Any = None,
        environment: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        is_first_run: bool = False,
    ) -> None:
        """`profile` are the editor's `initialize` params; `folder` becomes its home.

        `settings` are sent as initializationOptions, `configuration` answers `workspace/configuration`, and
        `environment` is added to the process's. Without `is_first_run` there was a server here before. `secrets`
        must show up in nothing that is printed or shown.
        """
        self._folder = folder
        self._profile = {**profile, "processId": os.getpid()}
        if settings is not None:
            self._profile["initializationOptions"] = settings
        # What a test sees of a server that fails is that server's doing alone, unless it says otherwise.
        alone = {"TABBY_LS_BACKEND_URL": backend, "TABBY_LS_LOCAL_FALLBACK": "false"}
        self._environment = alone if backend else {}
        # A menu may take as long as ghost text: on a busy machine it would often be late, and so stay empty.
        self._environment["TABBY_LS_MENU_DEADLINE_MS"] = "10000"
        self._environment |= environment or {}
        self._private = set(secrets)
        self._is_first_run = is_first_run
        self._asked: list[Ask] = []
        self._open: list[Buffer] = []
        self._opened = 0
        self.configuration = configuration
        self.configuration_requests = 0
        self.messages: list[str] = []
        self.statuses: list[Any] = []
        self.registrations: list[types.Registration] = []
        self.client = Client()
        self.capabilities: types.ServerCapabilities
        self.buffer: Buffer

    # --- the session ---

    async def __aenter__(self) -> Editor:
        await self.start()
        try:
            await self.initialize()
        except BaseException:
            self.client.kill()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.client.kill()
            await self.client.ended()
            sys.stderr.write(self.stderr)
        elif self.client.process.returncode is None:
            await self.quit()
        async with asyncio.timeout(SECONDS):
            await self.client.stop()

    async def start(self) -> None:
        """Start the process, in an environment that holds nothing of the one outside."""
        client = self.client

        async def configure(params: types.ConfigurationParams) -> list[Any]:
            return await self._configure(params)

        client.feature(types.WINDOW_SHOW_MESSAGE)(lambda params: self.messages.append(params.message))
        client.feature(types.WINDOW_LOG_MESSAGE)(lambda params: client.log_messages.append(params))
        client.feature("tabby-ls/status")(lambda params: self.statuses.append(params))
        client.feature(types.WORKSPACE_CONFIGURATION)(configure)
        client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda params: self._register(params))
        client.feature(types.CLIENT_UNREGISTER_CAPABILITY)(lambda params: self._unregister(params))
        kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "COVERAGE_PROCESS_START")
        home = str(self._folder)
        if not self._is_first_run:
            (self._folder / "state" / "tabby-ls").mkdir(parents=True, exist_ok=True)
            (self._folder / "state" / "tabby-ls" / "welcomed").touch()
        environment = {
            **{name: os.environ[name] for name in kept if name in os.environ},
            **dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), home),
            **{f"XDG_{name}_HOME": f"{home}/{name.lower()}" for name in ("CONFIG", "CACHE", "STATE", "DATA")},
            "PYTHONWARNINGS": "default::ResourceWarning",
            **self._environment,
        }
        await client.start_io(sys.executable, "-m", "tabby_ls", env=environment)

    async def initialize(self) -> None:
        """Say `initialize` and `initialized`."""
        converter = self.client.protocol._converter
        params = converter.structure(self._profile, types.InitializeParams)
        result = await asyncio.wait_for(self.client.initialize_session(params), SECONDS)
        self.capabilities = result.capabilities

    async def quit(self) -> None:
        """Say `shutdown` and `exit`, and look at what is left behind."""
        async with asyncio.timeout(SECONDS):
            await self.client.shutdown_async(None)
            self.client.exit(None)
            assert await self.client.ended() == 0
            for ask in self._asked:
                await asyncio.wait([ask.answer])
        self.check_silence()

    def check_silence(self) -> None:
        """Assert that nothing went wrong unnoticed, and that nothing private was printed or shown."""
        for trouble in ("Traceback", "never awaited", "never retrieved", "ResourceWarning"):
            assert trouble not in self.stderr, self.stderr
        told = [*self.messages, *(message.message for message in self.client.log_messages)]
        for text in (self.stderr, *told, *(status.message for status in self.statuses)):
            for line in self._private:
                assert line not in text

    @property
    def stderr(self) -> str:
        """What the process has printed there."""
        return self.client.stderr.decode()

    async def _configure(self, params: types.ConfigurationParams) -> list[Any]:
        self.configuration_requests += 1
        if isinstance(self.configuration, asyncio.Future):
            return [await self.configuration]
        if isinstance(self.configuration, Exception):
            raise self.configuration
        return [self.configuration for _ in params.items]

    def _register(self, params: types.RegistrationParams) -> None:
        self.registrations += params.registrations

    def _unregister(self, params: types.UnregistrationParams) -> None:
        gone = {one.id for one in params.unregisterations}
        assert gone <= {one.id for one in self.registrations}, "it was not registered"
        self.registrations = [one for one in self.registrations if one.id not in gone]

    def settings_changed(self, settings: Any = None) -> None:
        """Say that settings have changed, and to what, as clients that push them do."""
        self.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings))

    # --- documents ---

    def open(
        self,
        marked: str,
        language: str = "python",
        uri: str = "",
        *,
        cursor: str = "|",
    ) -> Buffer:
        """Open a document, a new one without `uri`, and go to its `cursor`. What is opened last is what is edited."""
        self._opened += 1
        uri = uri or f"file:///home/user/project/code_{self._opened}.py"
        buffer = self.show(marked, language, uri, cursor=cursor)
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, language, 1, buffer.text))
        )
        self._open.append(buffer)
        return buffer

    def show(self, marked: str, language: str, uri: str, *, cursor: str = "|") -> Buffer:
        """Show a document without telling the server."""
        text, mark, after = marked.partition(cursor)
        assert mark, "no cursor"
        assert cursor not in after, "two cursors"
        encoding = str(self.capabilities.position_encoding or "utf-16")
        self.buffer = Buffer(uri, language, text + after, len(text), encoding)
        self._keep_private(self.buffer.text)
        return self.buffer

    def close(self) -> None:
        """Close the document."""
        self.client.text_document_did_close(
            types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(self.buffer.uri))
        )
        self._open = [buffer for buffer in self._open if buffer.uri != self.buffer.uri]

    def close_all(self) -> None:
        """Close every document."""
        for buffer in self._open:
            self.switch(buffer)
            self.close()

    def switch(self, buffer: Buffer) -> None:
        """Go on with another document."""
        self.buffer = buffer

    @property
    def shown(self) -> str:
        """The document with its cursor as `|`."""
        text, cursor = self.buffer.text, self.buffer.cursor
        return f"{text[:cursor]}|{text[cursor:]}"

    def type(self, text: str, *, closing: str = "") -> None:
        """Press keys, each a change of its own; `closing` is what the editor puts behind the cursor with the last."""
        for place, key in enumerate(text):
            closers = closing if place == len(text) - 1 else ""
            self.edit(self.buffer.cursor, self.buffer.cursor, key + closers, back=len(closers))

    def backspace(self) -> None:
        """Delete the character before the cursor."""
        self.edit(self.buffer.cursor - 1, self.buffer.cursor, "")

    def replace(self, old: str, new: str) -> None:
        """Replace the first `old` by `new` and go behind it."""
        start = self.buffer.text.index(old)
        self.edit(start, start + len(old), new)

    def go(self, marked: str) -> None:
        """Move the cursor without a change."""
        assert marked.replace("|", "") == self.buffer.text
        self.buffer.cursor = marked.index("|")

    def edit(self, start: int, end: int, text: str, *, back: int = 0) -> None:
        """Replace a range, put the cursor `back` characters before its new end, and tell the server."""
        buffer = self.buffer
        where = types.Range(buffer.position(start), buffer.position(end))
        buffer.text = buffer.text[:start] + text + buffer.text[end:]
        buffer.cursor = start + len(text) - back
        buffer.version += 1
        self._keep_private(buffer.text)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(buffer.version, buffer.uri),
                [types.TextDocumentContentChangePartial(range=where, text=text)],
            )
        )

    def _keep_private(self, text: str) -> None:
        self._private |= {line for line in map(str.strip, text.splitlines()) if len(line) >= _TELLTALE}

    # --- requests ---

    def request(self, method: str, params: Any) -> Ask:
        """Send a request; params may be plain JSON, right or wrong."""
        protocol = self.client.protocol
        request_id = f"{method}#{len(self._asked)}"
        answer: Future[Any] = Future()
        protocol._request_futures[request_id] = answer
        protocol._result_types[request_id] = protocol.get_result_type(method)
        protocol._send_data({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        ask = Ask(request_id, asyncio.wrap_future(answer))
        ask.answer.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._asked.append(ask)
        return ask

    async def settle(self) -> None:
        """Give the server a few turns."""
        for _ in range(3):
            with suppress(JsonRpcMethodNotFound):
                await self.request("test/turn", None)

    def ask_ghost(
        self, *, invoked: bool = False, selected: types.SelectedCompletionInfo | None = None
    ) -> Ask:
        """Ask for ghost text at the cursor and go on."""
        kind = types.InlineCompletionTriggerKind
        context = types.InlineCompletionContext(kind.Invoked if invoked else kind.Automatic, selected)
        return self.request(
            types.TEXT_DOCUMENT_INLINE_COMPLETION,
            types.InlineCompletionParams(context, self._document, self._position),
        )

    async def ghost(
        self, *, invoked: bool = False, selected: types.SelectedCompletionInfo | None = None
    ) -> list[types.InlineCompletionItem]:
        """Wait for ghost text: the items, of which there may be none. No newer request may have come."""
        result = await self.ask_ghost(invoked=invoked, selected=selected)
        assert isinstance(result, types.InlineCompletionList), "null: superseded, but by nothing"
        for item in result.items:
            check_inline_item(item, self.buffer)
        return list(result.items)

    def ask_menu(self, *, invoked: bool = False) -> Ask:
        """Ask for menu items at the cursor and go on; unless `invoked`, as Helix does while one types."""
        kind, before = types.CompletionTriggerKind, self.buffer.text[: self.buffer.cursor][-1:]
        context = (
            types.CompletionContext(kind.Invoked)
            if invoked or before.isalnum()
            else types.CompletionContext(kind.TriggerCharacter, before)
        )
        return self.request(
            types.TEXT_DOCUMENT_COMPLETION,
            types.CompletionParams(self._document, self._position, context=context),
        )

    async def menu(self, *, invoked: bool = False) -> types.CompletionList:
        """Wait for menu items."""
        result = await self.ask_menu(invoked=invoked)
        assert isinstance(result, types.CompletionList)
        assert result.items or not result.is_incomplete, "Helix drops other servers' items after this"
        with warnings.catch_warnings():
            warnings.simplefilter("error", LspSpecificationWarning)
            check_result_against_client_capabilities(
                self.client.capabilities, types.TEXT_DOCUMENT_COMPLETION, result
            )
        for item in result.items:
            check_menu_item(item, self.buffer)
        return result

    @property
    def states(self) -> list[str]:
        """The states the server has told, in order."""
        return [status.state for status in self.statuses]

    async def run(self, command: str, *arguments: Any) -> Any:
        """Run a command of the server's and wait for what it returns."""
        return await self.request(
            types.WORKSPACE_EXECUTE_COMMAND, types.ExecuteCommandParams(command, list(arguments) or None)
        )

    def accept(self, item: types.InlineCompletionItem | types.CompletionItem) -> None:
        """Take a suggestion as this editor does, and tell the server."""
        where = item.range if isinstance(item, types.InlineCompletionItem) else item.text_edit.range
        text = (
            item.insert_text
            if isinstance(item, types.InlineCompletionItem)
            else inserted_by_menu(item, self.buffer, self._name)
        )
        self.edit(self.buffer.offset(where.start), self.buffer.offset(where.end), text)

    def cancel(self, ask: Ask) -> None:
        """Take a request back."""
        self.client.cancel_request(types.CancelParams(ask.id))

    @property
    def _name(self) -> str:
        return str(self._profile.get("clientInfo", {}).get("name", ""))

    @property
    def _document(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.buffer.uri)

    @property
    def _position(self) -> types.Position:
        return self.buffer.position(self.buffer.cursor)
