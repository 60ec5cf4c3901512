"""How the registry is: what was asked of it lately, and how its parts answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from backend.domain.errors import NotAllowed, RegistryError
from backend.domain.job import JobState
from backend.domain.user import User
from backend.services.clock import Clock
from backend.services.health import judge
from backend.services.health.gauge import Gauge
from backend.services.health.logbook import Logbook, Part
from backend.services.health.probes import (
    PING_SECONDS,
    Ping,
    Queue,
    Room,
    look_at_queue,
    memory_bytes,
    room_at,
)
from backend.services.health.pulse import Pulse
from backend.services.health.report import Component, Finding, Point, Status, worst, worst_first
from backend.services.health.thresholds import Thresholds
from backend.services.health.traffic import TrafficLog
from backend.sources.hub_watch import Hub, HubWatch
from backend.storage.base import BlobStore, MetadataStore

log = structlog.get_logger()

SAMPLE_SECONDS = 20.0
"""How often the parts are looked at when nobody asks, so that the timelines have something to show."""
CENSUS_SECONDS = 600.0
"""How often stored bytes are added up, for which every blob is listed."""

NAMES: Mapping[Part, tuple[str, str]] = {
    Part.API: ("HTTP API", "Answers requests; latencies are to the first byte."),
    Part.METADATA: ("Metadata store", "Artifacts, ratings, links, jobs and audit."),
    Part.BLOBS: ("Blob store", "Contents of mirrored files."),
    Part.WORKER: ("Ingest worker", "Runs ingests, ratings, benchmarks, and copies files."),
    Part.HUGGINGFACE: ("Hugging Face", "Where models and datasets are read from."),
    Part.GITHUB: ("GitHub", "Where code is read from."),
    Part.DISK: ("Disk", "Space for DATA_DIR."),
}
TOKENS = {Hub.HUGGINGFACE: "HF_TOKEN", Hub.GITHUB: "GITHUB_TOKEN"}


@dataclass(frozen=True, slots=True)
class Observers:
    """What watches the registry at work; each is fed by the part it watches."""

    traffic: TrafficLog
    pulse: Pulse
    hubs: HubWatch
    logbook: Logbook


class Health:
    """Looks at every part when asked, and now and then by itself."""

    def __init__(
        self,
        store: MetadataStore,
        blobs: BlobStore,
        observers: Observers,
        *,
        data_dir: Path,
        worker_inside: bool,
        lease_s: float,
        now: Clock,
        limits: Thresholds | None = None,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._observers = observers
        self._data_dir = data_dir
        self._limits = limits or Thresholds()
        self._silent_after_s = max(self._limits.worker_silent_s, lease_s)
        self._now = now
        self._pings = {Part.METADATA: Ping(store.ping), Part.BLOBS: Ping(blobs.ping)}
        self._gauges = {
            Part.METADATA: Gauge("ping ms", now=now),
            Part.BLOBS: Gauge("ping ms", now=now),
            Part.WORKER: Gauge("queued jobs", now=now),
            Part.DISK: Gauge("free %", now=now),
        }
        self.worker_inside = worker_inside
        self.started_at = now()
        self.blob_bytes: int | None = None
        """Bytes of all stored blobs as of the last census; None before the first."""

    @property
    def traffic(self) -> TrafficLog:
        """What was asked of the registry."""
        return self._observers.traffic

    @property
    def pulse(self) -> Pulse:
        """What the worker in this process got done."""
        return self._observers.pulse

    async def components(self, minutes: int) -> list[Component]:
        """Every component, the worst first; `minutes` is the window of the API's figures."""
        metadata, blobs, queue, room = await asyncio.gather(
            self._storage(Part.METADATA), self._storage(Part.BLOBS), self.queue(), self._room()
        )
        now = self._now()
        worker = judge.judge_worker(
            queue,
            self.pulse,
            self._limits,
            inside=self.worker_inside,
            now=now,
            silent_after_s=self._silent_after_s,
        )
        found = {
            Part.API: self._api(minutes),
            Part.METADATA: metadata,
            Part.BLOBS: blobs,
            Part.WORKER: worker,
            **{Part(hub): self._hub(hub, now) for hub in Hub},
            Part.DISK: judge.judge_disk(room, self._limits),
        }
        return worst_first([_component(part, finding, now) for part, finding in found.items()])

    def timeline(self, part: str, minutes: int) -> list[Point]:
        """A component's figures by the minute, for the minutes in which there were any; a hub has none."""
        if part == Part.API:
            return self.traffic.timeline(minutes)
        gauge = self._gauges.get(Part(part))
        return gauge.timeline(minutes) if gauge else []

    def logs(self, viewer: User, part: Part, lines: int) -> list[str]:
        """The last log lines of a component, as JSON each, oldest first.

        Raises:
            NotAllowed: the viewer is not an administrator.
        """
        if not viewer.is_admin:
            raise NotAllowed("only an administrator may read logs")
        return self._observers.logbook.tail(part, lines)

    def last_logged(self, part: Part) -> datetime | None:
        """When a component last wrote to its log; None when it has not in this process."""
        return self._observers.logbook.updated_at(part)

    async def queue(self) -> Queue | None:
        """The job table at a glance; None when it does not answer."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                queue = await look_at_queue(self._store, self._now)
        except Exception:  # noqa: BLE001 -- a health page reports whatever keeps a part from answering, as unknown
            return None
        self._gauges[Part.WORKER].record(queue.counts[JobState.QUEUED])
        return queue

    async def watch(self) -> None:
        """Look at the parts now and then until cancelled; log when the whole turns better or worse."""
        status, since_census = Status.OK, CENSUS_SECONDS
        try:
            while True:
                await asyncio.sleep(SAMPLE_SECONDS)
                components = await self.components(self._limits.error_window_minutes)
                if worst(components) is not status:
                    self._tell(components)
                    status = worst(components)
                since_census += SAMPLE_SECONDS
                if since_census >= CENSUS_SECONDS:
                    since_census = 0.0
                    await self._take_census()
        finally:
            for ping in self._pings.values():
                await ping.close()

    def _tell(self, components: list[Component]) -> None:
        for component in components:
            for issue in component.issues:
                event = f"{component.id if component.id != Part.WORKER else 'worker'}.{issue.code}"
                log.warning(event, status=component.status, summary=issue.summary)

    async def _take_census(self) -> None:
        try:
            self.blob_bytes = sum([blob.size_bytes async for blob in self._blobs.list()])
        except RegistryError as failure:
            log.warning("blobs.not_counted", detail=str(failure))

    def _api(self, minutes: int) -> Finding:
        shown = self.traffic.within(minutes)
        lately = self.traffic.within(self._limits.error_window_minutes)
        return judge.judge_api(shown, lately, self._limits, memory_bytes())

    async def _storage(self, part: Part) -> Finding:
        ping_ms, failure = None, None
        try:
            ping_ms = await self._pings[part].milliseconds()
            self._gauges[part].record(ping_ms)
        except Exception as met:  # noqa: BLE001 -- a health page reports whatever keeps a part from answering
            failure = met
        return judge.judge_storage(part, NAMES[part][0], ping_ms, failure)

    async def _room(self) -> Room | None:
        try:
            async with asyncio.timeout(PING_SECONDS):
                room = await room_at(self._data_dir)
        except (OSError, TimeoutError):
            return None
        self._gauges[Part.DISK].record(room.free_percent)
        return room

    def _hub(self, hub: Hub, now: datetime) -> Finding:
        return judge.judge_hub(hub, TOKENS[hub], self._observers.hubs.seen[hub], self._limits, now)


def _component(part: Part, finding: Finding, now: datetime) -> Component:
    name, purpose = NAMES[part]
    return Component(part, name, purpose, finding.status, now, finding.metrics, finding.issues, finding.last_event_at)
