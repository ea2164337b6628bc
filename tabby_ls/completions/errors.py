"""The exceptions that the client raises, as one tree.

    CompletionError
    ├── ValidationError                 a value cannot be sent; nothing was
    ├── RequestError                    no answer: no connection, or none in time
    ├── APIError                        an answer that is an error
    │   ├── InvalidRequestError
    │   │   └── ContextLengthExceededError
    │   ├── AuthenticationError
    │   ├── PermissionDeniedError
    │   ├── NotFoundError
    │   ├── RateLimitError
    │   ├── ServerError
    │   │   └── ModelNotLoadedError
    │   └── InvalidResponseError
    └── StreamError                     a stream that began well and did not finish

Each has a `code` for programs, a one-line `message` for people and the HTTP `status`, None where there was
none. No message, representation or detail holds an API key or a prompt: servers echo both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal


class CompletionError(Exception):
    """What every error of this package is."""

    code: str = "error"

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, status={self.status}, message={self.message!r})"


class ValidationError(CompletionError):
    """A value that cannot be sent. `field` is its name; raised before anything goes out."""

    code = "validation_error"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field


class RequestError(CompletionError):
    """No answer came. `__cause__` is the HTTP library's or the operating system's own error.

    `code`: "timeout", "unknown_host" (its name has no address), "certificate_error" (the server's is not
    trusted), "tls_error" (it speaks no TLS), "proxy_error" (the proxy is not there, or refuses) or else
    "connection_error".
    """

    def __init__(
        self,
        message: str,
        *,
        code: Literal[
            "connection_error", "unknown_host", "certificate_error", "tls_error", "proxy_error", "timeout"
        ],
    ) -> None:
        super().__init__(message)
        self.code = code


class APIError(CompletionError):
    """The server answered with an error.

    `details` are the further fields it gave (such as `type`, `param`, or for a refused field `loc`),
    `request_id` is what a header named the request.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        details: Mapping[str, str] | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, status=status)
        self.details: Mapping[str, str] = details or {}
        self.request_id = request_id


class InvalidRequestError(APIError):
    """The server does not accept the request as it is (400, 422 and other 4xx)."""

    code = "invalid_request"


class ContextLengthExceededError(InvalidRequestError):
    """The prompt is longer than the server takes."""

    code = "context_length_exceeded"


class AuthenticationError(APIError):
    """The API key is missing or wrong (401). TabbyAPI also says so where a key lacks permission."""

    code = "authentication_error"


class PermissionDeniedError(APIError):
    """The API key is known and not allowed to do this (403)."""

    code = "permission_error"


class NotFoundError(APIError):
    """There is nothing at this address (404), or only a redirect, which is never followed."""

    code = "not_found"


class RateLimitError(APIError):
    """Too many requests (429). `retry_after` is in seconds, None if the server does not say."""

    code = "rate_limit_exceeded"
    retry_after: float | None = None


class ServerError(APIError):
    """The server failed (5xx), or says with a 200 that the generation was cut short."""

    code = "server_error"


class ModelNotLoadedError(ServerError):
    """The server is there and has no model loaded: worth asking again later."""


class InvalidResponseError(APIError):
    """An answer of success that is not what this call returns."""

    code = "invalid_response"


StreamCode = Literal["stream_error", "truncated", "no_progress", "invalid_chunk"]


class StreamError(CompletionError):
    """A stream that did not finish.

    `code`: "stream_error" is an error the server put into the stream, "truncated" a stream that ended
    before the model did, "no_progress" one in which nothing but keep-alive comments came for too long, and
    "invalid_chunk" one that this client cannot read.
    """

    def __init__(self, message: str, *, code: StreamCode, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message, status=200)
        self.code = code
        self.details: Mapping[str, str] = details or {}
