"""What the stand-in was asked, and when."""

import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """One request: times are seconds on the monotonic clock, `ended` is None while it is being answered.

    `path` is decoded and without its query; header names are in lower case.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    started: float
    ended: float | None = None
    status: int | None = None


@dataclass(slots=True)
class Journal:
    """All requests in the order they came."""

    _seen: list[Seen] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Seen:
        """Note that a request has come in."""
        seen = Seen(method, path, query, headers, started=time.monotonic())
        with self._lock:
            self._seen.append(seen)
        return seen

    def matching(self, pattern: str = "") -> list[Seen]:
        """The requests whose path matches somewhere, oldest first."""
        with self._lock:
            return [seen for seen in self._seen if re.search(pattern, seen.path)]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._seen.clear()


def waves(requests: Iterable[Seen]) -> int:
    """How many batches the requests came in: the longest chain of which each began after the one before had ended.

    Requests that overlap in time are in one wave, so the figure means something only where answers take a while. It is
    what a caller waits, counted in round trips, however many requests share one.
    """
    count, over = 0, float("-inf")
    for seen in sorted(requests, key=lambda seen: float("inf") if seen.ended is None else seen.ended):
        if seen.started >= over:
            count += 1
            over = float("inf") if seen.ended is None else seen.ended
    return count
