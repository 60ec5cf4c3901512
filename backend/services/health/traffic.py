"""Requests, counted by the minute over the last day: the same small amount of work each, and bounded memory."""

from array import array
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from backend.services.clock import Clock
from backend.services.health.latency import BUCKETS, bucket_of, percentile
from backend.services.health.report import Point
from backend.services.health.tally import RequestTally

MAX_WINDOW_MINUTES = 1440
MAX_CLIENTS = 50_000
"""Clients remembered; past it the one that was silent for longest is forgotten, and the figure is a floor."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CLIENT_ERROR, BAD_GATEWAY, SERVER_ERROR = 400, 502, 500


def _no_latencies() -> "array[int]":
    return array("L", [0]) * BUCKETS


@dataclass(slots=True)
class Totals:
    """Counts since the start."""

    routes: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    client_errors: int = 0
    server_errors: int = 0
    upstream_errors: int = 0
    latencies: "array[int]" = field(default_factory=_no_latencies)

    def copy(self) -> "Totals":
        """The counts as they stand."""
        errors = (self.client_errors, self.server_errors, self.upstream_errors)
        return Totals(Counter(self.routes), Counter(self.types), *errors, self.latencies[:])


@dataclass(slots=True)
class Minute:
    """One minute: the totals when it began, and its own figures that the timeline shows.

    With the totals a window of a day is summed up by one subtraction, whoever asks for it.
    """

    start: datetime
    before: Totals
    requests: int = 0
    server_errors: int = 0
    latencies: "array[int]" = field(default_factory=_no_latencies)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was asked within a window.

    `server_errors` holds all answers of 5xx, `upstream_errors` those among them that pass on a hub's failure.
    """

    start: datetime
    end: datetime
    routes: Mapping[str, int]
    types: Mapping[str, int]
    client_errors: int
    server_errors: int
    upstream_errors: int
    clients: int
    latencies: "array[int]"

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.routes.values())

    def latency_ms(self, share: float) -> float | None:
        """The time to the first byte that `share` of the requests stayed within; None when there were none."""
        return percentile(self.latencies, share)


class TrafficLog:
    """Counts answered requests."""

    def __init__(self, *, now: Clock) -> None:
        self._now = now
        self._minutes: deque[Minute] = deque(maxlen=MAX_WINDOW_MINUTES + 1)
        self._totals = Totals()
        self._last_seen: OrderedDict[str, datetime] = OrderedDict()
        self.tally = RequestTally()

    def count(self, method: str, route: str, kind: str | None, client: str, *, status: int, seconds: float) -> None:
        """Record one request: its route's template, the artifact type it named, who asked, how it was answered.

        `seconds` is the time to the first byte. Templates and types are few; a method nobody knows is `OTHER`.
        """
        now = self._now()
        method = method if method in METHODS else "OTHER"
        minute, totals = self._minute(now), self._totals
        failed, bucket = status >= SERVER_ERROR, bucket_of(seconds * 1000)
        minute.requests += 1
        minute.server_errors += failed
        minute.latencies[bucket] += 1
        totals.routes[f"{method} {route}"] += 1
        totals.client_errors += CLIENT_ERROR <= status < SERVER_ERROR
        totals.server_errors += failed
        totals.upstream_errors += status == BAD_GATEWAY
        totals.latencies[bucket] += 1
        if kind is not None:
            totals.types[kind] += 1
        self._remember(client, now)
        self.tally.count(method, route, status, seconds)

    def _minute(self, now: datetime) -> Minute:
        start = now.replace(second=0, microsecond=0)
        if not self._minutes or self._minutes[-1].start < start:
            self._minutes.append(Minute(start, self._totals.copy()))
        return self._minutes[-1]

    def _remember(self, client: str, now: datetime) -> None:
        self._last_seen[client] = now
        self._last_seen.move_to_end(client)
        if len(self._last_seen) > MAX_CLIENTS:
            self._last_seen.popitem(last=False)

    def within(self, minutes: int) -> Traffic:
        """Sum up the last `minutes`; a minute that lies in the window in part counts whole."""
        end = self._now()
        start = end - timedelta(minutes=minutes)
        window = (minute for minute in self._minutes if minute.start > start - timedelta(minutes=1))
        first = next(window, None)
        total = self._totals
        before = first.before if first else total
        return Traffic(
            start=start,
            end=end,
            routes=total.routes - before.routes,
            types=total.types - before.types,
            client_errors=total.client_errors - before.client_errors,
            server_errors=total.server_errors - before.server_errors,
            upstream_errors=total.upstream_errors - before.upstream_errors,
            clients=self._clients_since(start),
            latencies=array("L", (now - then for now, then in zip(total.latencies, before.latencies, strict=True))),
        )

    def _clients_since(self, start: datetime) -> int:
        """Clients last seen within a window that ends now are exactly those seen in it at all."""
        found = 0
        for seen in reversed(self._last_seen.values()):
            if seen < start:
                break
            found += 1
        return found

    def timeline(self, minutes: int) -> list[Point]:
        """Requests, p95 and server errors of each minute of the window that had requests, oldest first."""
        start = self._now() - timedelta(minutes=minutes)
        points: list[Point] = []
        for minute in self._minutes:
            if minute.start >= start:
                points += [
                    Point(minute.start, minute.requests, "requests/min"),
                    Point(minute.start, percentile(minute.latencies, 0.95) or 0.0, "p95 ms"),
                    Point(minute.start, minute.server_errors, "errors/min"),
                ]
        return points
