"""Connections to one server, kept open between requests: httpcore2's pool, told of headers and of proxies.

httpcore2 is what httpx2 stands on. A completion server has no use for what httpx2 adds to it (redirects, cookies,
compression), which takes 16 ms and 3 MB to import, and a third of the time of a request.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias
from urllib.parse import quote, unquote_to_bytes, urlsplit

import httpcore2
from attrs import frozen

from tabby_ls.completions.errors import ValidationError

#: Whatever may go wrong between here and the server, an answer that is no HTTP included.
TRANSPORT_ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)
#: Below the 5 seconds after which uvicorn, TabbyAPI's server, closes an idle connection.
_KEEPALIVE_SECONDS = 4.5
#: What may stand in a path as it is (RFC 3986, section 3.3), and the sign of what was quoted already.
_PATH = "/%:@!$&'()*+,;="
#: What a proxy's address may begin with: those that httpcore2 speaks.
_PROXIES = ("http", "https", "socks5", "socks5h")

#: Is told what happens to a request, by httpcore2's names of events.
Watch: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[None]]


@frozen
class Request:
    """What to send, and where. The host of `url`, and `headers`, are ASCII; the path may be anything."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""


class Response:
    """An answer whose body is still to come.

    `headers` have names in lower case; of several with one name it is the first. Other bytes than ASCII are
    read as Latin-1, which never fails (RFC 9110, section 5.5).
    """

    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response
        self.status = response.status
        self.headers: dict[str, str] = {}
        for name, value in response.headers:
            self.headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))

    def pieces(self) -> AsyncIterator[bytes]:
        """Return the body as it arrives, once; iterating may raise TRANSPORT_ERRORS."""
        return self._response.aiter_stream()

    async def aclose(self) -> None:
        """Close the connection; keep it for the next request if the body was read to its end."""
        await self._response.aclose()


class Pool:
    """As many connections to one server as there are requests at a time."""

    def __init__(
        self, root: str, *, is_local: bool, connect: float | None, ssl_context: ssl.SSLContext | None
    ) -> None:
        """`connect` is in seconds, for TCP and as much again for TLS. No proxy is asked for a server that `is_local`, on this machine.

        Raises ValidationError for a proxy or certificates in the environment that cannot be used.
        """
        url = urlsplit(root)
        if ssl_context is None and url.scheme == "https":
            ssl_context = _default_checks()
        self._timeouts = {"connect": connect}
        self._proxy = None if is_local else proxy_for(url.scheme, url.hostname or "", url.port)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl_context,
            proxy=self._proxy,
            max_connections=None,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            http1=True,
            http2=False,
        )
        self.is_closed = False

    async def send(self, request: Request, watch: Watch) -> Response:
        """Send a request; raises TRANSPORT_ERRORS, of which ProxyError means the proxy. The caller closes the answer."""
        url = urlsplit(request.url)
        sent = httpcore2.Request(
            request.method,
            httpcore2.URL(
                scheme=url.scheme,
                host=url.hostname or "",
                port=url.port,
                target=quote(url.path, safe=_PATH),
            ),
            headers=list(request.headers.items()),
            content=request.content,
            extensions={"timeout": self._timeouts, "trace": watch},
        )
        try:
            return Response(await self._pool.handle_async_request(sent))
        except httpcore2.ConnectError as error:
            # Where there is a proxy only that is connected to; the rest is TLS with the server.
            if self._proxy is None or any(isinstance(reason, ssl.SSLError) for reason in error.args):
                raise
            raise httpcore2.ProxyError("no connection to it") from error

    async def aclose(self) -> None:
        """Close every connection."""
        self.is_closed = True
        await self._pool.aclose()


def _default_checks() -> ssl.SSLContext:
    """Return the checks of a certificate against the system's authorities, or those that SSL_CERT_FILE names.

    It takes 20 ms, so one is made for all connections.
    """
    try:
        return httpcore2.default_ssl_context()
    except OSError:
        raise ValidationError("SSL_CERT_FILE", "in the environment names no file of certificates") from None


def proxy_for(scheme: str, host: str, port: int | None = None) -> httpcore2.Proxy | None:
    """Return the proxy that the environment, or the system's settings, name for a server.

    `port` is the one in its address, if any: NO_PROXY may hold `host:port`. Raises ValidationError for a
    proxy that cannot be used.
    """
    from urllib.request import getproxies, proxy_bypass  # of no use on this machine, and slow to import

    proxies = getproxies()
    address = (proxies.get(scheme) or proxies.get("all") or "").strip()
    named = host if port is None or ":" in host else f"{host}:{port}"
    if not address or proxy_bypass(named) or _is_in_a_network(host, proxies.get("no", "")):
        return None
    try:
        url = urlsplit(address if "://" in address else f"http://{address}")
        target = httpcore2.URL(
            scheme=url.scheme, host=(url.hostname or "").encode("idna"), port=url.port, target="/"
        )
    except ValueError:
        raise ValidationError("proxy", "in the environment is not an address") from None
    if url.scheme not in _PROXIES:
        raise ValidationError("proxy", f"in the environment is none of {', '.join(_PROXIES)}")
    if not target.host:
        raise ValidationError("proxy", "in the environment names no host")
    if url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ValidationError(
            "proxy", "in the environment speaks SOCKS, for which the package socksio is missing"
        )
    auth = (unquote_to_bytes(url.username), unquote_to_bytes(url.password or "")) if url.username else None
    return httpcore2.Proxy(target, auth, ssl_context=_default_checks() if url.scheme == "https" else None)


def _is_in_a_network(host: str, spared: str) -> bool:
    """Return whether an address is in one of the networks in NO_PROXY (`192.168.0.0/16`), which urllib does not know."""
    for entry in spared.split(","):
        with suppress(ValueError):  # the host is a name, or the entry no network
            if "/" in entry and ip_address(host) in ip_network(entry.strip(), strict=False):
                return True
    return False
