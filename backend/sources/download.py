"""One file being read from upstream: known length, bounded waits, and resumption after a dropped connection."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import httpx2

from backend.domain.errors import UpstreamFailed

MAX_RESUMPTIONS = 4
_PARTIAL = 206
# Slower than this over the waiting so far counts as a dropped connection: a drip would hold a worker for ever.
_SLOWEST_BYTES_PER_S = 1024
_PATIENCE_S = 60.0

Connect = Callable[[Mapping[str, str]], Awaitable[httpx2.Response]]


class Download:
    """Bytes of one file from `start` on; iterate it once.

    `size_bytes` is the length of the whole file, None where the source does not say; `etag` what it calls this content.
    """

    def __init__(self, name: str, connect: Connect, start: int) -> None:
        self.size_bytes: int | None = None
        self.etag: str | None = None
        self._name = name
        self._connect = connect
        self._position = start
        self._skip = 0
        self._response: httpx2.Response | None = None
        self._resumptions = 0

    async def open(self) -> None:
        """Connect, and learn the size.

        Raises:
            UpstreamFailed: the source answers another range or another content than what was begun.
        """
        headers = {"Accept-Encoding": "identity"}
        if self._position:
            headers["Range"] = f"bytes={self._position}-"
        response = self._response = await self._connect(headers)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise UpstreamFailed(f"{self._name} is encoded, and was asked for as it is")
        size, begins = _extent(response)
        self._check_same(response.headers.get("etag"), size)
        if begins > self._position:
            raise UpstreamFailed(f"{self._name} answered another range than the one asked for")
        self._skip = self._position - begins

    async def close(self) -> None:
        """Let go of the connection."""
        if self._response is not None:
            await self._response.aclose()
            self._response = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what is left of the file.

        Raises:
            UpstreamFailed: it broke off more often than it may, changed underway, or has another length than it said.
        """
        while True:
            try:
                async for chunk in self._chunks():
                    self._position += len(chunk)
                    yield chunk
                break
            except httpx2.TransportError as error:
                await self._resume(error)
        if self.size_bytes is not None and self._position != self.size_bytes:
            raise UpstreamFailed(f"{self._name} ended after {self._position} of {self.size_bytes} bytes")

    async def _chunks(self) -> AsyncIterator[bytes]:
        response = self._response
        if response is None:
            raise UpstreamFailed(f"{self._name} is closed")
        waited_s, received, asked_at = 0.0, 0, time.monotonic()
        async for raw in response.aiter_raw():
            waited_s += time.monotonic() - asked_at
            received += len(raw)
            if waited_s > _PATIENCE_S and received < waited_s * _SLOWEST_BYTES_PER_S:
                raise httpx2.TransportError("drips")
            chunk, self._skip = raw[self._skip :], max(0, self._skip - len(raw))
            if chunk:
                yield chunk
            asked_at = time.monotonic()

    async def _resume(self, error: Exception) -> None:
        await self.close()
        self._resumptions += 1
        if self._resumptions > MAX_RESUMPTIONS:
            raise UpstreamFailed(f"{self._name} broke off {self._resumptions} times: {error}") from None
        await self.open()

    def _check_same(self, etag: str | None, size: int | None) -> None:
        """What is taken up again must be the very content that was begun."""
        if self._resumptions and (etag, size) != (self.etag, self.size_bytes):
            raise UpstreamFailed(f"{self._name} changed while it was read")
        self.etag, self.size_bytes = etag, size


def _extent(response: httpx2.Response) -> tuple[int | None, int]:
    """Size of the whole file and the position this answer begins at."""
    if response.status_code == _PARTIAL:
        span = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)", response.headers.get("content-range", ""))
        if span is None:
            return None, 2**63  # beyond any position, so that the caller refuses it
        return (None if span[2] == "*" else int(span[2])), int(span[1])
    declared = response.headers.get("content-length", "")
    return (int(declared) if declared.isdigit() else None), 0
