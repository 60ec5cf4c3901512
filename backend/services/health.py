"""How the registry is: what was asked of it lately, and how its parts answer."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from backend.domain.job import JobState
from backend.services.clock import Clock
from backend.storage.base import BlobStore, MetadataStore

MAX_WINDOW_MINUTES = 1440
MAX_CLIENTS_A_MINUTE = 10_000
"""Distinct clients counted in one minute; past it the figure is a floor, and memory stays bounded."""
PING_SECONDS = 2.0


class Status(StrEnum):
    """The contract's words, best first."""

    OK = "ok"
    DEGRADED = "degraded"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Minute:
    """Counts of one minute."""

    start: datetime
    routes: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    clients: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was asked within a window."""

    start: datetime
    end: datetime
    routes: Mapping[str, int]
    types: Mapping[str, int]
    errors: int
    clients: int

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.routes.values())


class TrafficLog:
    """Counts requests by the minute, a constant amount of work each, for the last day."""

    def __init__(self, *, now: Clock) -> None:
        self._now = now
        self._minutes: deque[Minute] = deque(maxlen=MAX_WINDOW_MINUTES)

    def count(self, route: str, kind: str | None, client: str, *, failed: bool) -> None:
        """Record one answered request: its route's template, the artifact type it named, who asked."""
        start = self._now().replace(second=0, microsecond=0)
        if not self._minutes or self._minutes[-1].start < start:
            self._minutes.append(Minute(start))
        minute = self._minutes[-1]
        minute.routes[route] += 1
        minute.errors += failed
        if kind is not None:
            minute.types[kind] += 1
        if len(minute.clients) < MAX_CLIENTS_A_MINUTE:
            minute.clients.add(client)

    def within(self, minutes: int) -> Traffic:
        """Sum up the last `minutes`."""
        end = self._now()
        start = end - timedelta(minutes=minutes)
        window = [minute for minute in self._minutes if minute.start >= start - timedelta(minutes=1)]
        return Traffic(
            start=start,
            end=end,
            routes=sum((minute.routes for minute in window), Counter()),
            types=sum((minute.types for minute in window), Counter()),
            errors=sum(minute.errors for minute in window),
            clients=len(set().union(*(minute.clients for minute in window))),
        )

    def per_minute(self, minutes: int) -> list[tuple[datetime, int]]:
        """Requests in each minute of the window that had any, oldest first."""
        start = self._now() - timedelta(minutes=minutes)
        return [(minute.start, minute.routes.total()) for minute in self._minutes if minute.start >= start]


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that keeps a component from being well."""

    code: str
    severity: str
    summary: str
    details: str


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the registry as it was found at `observed_at`."""

    id: str
    display_name: str
    description: str
    status: Status
    observed_at: datetime
    metrics: Mapping[str, float | int | str | bool]
    issues: tuple[Issue, ...] = ()


class Health:
    """Looks at every part when asked."""

    def __init__(
        self, store: MetadataStore, blobs: BlobStore, traffic: TrafficLog, *, worker_inside: bool, now: Clock
    ) -> None:
        self._store = store
        self._blobs = blobs
        self.traffic = traffic
        self._worker_inside = worker_inside
        self._now = now
        self.started_at = now()

    async def components(self, minutes: int) -> list[Component]:
        """Every component, the worst first."""
        found = await asyncio.gather(
            self._storage("metadata", "Metadata store", "Artifacts, ratings, links, jobs and audit.", self._store.ping),
            self._storage("blobs", "Blob store", "Contents of mirrored files.", self._blobs.ping),
            self._jobs(),
        )
        components = [self._api(minutes), *found]
        severity = [Status.CRITICAL, Status.DEGRADED, Status.UNKNOWN, Status.OK]
        return sorted(components, key=lambda component: severity.index(component.status))

    def _api(self, minutes: int) -> Component:
        traffic = self.traffic.within(minutes)
        metrics = {"requests": traffic.total, "errors": traffic.errors, "unique_clients": traffic.clients}
        return Component("api", "HTTP API", "Answers requests.", Status.OK, self._now(), metrics)

    async def _storage(self, id_: str, name: str, purpose: str, ping: Callable[[], Awaitable[None]]) -> Component:
        began = time.perf_counter()
        try:
            await asyncio.wait_for(ping(), PING_SECONDS)
        except Exception as failure:  # noqa: BLE001 -- a health page reports whatever keeps a part from answering
            issue = Issue(
                f"{id_}-unreachable",
                "error",
                f"the {name.lower()} does not answer",
                f"{type(failure).__name__}; requests that need it get 503 until it is back",
            )
            return Component(id_, name, purpose, Status.CRITICAL, self._now(), {}, (issue,))
        metrics = {"ping_ms": round((time.perf_counter() - began) * 1000, 3)}
        return Component(id_, name, purpose, Status.OK, self._now(), metrics)

    async def _jobs(self) -> Component:
        purpose = "Runs ingests and copies files, inside the server." if self._worker_inside else "Runs elsewhere."
        try:
            counts = await asyncio.wait_for(self._store.job_counts(), PING_SECONDS)
        except Exception as failure:  # noqa: BLE001 -- a health page reports whatever keeps a part from answering
            issue = Issue("jobs-unreachable", "error", "the job table does not answer", type(failure).__name__)
            return Component("ingest-worker", "Ingest worker", purpose, Status.UNKNOWN, self._now(), {}, (issue,))
        dead = counts[JobState.DEAD]
        issues: tuple[Issue, ...] = ()
        if dead:
            details = "GET /ingest/jobs?state=dead lists them with their last error"
            issues = (Issue("dead-jobs", "warning", f"{dead} jobs were given up", details),)
        status = Status.DEGRADED if dead else Status.OK
        metrics = {state.value: count for state, count in counts.items()}
        return Component("ingest-worker", "Ingest worker", purpose, status, self._now(), metrics, issues)


def worst(components: Sequence[Component]) -> Status:
    """The status of the whole: that of its worst part."""
    order = [Status.OK, Status.UNKNOWN, Status.DEGRADED, Status.CRITICAL]
    return max((component.status for component in components), key=order.index, default=Status.UNKNOWN)
