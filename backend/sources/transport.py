"""Connections that go to a vetted address and nowhere else, while TLS and Host keep the name."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

import httpcore2
import httpx2

from backend.domain.errors import UpstreamFailed
from backend.sources.addresses import public_addresses

_TRANSPORT_FAULTS = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException)


class VettedBackend(httpcore2.AsyncNetworkBackend):
    """Resolves a name itself, vets what it finds, and connects to exactly that: a second look-up cannot differ.

    `private` holds the host and port pairs that the operator configured and that need no vetting.
    """

    def __init__(self, private: frozenset[tuple[str, int]]) -> None:
        self._private = private
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first vetted address that answers."""
        addresses = [host] if (host, port) in self._private else await public_addresses(host, port)
        failure: Exception = UpstreamFailed(f"{host} cannot be reached")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the library's
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Refuse: no source is behind a local socket."""
        del timeout, socket_options
        raise UpstreamFailed(f"{path} is not a source")

    async def sleep(self, seconds: float) -> None:
        """Sleep between the library's own connection attempts."""
        await self._inner.sleep(seconds)


class VettedTransport(httpx2.AsyncBaseTransport):
    """An httpx2 transport over a pool whose connections are vetted; its faults surface as `httpx2.TransportError`."""

    def __init__(self, private: frozenset[tuple[str, int]], *, max_connections: int) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=30.0,
            network_backend=VettedBackend(private),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; redirects are the caller's."""
        url = request.url
        try:
            response = await self._pool.handle_async_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        except _TRANSPORT_FAULTS as error:
            raise httpx2.TransportError(type(error).__name__) from error
        return httpx2.Response(
            response.status, headers=response.headers, stream=_Body(response.stream), extensions=response.extensions
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts: AsyncIterable[bytes] = self._stream
        try:
            async for part in parts:
                yield part
        except _TRANSPORT_FAULTS as error:
            raise httpx2.TransportError(type(error).__name__) from error

    async def aclose(self) -> None:
        await self._stream.aclose()
