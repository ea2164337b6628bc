"""The HTTP layer of the client: address, headers, timeouts, and the exception that each network failure becomes.

One connection carries one request at a time (HTTP/1.1 without pipelining): closing it is the only way to
tell a completion server to stop. HTTP/2 is off, where closing a stream does not reach the server.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import attrs
import httpcore2
from attrs import Attribute, frozen

import tabby_ls
from tabby_ls.completions import failures
from tabby_ls.completions.errors import APIError, InvalidResponseError, RequestError, ValidationError
from tabby_ls.completions.pool import TRANSPORT_ERRORS, Pool, Request, Response
from tabby_ls.completions.request import encode

#: Longest body in bytes that is read in one piece.
MAX_BODY = 16 << 20
#: What is shown of a header that the user set, and of one with a key.
HIDDEN = "(not shown)"
#: Headers that say who asks.
AUTHENTICATION_HEADERS = ("authorization", "x-api-key", "x-admin-key")
#: Headers that say how a body is framed and packed, which only this module knows.
_FRAMING_HEADERS = ("accept-encoding", "content-length", "transfer-encoding")


def _limit(_: object, attribute: Attribute[Any], value: object) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is not None and not (is_number and value > 0):  # type: ignore[operator]
        raise ValidationError(attribute.name, "must be a number of seconds above 0")


@frozen
class Timeouts:
    """How long to wait, in seconds; None is for ever."""

    #: For the connection, and as much again for TLS.
    connect: float | None = attrs.field(default=5.0, validator=_limit)
    #: For the first `data:` line of a stream, from the request on: queueing and reading the prompt are in it.
    first_token: float | None = attrs.field(default=60.0, validator=_limit)
    #: For each further `data:` line. Keep-alive comments do not count: TabbyAPI sends them for ever on a
    #: stream that it has lost.
    progress: float | None = attrs.field(default=30.0, validator=_limit)
    #: For a whole answer that is not streamed.
    answer: float | None = attrs.field(default=120.0, validator=_limit)
    #: For everything else that is asked. TabbyAPI does not answer while it reads a prompt.
    lookup: float | None = attrs.field(default=10.0, validator=_limit)


@frozen
class Answer:
    """A whole answer. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@frozen
class Withheld:
    """A request that was not sent. Of headers that the user set, and of keys, only the names are in `headers`."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


_withheld: ContextVar[list[Withheld] | None] = ContextVar("withheld", default=None)


@contextmanager
def withholding() -> Iterator[list[Withheld]]:
    """Send nothing inside of this block, in this task: requests are put into the list instead, and fail."""
    requests: list[Withheld] = []
    token = _withheld.set(requests)
    try:
        yield requests
    finally:
        _withheld.reset(token)


class Connection:
    """Sends requests to one server. Its errors are the tree in `errors.py`."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        headers: Mapping[str, str],
        timeouts: Timeouts,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self.timeouts = timeouts
        self.root, host = _parse_url(base_url)
        _check_headers(api_key, headers)
        #: What no error may hold, besides the prompt.
        self.secrets = tuple(filter(None, (api_key, *headers.values())))
        # In lower case, so that the user's own replace these; twice the same, a request would be refused.
        self._headers = {
            "host": urlsplit(self.root).netloc,
            "user-agent": f"tabby-ls/{tabby_ls.__version__}",
            "accept": "*/*",
            "accept-encoding": "identity",
            **({"authorization": f"Bearer {api_key}"} if api_key else {}),
            **{name.lower(): value for name, value in headers.items()},
        }
        # A proxy named in the environment is meant for the network, not for this machine.
        self._pool = Pool(
            self.root, is_local=is_loopback(host), connect=timeouts.connect, ssl_context=ssl_context
        )
        #: Responses that are being closed, also for callers who did not wait for it.
        self._closing: set[asyncio.Future[None]] = set()
        self._end: asyncio.Future[None] | None = None

    async def close(self) -> None:
        """Close every connection, to the last one also if the caller is cancelled meanwhile."""
        if self._end is None:
            self._end = asyncio.ensure_future(self._close())
        await asyncio.shield(self._end)

    async def _close(self) -> None:
        if self._closing:
            await asyncio.wait(self._closing)
        await self._pool.aclose()

    async def drop(self, response: Response) -> None:
        """Close a response, to its end also if the caller is cancelled meanwhile.

        The library's pool would otherwise keep the request, with its prompt, for good.
        """
        closing = asyncio.ensure_future(response.aclose())
        self._closing.add(closing)
        closing.add_done_callback(self._dropped)
        await asyncio.shield(closing)

    def _dropped(self, closing: asyncio.Future[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled():
            closing.exception()  # a connection that breaks while it is closed is closed, too

    async def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Response:
        """Send a request and return the answer, its body still to come. The caller closes it.

        A kept connection that turns out to have been closed by the server meanwhile is tried once more.
        Raises :class:`RequestError`.
        """
        if self._pool.is_closed:
            raise RequestError("the client is closed", code="connection_error")
        is_new = False

        async def watch(event: str, _: Mapping[str, Any]) -> None:
            nonlocal is_new
            is_new = is_new or event.endswith(".connect_tcp.started")

        request = self._request(method, path, body)
        if (withheld := _withheld.get()) is not None:
            withheld.append(self._shown(request))
            raise RequestError("the request was not sent, as asked", code="connection_error")
        with request_errors():
            try:
                return await self._pool.send(request, watch)
            except (httpcore2.RemoteProtocolError, httpcore2.ReadError, httpcore2.WriteError):
                if is_new:
                    raise
                return await self._pool.send(request, watch)

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> Request:
        headers, content = self._headers, b""
        if body is not None:
            content = encode(body)
            headers = {"content-type": "application/json", **headers, "content-length": str(len(content))}
        return Request(method, self.root + path, headers, content)

    def _shown(self, request: Request) -> Withheld:
        headers = {
            name: HIDDEN if any(secret in value for secret in self.secrets) else value
            for name, value in request.headers.items()
        }
        return Withheld(request.method, request.url, headers, request.content)

    async def read(self, response: Response) -> bytes:
        """Return the body; raise :class:`InvalidResponseError` if it is longer than any should be."""
        body = bytearray()
        with request_errors():
            async for piece in response.pieces():
                body += piece
                if len(body) > MAX_BODY:
                    raise InvalidResponseError("the answer is too long", status=response.status)
        return bytes(body)

    async def failure(self, response: Response, *prompts: str) -> APIError:
        """Return the error that an answer is; `prompts` are kept out of it."""
        body = await self.read(response)
        secrets = (*self.secrets, *prompts)
        return failures.from_response(response.status, response.headers, body, secrets)

    async def exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        limit: float | None,
        private: tuple[str, ...] = (),
        accept: tuple[int, ...] = (200,),
    ) -> Answer:
        """Send a request and return the whole answer, or raise what went wrong.

        `limit` is in seconds, `private` is kept out of errors, other statuses than `accept` are errors.
        """
        with request_errors():
            async with asyncio.timeout(limit):
                response = await self.send(method, path, body)
                try:
                    if response.status not in accept:
                        raise await self.failure(response, *private)
                    return Answer(response.status, response.headers, await self.read(response))
                finally:
                    await self.drop(response)


@contextmanager
def request_errors() -> Iterator[None]:
    """Turn the HTTP library's errors, and running out of time, into :class:`RequestError`."""
    try:
        yield
    except (httpcore2.TimeoutException, TimeoutError) as error:
        what = "no connection in time" if isinstance(error, httpcore2.ConnectTimeout) else "no answer in time"
        raise RequestError(what, code="timeout") from error
    except httpcore2.ConnectError as error:
        raise _no_connection(error) from error
    except httpcore2.ProxyError as error:
        problem = f"the proxy that the environment names failed: {failures.redact(str(error), ())}"
        raise RequestError(problem, code="proxy_error") from error
    except TRANSPORT_ERRORS as error:
        raise RequestError("the connection broke", code="connection_error") from error


def _no_connection(error: BaseException) -> RequestError:
    """Return the error for a connection that was not made, by what was the reason of the HTTP library's."""
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return RequestError(str(reason.verify_message), code="certificate_error")
        if isinstance(reason, ssl.SSLError):
            return RequestError("the server does not speak TLS", code="tls_error")
        if isinstance(reason, socket.gaierror):
            return RequestError("the server's name has no address", code="unknown_host")
        reason = reason.__cause__ or reason.__context__
    return RequestError("the server cannot be reached", code="connection_error")


def _parse_url(base_url: str) -> tuple[str, str]:
    """Return the address without `/v1` and without a slash at its end, and the host in it, both in ASCII letters.

    Only the path may still have others.
    """
    try:
        url = urlsplit(base_url.strip())
        host, port = (url.hostname or "").encode("idna").decode(), url.port
    except ValueError:
        raise ValidationError("base_url", "is not an address") from None
    if url.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:%-]+", host):
        raise ValidationError("base_url", "must begin with http:// or https:// and name a host")
    if "@" in url.netloc or url.query or url.fragment:
        raise ValidationError("base_url", "must not hold a user, a query or a fragment")
    path = url.path.rstrip("/").removesuffix("/v1").rstrip("/")
    netloc = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
    return f"{url.scheme}://{netloc}{path}", host


def _check_headers(api_key: str | None, headers: Mapping[str, str]) -> None:
    if api_key and not re.fullmatch(r"[!-~]+", api_key):
        raise ValidationError("api_key", "must be printable ASCII without spaces")
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not re.fullmatch(r"[ -~]*", value):
            raise ValidationError("headers", "must have names and values of printable ASCII")
        if name.lower() in _FRAMING_HEADERS:
            raise ValidationError("headers", f"must not set {name}, which depends on the request")
        if api_key and name.lower() in AUTHENTICATION_HEADERS:
            raise ValidationError("headers", f"must not set {name} beside an API key")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by its name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
