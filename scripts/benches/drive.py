"""A client that costs little: plain sockets, ready requests, answers measured rather than parsed.

`python drive.py ORDER` reads a JSON order (see `Load`) and prints what came of it as JSON. It is a process of
its own, so that its work is never counted as the server's.
"""

import json
import re
import selectors
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path

STALL_S = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: `requests` are whole HTTP/1.1 requests, taken in turn by all connections.

    Ends after `seconds`, or after `count` requests; with `once`, also when each request has been sent.
    """

    port: int
    requests: Sequence[str]
    connections: int = 16
    seconds: float = 3.0
    count: int | None = None
    once: bool = False


@dataclass(slots=True)
class Outcome:
    """What came back: answers by status, the wall time they took, their bytes, and latencies in milliseconds."""

    answers: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    body_bytes: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0

    @property
    def total(self) -> int:
        """All answers."""
        return sum(self.answers.values())


class Stalled(Exception):
    """The server closed a connection, or said nothing for too long."""


@dataclass(slots=True)
class _Connection:
    """One keep-alive connection: what it has read of the present answer, and when it asked."""

    socket: socket.socket
    read: bytearray = field(default_factory=bytearray)
    whole: int | None = None
    asked_at: float = 0.0


def drive(load: Load) -> Outcome:
    """Send the load and wait for every answer.

    Raises:
        Stalled: an answer never came.
    """
    waiting = _take(load)
    outcome, latencies = Outcome(), list[float]()
    selector = selectors.DefaultSelector()
    began = time.perf_counter()
    ends = began + load.seconds if load.count is None else float("inf")
    open_connections = 0
    for _ in range(load.connections):
        connection = _Connection(_connect(load.port))
        if _ask(connection, waiting):
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            open_connections += 1
    while open_connections:
        ready = selector.select(STALL_S)
        if not ready:
            raise Stalled(f"no answer for {STALL_S:g} s")
        for key, _events in ready:
            connection = key.data
            if not _receive(connection, outcome):
                continue
            now = time.perf_counter()
            latencies.append(now - connection.asked_at)
            if now >= ends or not _ask(connection, waiting):
                selector.unregister(connection.socket)
                connection.socket.close()
                open_connections -= 1
    outcome.seconds = time.perf_counter() - began
    latencies.sort()
    outcome.p50_ms = latencies[len(latencies) // 2] * 1000
    outcome.p99_ms = latencies[len(latencies) * 99 // 100] * 1000
    return outcome


def _take(load: Load) -> Iterator[bytes]:
    requests = [request.encode("latin-1") for request in load.requests]
    endless = iter(requests) if load.once else cycle(requests)
    return endless if load.count is None else (next(endless) for _ in range(load.count))


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _ask(connection: _Connection, waiting: Iterator[bytes]) -> bool:
    """Send the next request; False when there is none."""
    request = next(waiting, None)
    if request is None:
        return False
    connection.asked_at = time.perf_counter()
    connection.socket.sendall(request)
    return True


def _receive(connection: _Connection, outcome: Outcome) -> bool:
    """Read what is there; True when that completes the answer."""
    piece = connection.socket.recv(_PIECE)
    if not piece:
        raise Stalled(f"the server closed the connection after {bytes(connection.read[:200])!r}")
    connection.read += piece
    if connection.whole is None:
        head = connection.read.find(b"\r\n\r\n")
        if head < 0:
            return False
        length = _LENGTH.search(connection.read, 0, head)
        connection.whole = head + 4 + (int(length[1]) if length else 0)
    if len(connection.read) < connection.whole:
        return False
    status = connection.read[9:12].decode()
    outcome.answers[status] = outcome.answers.get(status, 0) + 1
    outcome.body_bytes += connection.whole
    connection.read.clear()
    connection.whole = None
    return True


def main() -> int:
    """Carry out the order in the file that is named."""
    try:
        outcome = drive(Load(**json.loads(Path(sys.argv[1]).read_text())))
    except (Stalled, OSError) as failed:
        sys.stderr.write(f"{failed}\n")
        return 1
    print(json.dumps(asdict(outcome)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
