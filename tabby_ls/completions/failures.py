"""Turns an HTTP error response into the exception that describes it.

Servers write errors in five ways: `{"detail": "..."}` and `{"detail": [{"loc", "msg", "input", ...}]}` by
FastAPI, `{"error": {"message", "type", "code", ...}}` and `{"error": "..."}` in OpenAI's manner, and plain
text (or a proxy's HTML). FastAPI's `input` is the value refused, which may be the whole request, so of a
list only places and messages are kept; of plain text nothing is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from tabby_ls.completions.errors import (
    APIError,
    AuthenticationError,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotLoadedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)

_BY_STATUS: Mapping[int, type[APIError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
}
#: What a request is named by in the logs of a server or proxy; the first that is there counts.
_REQUEST_ID_HEADERS = ("x-request-id", "request-id")
#: What OpenAI and TabbyAPI, and what llama.cpp call it.
_CONTEXT_CODES = ("context_length_exceeded", "exceed_context_size_error")
#: What servers without such a code say in words.
_CONTEXT_MESSAGE = re.compile(r"context (length|size|window)", re.IGNORECASE)
#: What TabbyAPI and, while it starts, llama.cpp say with a 503.
_NO_MODEL_MESSAGE = re.compile(r"no models? (is|are) (currently )?loaded|^loading model", re.IGNORECASE)
#: Longest message in characters: editors show it in a line or two, and servers may echo the whole request.
_MAX_MESSAGE = 300
#: So many characters in a row that a message shares with a secret are taken for an echo of it.
_ECHO = 12


def from_response(status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> APIError:
    """Return the error that an answer with another status than 200 is; `secrets` are kept out of it."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    message, details = _read(data)
    # Judged before redacting, which may strike out the very words that tell errors apart.
    kind = _kind(status, message, details)
    message, details = _redact_all(message, details, secrets)
    if 300 <= status < 400:
        message = "the address redirects elsewhere, and redirects are not followed"
    request_id = next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)
    error = kind(
        message or f"HTTP {status} {_phrase(status)}".rstrip(),
        status=status,
        details=details,
        request_id=None if request_id is None else redact(request_id, secrets),
    )
    if isinstance(error, RateLimitError):
        error.retry_after = _seconds(headers.get("retry-after"))
    return error


def explain(data: object, secrets: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Return the message and the further fields that an error body holds, both without `secrets`."""
    return _redact_all(*_read(data), secrets)


def redact(message: str, secrets: Iterable[str]) -> str:
    """Return `message` in one line, of readable length, and with "***" for whatever it has of `secrets`.

    Servers shorten and re-wrap what they echo: any dozen characters in common count.
    """
    hidden = bytearray(len(message))
    for secret in secrets:
        size = min(_ECHO, len(secret))
        parts = {secret[i : i + size] for i in range(len(secret) - size + 1)} if size > 2 else set()
        for i in range(len(message) - size + 1):
            if message[i : i + size] in parts:
                hidden[i : i + size] = b"\1" * size
    shown = "".join("\0" if hide else character for character, hide in zip(message, hidden, strict=True))
    line = re.sub(r"\0+", "***", " ".join(shown.split()))
    return line if len(line) <= _MAX_MESSAGE else line[: _MAX_MESSAGE - 1] + "…"


def _redact_all(
    message: str, details: Mapping[str, str], secrets: Iterable[str]
) -> tuple[str, dict[str, str]]:
    return redact(message, secrets), {name: redact(value, secrets) for name, value in details.items()}


def _read(data: object) -> tuple[str, dict[str, str]]:
    message: Any = ""
    details: dict[str, Any] = {}
    if isinstance(data, dict):
        error, detail = data.get("error"), data.get("detail")
        if isinstance(error, dict):
            message = error.get("message")
            details = {name: error.get(name) for name in ("type", "param", "code")}
        elif isinstance(detail, list):
            items = [item for item in detail if isinstance(item, dict)]
            message = "; ".join(f"{_place(item)}: {item.get('msg')}" for item in items)
            details = {"loc": _place(items[0]), "type": items[0].get("type")} if items else {}
        else:
            message = next((m for m in (error, detail, data.get("message")) if isinstance(m, str)), "")
    plain = {name: str(value) for name, value in details.items() if isinstance(value, (str, int))}
    return message if isinstance(message, str) else "", plain


def _kind(status: int, message: str, details: Mapping[str, str]) -> type[APIError]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 300:
        return InvalidResponseError
    if 300 <= status < 400:
        return NotFoundError
    if status >= 500:
        return ModelNotLoadedError if _NO_MODEL_MESSAGE.search(message) else ServerError
    names = (details.get("code"), details.get("type"))
    if any(name in _CONTEXT_CODES for name in names) or _CONTEXT_MESSAGE.search(message):
        return ContextLengthExceededError
    return InvalidRequestError


def _place(item: Mapping[str, Any]) -> str:
    place = item.get("loc")
    return ".".join(str(part) for part in place) if isinstance(place, list) else "request"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and re.fullmatch(r"\d+(\.\d+)?", header) else None
