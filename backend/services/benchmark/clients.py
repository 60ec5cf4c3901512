"""Many clients that download the same address at once, as a program of its own.

In the server's own process they would compete with it for its event loop and be measured along with it; here they cost
it nothing but a core. Reads one JSON object from standard input, writes one a line: progress now and then, the
measurements last. Uses the standard library and httptools alone, and runs as a file: `python -P clients.py`.
"""

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httptools

OK = 200
PROGRESS_S = 0.25
STEP_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Order:
    """What to measure: each of `clients` downloads `url` `rounds` times; `seconds` and `max_bytes` end it early."""

    url: str
    headers: Mapping[str, str]
    clients: int
    rounds: int
    seconds: float
    max_bytes: int


@dataclass(slots=True)
class Measured:
    """What came of it. Times in milliseconds, for each download that succeeded; errors by kind."""

    seconds: float = 0.0
    bytes_read: int = 0
    total_ms: list[float] = field(default_factory=list)
    first_byte_ms: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)

    def count_error(self, kind: str, times: int = 1) -> None:
        """Count a failure by its kind."""
        self.errors[kind] = self.errors.get(kind, 0) + times


class Failed(Exception):
    """One download failed; the text is the kind of failure."""


class _Download(asyncio.Protocol):
    """One request over a connection of its own; `ended` gives the milliseconds to the first byte and to the last."""

    def __init__(self, request: bytes, count: Callable[[int], None]) -> None:
        self.ended: asyncio.Future[tuple[float, float]] = asyncio.get_running_loop().create_future()
        self._request = request
        self._count = count
        self._parser = httptools.HttpResponseParser(self)
        self._began = time.perf_counter()
        self._first_byte = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self._count(len(data))
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail("malformed answer")

    def on_headers_complete(self) -> None:
        self._first_byte = self._elapsed()
        status = self._parser.get_status_code()
        if status != OK:
            self._fail(f"status {status}")

    def on_message_complete(self) -> None:
        if not self.ended.done():
            self.ended.set_result((self._first_byte, self._elapsed()))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._fail("connection closed early")

    def _elapsed(self) -> float:
        return (time.perf_counter() - self._began) * 1000

    def _fail(self, kind: str) -> None:
        if not self.ended.done():
            self.ended.set_exception(Failed(kind))


class Crowd:
    """The clients of one order."""

    def __init__(self, order: Order, tell: Callable[[int, int], None]) -> None:
        self._order = order
        self._tell = tell
        self._measured = Measured()
        self._finished = 0
        self._told_at = 0.0
        self._full = asyncio.Event()

    async def measure(self) -> Measured:
        """Let all clients loose at once; ends when all are through, or the time or the bytes are used up."""
        began = time.perf_counter()
        running = [asyncio.create_task(self._client()) for _ in range(self._order.clients)]
        full = asyncio.create_task(self._full.wait())
        through = asyncio.gather(*running)
        ends: list[asyncio.Future[Any]] = [through, full]
        await asyncio.wait(ends, timeout=self._order.seconds, return_when=asyncio.FIRST_COMPLETED)
        self._measured.seconds = time.perf_counter() - began
        over = "byte limit" if full.done() else "time limit"
        unfinished = self._order.clients * self._order.rounds - self._finished
        for task in (*running, full):
            task.cancel()
        await asyncio.gather(*running, *ends, return_exceptions=True)
        if broken := next((task for task in running if not task.cancelled() and task.exception()), None):
            await broken
        if unfinished:
            self._measured.count_error(over, unfinished)
        return self._measured

    async def _client(self) -> None:
        for _ in range(self._order.rounds):
            try:
                first_byte, total = await self._download()
                self._measured.first_byte_ms.append(round(first_byte, 3))
                self._measured.total_ms.append(round(total, 3))
            except (Failed, OSError) as failure:
                kind = str(failure) if isinstance(failure, Failed) else type(failure).__name__
                self._measured.count_error(kind)
            self._finished += 1
            self._tell_now_and_then()

    async def _download(self) -> tuple[float, float]:
        parts = urlsplit(self._order.url)
        secure = ssl.create_default_context() if parts.scheme == "https" else None
        port = parts.port or (443 if secure else 80)
        request = _request(self._order)
        transport, download = await asyncio.get_running_loop().create_connection(
            lambda: _Download(request, self._count), parts.hostname or "", port, ssl=secure
        )
        try:
            return await download.ended
        finally:
            transport.abort()

    def _count(self, size: int) -> None:
        self._measured.bytes_read += size
        if self._measured.bytes_read > self._order.max_bytes:
            self._full.set()

    def _tell_now_and_then(self) -> None:
        if time.monotonic() - self._told_at > PROGRESS_S:
            self._told_at = time.monotonic()
            self._tell(self._finished, self._measured.bytes_read)


def _request(order: Order) -> bytes:
    parts = urlsplit(order.url)
    headers = {"Host": parts.netloc, "Accept": "*/*", "Connection": "close", **order.headers}
    lines: Sequence[str] = [
        f"GET {parts.path or '/'} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def main() -> int:
    """Carry out the order on standard input."""
    order = Order(**json.loads(sys.stdin.readline()))

    def say(**what: Any) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()

    async def measure() -> Measured:
        return await Crowd(order, lambda finished, read: say(finished=finished, bytes_read=read)).measure()

    say(measured=asdict(asyncio.run(measure())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
