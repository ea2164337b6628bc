"""Our JSON-RPC: pygls' protocol with its gaps closed. Only this module and `documents.py` lean on pygls' private names.

What differs from pygls 2.1, each held by a test:

- every request is answered, also one that does not parse, comes too early or too late, or has no result that
  can be written; a broken notification is dropped; nothing a client sends ends the session;
- finished handlers and answered requests are forgotten (pygls keeps one entry for each notification);
- no text of the user's reaches a log: pygls' own loggers are off, ours name methods, errors' types and places;
- a message is turned into objects once, from its top, not at every nested JSON object;
- the workspace holds our documents, which tell `on_edit` what changed.
"""

from __future__ import annotations

import contextvars
import json
import logging
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import Any

from cattrs import Converter
from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcRequestCancelled
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.workspace import Workspace

from tabby_ls.server.capabilities import position_encoding
from tabby_ls.server.documents import DocumentNotOpenError, EditListener, OpenDocument, OpenDocuments
from tabby_ls.server.framing import frame
from tabby_ls.server.text import Edit

logger = logging.getLogger(__name__)

_CALLS_DESCRIBED = 4


class ServerProtocol(LanguageServerProtocol):
    """One client's conversation. Give it to `LanguageServer(protocol_cls=ServerProtocol)`.

    `receive` takes messages; `on_edit` hears of every change to a document, after it was made; `on_exit` gets the
    process's exit status when the client asks for the end. `documents` exists from `initialize` on: the same object
    as pygls' `workspace`, with its type. `answered` is the id of a request whose response is not to be written,
    because the entry point has answered it before there was a server. `client` are the client's capabilities in
    plain JSON, from `initialize` on. `advertise` gets them and returns the result of `initialize`, in plain JSON; without it the result is what pygls makes of the features.
    """

    documents: OpenDocuments

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        # It logs every message it sends and receives.
        logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)
        self.on_edit: EditListener = _ignore_edits
        self.on_exit: Callable[[int], None] = _ignore_exit
        self.answered: int | str | None = None
        self.advertise: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
        self.client: Mapping[str, Any] = {}
        super().__init__(server, converter)

    # --- what the transport and the features use ---

    @property
    def initialized(self) -> bool:
        """Whether the client has sent `initialize`."""
        return self._workspace is not None

    @property
    def exit_status(self) -> int:
        """The status to end the process with: 0 after `shutdown`, else 1."""
        return 0 if self._shutdown else 1

    def receive(self, body: bytes | str) -> bool:
        """Handle one message as it came from the client; raises for none. Return whether it was a request."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            logger.warning("received a message that is not JSON (%d bytes)", len(body))
            self._refuse(None, types.ErrorCodes.ParseError, "not JSON")
            return False
        if not isinstance(message, dict):
            self._refuse(None, types.ErrorCodes.InvalidRequest, "not a JSON-RPC message")
        elif "method" not in message and self._waits_for(message.get("id")):
            self._receive_response(message)
        elif "id" in message:
            self._receive_request(message)
            return True
        else:
            self._receive_notification(message)
        return False

    # --- incoming ---

    def _receive_request(self, message: dict[str, Any]) -> None:
        msg_id, method = message["id"], message.get("method")
        if isinstance(msg_id, bool) or not isinstance(msg_id, int | str):
            self._refuse(None, types.ErrorCodes.InvalidRequest, "the id is neither a number nor a string")
        elif "method" not in message and ("result" in message or "error" in message):
            logger.warning("received a response to no request")
        elif not isinstance(method, str) or message.get("jsonrpc") != self.VERSION:
            self._refuse(msg_id, types.ErrorCodes.InvalidRequest, "not a JSON-RPC 2.0 request")
        elif self._shutdown:
            self._refuse(msg_id, types.ErrorCodes.InvalidRequest, "the server is shutting down")
        elif not self.initialized and method != types.INITIALIZE:
            self._refuse(msg_id, types.ErrorCodes.ServerNotInitialized, "initialize comes first")
        elif self.initialized and method == types.INITIALIZE:
            self._refuse(msg_id, types.ErrorCodes.InvalidRequest, "initialize comes once")
        elif not self._handles(method):
            self._refuse(msg_id, types.ErrorCodes.MethodNotFound, f"unknown method {method!r}")
        else:
            try:
                params = self._params(message)
            except Exception as error:
                logger.warning("request %r has invalid params (%s)", method, type(error).__name__)
                if msg_id != self.answered:
                    self._refuse(msg_id, types.ErrorCodes.InvalidParams, f"invalid params for {method}")
                    return
                # It was answered before they were read: go on as with a client that says nothing of itself.
                params = types.InitializeParams(types.ClientCapabilities())
            contextvars.copy_context().run(self._handle_request, msg_id, method, params)

    def _receive_notification(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if not isinstance(method, str) or message.get("jsonrpc") != self.VERSION:
            logger.warning("dropped a message that is not JSON-RPC 2.0")
        elif method != types.EXIT and (self._shutdown or not self.initialized):
            logger.warning("dropped notification %r: not between initialize and shutdown", method)
        elif method != types.CANCEL_REQUEST and not self._handles(method):
            logger.debug("dropped notification %r: unknown", method)
        else:
            try:
                params = self._params(message)
            except Exception as error:
                logger.warning("dropped notification %r: invalid params (%s)", method, type(error).__name__)
                return
            contextvars.copy_context().run(self._handle_notification, method, params)

    def _receive_response(self, message: dict[str, Any]) -> None:
        """Give the client's response to whoever waits for it; a malformed one is an error."""
        response_type = self._result_types.pop(message["id"])
        future = self._request_futures.pop(message["id"], None)
        if future is None or future.done():
            return
        try:
            if message.get("error") is not None:
                error = self._converter.structure(message["error"], types.ResponseError)
                future.set_exception(JsonRpcException.from_error(error))
            elif response_type is None:
                future.set_result(message.get("result"))
            else:
                future.set_result(
                    self._converter.structure({"result": None, **message}, response_type).result
                )
        except Exception as error:
            logger.warning("received a malformed response (%s)", type(error).__name__)
            future.set_exception(JsonRpcInternalError("malformed response"))

    def _waits_for(self, msg_id: object) -> bool:
        return isinstance(msg_id, int | str) and msg_id in self._result_types

    def _handles(self, method: str) -> bool:
        return method in self.fm.builtin_features or method in self.fm.features

    def _params(self, message: dict[str, Any]) -> Any:
        """A message's params as lsprotocol's type; as plain JSON for a method lsprotocol does not know."""
        if message["method"] == types.INITIALIZE:
            message = self._set_capabilities_aside(message)
        message_type = self.get_message_type(message["method"])
        if message_type is None:
            return message.get("params")
        return self._converter.structure(message, message_type).params

    def _set_capabilities_aside(self, message: dict[str, Any]) -> dict[str, Any]:
        """Leave in `initialize` what pygls reads: the code to make objects of all the rest takes up to 10 ms to make."""
        params = message["params"]
        client = params["capabilities"]
        if not isinstance(client, dict):
            raise TypeError("capabilities are an object")
        self.client = client
        encodings = {"general": {"positionEncodings": [position_encoding(client)]}}
        return {**message, "params": {**params, "capabilities": encodings}}

    # --- handlers and their ends ---

    def _execute_handler(
        self,
        msg_id: int | str,
        handler: Callable[..., Any],
        callback: Callable[[Future[Any]], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        def finished(future: Future[Any]) -> None:
            if self._request_futures.get(msg_id) is future:
                del self._request_futures[msg_id]
            callback(future)

        super()._execute_handler(msg_id, handler, finished, args=args, kwargs=kwargs)

    def _send_handler_result(self, future: Future[Any], *, msg_id: int | str) -> None:
        """Answer a request with what its handler came to."""
        failure: JsonRpcException
        if future.cancelled():
            failure = JsonRpcRequestCancelled()
        else:
            try:
                self._send_response(msg_id, result=future.result())
                return
            except JsonRpcException as error:
                failure = error
            except Exception as error:
                failure = JsonRpcInternalError(describe(error))
                logger.error("request %r failed: %s", msg_id, failure.message)
        self._send_response(msg_id, error=failure.to_response_error())

    def _check_handler_result(self, future: Future[Any]) -> None:
        """Log a notification's handler that failed; pygls would also open a message box, for each keystroke."""
        if not future.cancelled() and (error := future.exception()) is not None:
            logger.error("a notification's handler failed: %s", describe(error))

    # --- outgoing ---

    def _send_response(
        self, msg_id: int | str, result: Any | None = None, error: types.ResponseError | None = None
    ) -> None:
        if msg_id == self.answered:
            self.answered = None
            return
        super()._send_response(msg_id, result, error)

    def _refuse(self, msg_id: int | str | None, code: types.ErrorCodes, reason: str) -> None:
        self._send_data(
            {"jsonrpc": self.VERSION, "id": msg_id, "error": {"code": code.value, "message": reason}}
        )

    def _send_data(self, data: Any) -> None:
        """Write one message; raises what the JSON encoder does for a message that is not JSON."""
        if self.writer is None:
            logger.warning("dropped a message: no client is connected")
            return
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=self._serialize_message)
        # Strict parsers refuse a whole message for half of a surrogate pair.
        body = text.encode(errors="replace")
        self.writer.write(frame(body) if self._include_headers else body)

    # --- pygls' own features, where they fall short ---

    @property
    def _workspace(self) -> Workspace | None:
        return getattr(self, "documents", None)

    @_workspace.setter
    def _workspace(self, stock: Workspace | None) -> None:
        """pygls assigns a new workspace when it handles `initialize`; ours takes its place."""
        if stock is not None:
            self.documents = OpenDocuments(stock, self._tell_edits)

    def _tell_edits(self, document: OpenDocument, edits: Sequence[Edit]) -> None:
        self.on_edit(document, edits)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Answer with what the server says of itself."""
        if self.advertise is None:
            return (yield from super().lsp_initialize(params))
        # Behind the server's own handler pygls would work out what it has to say, which takes 4 ms.
        yield from islice(super().lsp_initialize(params), 1)
        if self.answered is not None:
            return types.InitializeResult(types.ServerCapabilities())
        return self._converter.structure(self.advertise(self.client), types.InitializeResult)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(
        self, params: types.DidChangeTextDocumentParams
    ) -> Generator[Any, Any, None]:
        """Apply the changes of one notification together."""
        try:
            self.documents.change(params.text_document, params.content_changes)
        except DocumentNotOpenError:
            logger.warning("dropped a change to a document that is not open")
            return
        yield from self._user_handler(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """Cancel what is under way, after the server's own handler has run."""
        yield from self._user_handler(types.SHUTDOWN, *args)
        current = self.msg_id
        for msg_id, future in list(self._request_futures.items()):
            if msg_id != current:
                future.cancel()
        self._shutdown = True

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Generator[Any, Any, None]:
        """Leave the end of the process to `on_exit`."""
        yield from self._user_handler(types.EXIT, *args)
        self.on_exit(self.exit_status)

    def _user_handler(self, method: str, *args: Any) -> Generator[Any, Any, None]:
        if (handler := self.fm.features.get(method)) is not None:
            yield handler, args, None


def make_converter() -> Converter:
    """Return what turns messages into objects and back. It says *that* params are wrong, not each place where.

    The code that cattrs generates for that, at the first message of each kind, is half as long.
    """
    return get_converter(Converter(detailed_validation=False))


def describe(error: BaseException) -> str:
    """An error's type and where it was raised: never its message, which may quote the user's text."""
    calls = traceback.extract_tb(error.__traceback__)[-_CALLS_DESCRIBED:]
    places = [f"{Path(call.filename).name}:{call.lineno} {call.name}" for call in calls]
    return f"{type(error).__name__} at {' < '.join(reversed(places)) or 'an unknown place'}"


def _ignore_edits(document: OpenDocument, edits: Sequence[Edit]) -> None:
    """Nobody listens yet."""


def _ignore_exit(status: int) -> None:
    """Nothing runs that could end."""
