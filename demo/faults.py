"""Answers gone wrong on purpose: late, refused, cut short, stalled, garbled or never given."""

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import Message, Receive, Scope, Send

DRIP_BYTES = 64
_CLOSE_WITH_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to requests whose `METHOD /path?query` matches.

    `delay_s` comes first, then one of: `drop` resets the connection; `status`, `body` and `headers` replace the answer.
    Otherwise the true answer goes out, with `headers` on top, and spoiled: `cut_at` closes the connection after so many
    bytes of the body, `stall_at` goes silent there until the client leaves, `drip_s` pauses after every 64
    bytes, `corrupt` flips the first byte and keeps the length.
    """

    match: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | None = None
    delay_s: float = 0.0
    drop: bool = False
    cut_at: int | None = None
    stall_at: int | None = None
    drip_s: float = 0.0
    corrupt: bool = False

    @property
    def replaces(self) -> bool:
        """True when the true answer is not wanted."""
        return self.status is not None or self.body is not None


class Faults:
    """The faults that are still to happen, first come, first served."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int]] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, times: int) -> None:
        """Let `fault` happen `times` times."""
        with self._lock:
            self._waiting.append((fault, times))

    def take(self, method: str, path: str, query: str) -> Fault | None:
        """The fault that this request meets, used up by one."""
        spellings = (f"{method} {path}", f"{method} {path}?{query}")
        with self._lock:
            for index, (fault, times) in enumerate(self._waiting):
                if times > 0 and any(re.search(fault.match, spelling) for spelling in spellings):
                    self._waiting[index] = (fault, times - 1)
                    return fault
        return None

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._waiting.clear()


class ConnectionLost(Exception):
    """The answer ended before its time, as it was meant to."""


async def answer_in_place(fault: Fault, send: Send) -> None:
    """Send the answer that `fault` puts in the true one's place."""
    body = fault.body.encode() if isinstance(fault.body, str) else fault.body or b'{"error": "injected fault"}'
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    headers |= {name.lower(): value for name, value in fault.headers.items()}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": fault.status or 200, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Reset the connection without a word."""
    transport: asyncio.Transport = scope["demo.transport"]
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_WITH_RESET)
    transport.abort()
    await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Spoiler:
    """A `send` that spoils the body passing through it as `fault` says."""

    def __init__(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        self._fault, self._scope, self._receive, self._send = fault, scope, receive, send
        self._sent = 0

    async def __call__(self, message: Message) -> None:
        """Pass one message on.

        Raises:
            ConnectionLost: the connection is gone, so there is no point in going on.
        """
        if message["type"] == "http.response.start":
            extra = [(name.lower().encode(), value.encode()) for name, value in self._fault.headers.items()]
            named = {name for name, _ in extra}
            kept = [(name, value) for name, value in message["headers"] if name.lower() not in named]
            await self._send({**message, "headers": kept + extra})
        else:
            await self._body(message)

    async def _body(self, message: Message) -> None:
        body: bytes = message.get("body", b"")
        if self._fault.corrupt and body and self._sent == 0:
            body = bytes([body[0] ^ 0xFF]) + body[1:]
        for end in (self._fault.cut_at, self._fault.stall_at):
            if end is not None and self._sent + len(body) >= end:
                await self._send({**message, "body": body[: end - self._sent], "more_body": True})
                await self._lose(close=end == self._fault.cut_at)
        self._sent += len(body)
        await self._pass_on(message, body)

    async def _pass_on(self, message: Message, body: bytes) -> None:
        if self._fault.drip_s:
            while len(body) > DRIP_BYTES:
                await self._send({**message, "body": body[:DRIP_BYTES], "more_body": True})
                body = body[DRIP_BYTES:]
                await asyncio.sleep(self._fault.drip_s)
        await self._send({**message, "body": body})

    async def _lose(self, *, close: bool) -> None:
        if close:
            self._scope["demo.transport"].close()
        await _until_gone(self._receive)
        raise ConnectionLost
