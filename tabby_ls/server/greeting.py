"""The answer to `initialize` before the language server is imported: importing it takes many times as long as answering.

Editors hold back everything else until they have it. What was read is handed on, and handled as if nothing had been
answered (`transport.serve_stdio`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

from tabby_ls.server.capabilities import initialize_result, registers_completion
from tabby_ls.server.framing import Unframer, frame

_CHUNK = 1 << 16


def greet(stdin: int, stdout: int) -> tuple[bytes, int | str | None]:
    """Wait for the first message, and answer it if it is a proper `initialize`; anything else is left alone.

    Return all that was read, and the id of the request in it that was answered.
    """
    received, unframer = b"", Unframer()
    while chunk := os.read(stdin, _CHUNK):
        received += chunk
        for body in unframer.feed(chunk):
            return received, _answer(body, stdout)
    return received, None


def _answer(body: bytes, stdout: int) -> int | str | None:
    try:
        request = json.loads(body)
        number, params = request["id"], request["params"]
        client = params["capabilities"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_proper = request.get("method") == "initialize" and request.get("jsonrpc") == "2.0"
    if not is_proper or not isinstance(number, int | str) or isinstance(number, bool):
        return None
    if not isinstance(client, Mapping):
        return None
    triggers: Sequence[str] = ()
    if not registers_completion(client):
        from tabby_ls.settings import Source, load, own_section

        settings, _ = load()
        said = own_section(params.get("initializationOptions"))
        settings, _ = settings.merged(said, Source.INITIALIZATION)
        triggers = settings.menu_triggers
    response = {"jsonrpc": "2.0", "id": number, "result": initialize_result(client, triggers)}
    text = frame(json.dumps(response, separators=(",", ":")).encode())
    while text:
        text = text[os.write(stdout, text) :]
    return number
