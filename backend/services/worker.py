"""Run jobs: claim under a lease, keep the lease alive, carry out, and end or hand back."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

import structlog

from backend.domain.errors import Conflict, LeaseLost, RegistryError, Unavailable, UpstreamFailed
from backend.domain.ids import new_id
from backend.domain.job import Claim, Job, JobError, JobKind, Progress
from backend.services.clock import Clock
from backend.services.health.pulse import Pulse
from backend.services.jobs import JobBoard, Report, as_job_error
from backend.services.upkeep import Upkeep
from backend.storage.base import Jobs

log = structlog.get_logger()

IDLE_SECONDS = 1.0
"""How long an idle worker sleeps before it looks for work that another process queued or left behind."""
PASSING = (UpstreamFailed, Unavailable, Conflict)
"""Failures that another try may not meet."""
RETRY_SECONDS = (5, 30, 120, 600)
"""Pauses before each further try of a job whose source failed."""
SWEEP_SECONDS = 3600.0
MIRROR_PLACES = 2
"""Mirroring is bound by the network; two at a time leave ingests their share of it."""

RATE_PLACES = 2
"""Ratings that nobody waits for; two leave the hubs' rate limits to ingests."""


class Handler(Protocol):
    """Carries out one kind of job; it commits its own outcome, or raises."""

    async def run(self, job: Job, report: Report) -> None:
        """Carry out `job`, recording how far it is through `report`."""
        ...


@dataclass(frozen=True, slots=True)
class Lane:
    """A kind of job, who carries it out, how many at once, and whether a failing source is worth another try."""

    kind: JobKind
    handler: Handler
    places: int
    retries: bool
    closes_itself: bool
    """True when the handler's own commit ends the job."""


async def _kept_up(duty: Callable[[], Awaitable[None]]) -> None:
    """Do a duty that has no end, and take it up again should it break: one fault must not stop all work in silence."""
    while True:
        try:
            await duty()
        except Exception:
            log.exception("worker.broke")
            await asyncio.sleep(IDLE_SECONDS)


class Worker:
    """Runs jobs until it is stopped."""

    def __init__(
        self,
        store: Jobs,
        board: JobBoard,
        lanes: Sequence[Lane],
        upkeep: Upkeep,
        *,
        lease_s: float,
        now: Clock,
        pulse: Pulse | None = None,
    ) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{new_id()[-8:]}"
        self._store = store
        self._board = board
        self._lanes = lanes
        self._upkeep = upkeep
        self._lease_s = lease_s
        self._now = now
        self._pulse = pulse or Pulse(now=now)
        self._running: dict[str, tuple[Claim, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Work until cancelled; jobs that are under way then are left to their lease, and taken up again."""
        self._pulse.beat()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_kept_up(self._keep_leases))
            tasks.create_task(_kept_up(self._sweep))
            for lane in self._lanes:
                tasks.create_task(_kept_up(partial(self._serve, lane)))

    # -- claiming --------------------------------------------------------------------------------------------------

    async def _serve(self, lane: Lane) -> None:
        free = asyncio.Semaphore(lane.places)
        with self._board.subscribed(lane.kind) as wake:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await free.acquire()
                    job = await self._next(lane, wake)
                    task = tasks.create_task(self._attempt(lane, job))
                    self._running[job.id] = (job.claim, task)
                    task.add_done_callback(partial(self._ended, job, free))

    def _ended(self, job: Job, free: asyncio.Semaphore, task: asyncio.Task[None]) -> None:
        if self._running.get(job.id, (None, None))[1] is task:
            del self._running[job.id]
        free.release()
        self._board.announce_end(job.id)

    async def _next(self, lane: Lane, wake: asyncio.Event) -> Job:
        """Wait for the next job of a lane; a store that does not answer is asked again, not given up on."""
        while True:
            wake.clear()
            self._pulse.beat()
            try:
                job = await self._claim(lane)
            except Unavailable as outage:
                log.warning("worker.store_unavailable", detail=str(outage))
                job = None
            if job is not None:
                return job
            with contextlib.suppress(TimeoutError):  # not wait_for: until Python 3.12 it can swallow a cancellation
                async with asyncio.timeout(IDLE_SECONDS):
                    await wake.wait()

    async def _claim(self, lane: Lane) -> Job | None:
        now = self._now()
        until = now + timedelta(seconds=self._lease_s)
        job = await self._store.claim([lane.kind], worker=self.name, now=now, lease_until=until)
        if job is not None:
            log.info("job.claimed", job=job.id, kind=job.kind, artifact=job.artifact_id, attempt=job.tries)
        return job

    # -- carrying out ----------------------------------------------------------------------------------------------

    async def _attempt(self, lane: Lane, job: Job) -> None:
        async def report(progress: Progress) -> None:
            await self._store.report(job.claim, progress, now=self._now())

        try:
            await lane.handler.run(job, report)
            if not lane.closes_itself:
                await self._store.finish(job.claim, error=None, now=self._now())
            self._pulse.job_ended(job.kind, "done")
            log.info("job.done", job=job.id, kind=job.kind, artifact=job.artifact_id)
        except LeaseLost as lost:
            self._pulse.job_ended(job.kind, "lost")
            log.info("job.lost", job=job.id, detail=str(lost))
        except RegistryError as failure:
            await self._end(lane, job, as_job_error(failure), may_retry=isinstance(failure, PASSING))
        except Exception as failure:
            log.exception("job.broke", job=job.id, kind=job.kind)
            error = JobError("Unavailable", f"the registry failed at this ({type(failure).__name__}); try again later")
            await self._end(lane, job, error, may_retry=False)

    async def _end(self, lane: Lane, job: Job, error: JobError, *, may_retry: bool) -> None:
        self._pulse.job_ended(job.kind, error.code)
        log.info("job.failed", job=job.id, kind=job.kind, code=error.code, detail=error.detail)
        now = self._now()
        try:
            if lane.retries and may_retry:
                pause = RETRY_SECONDS[min(job.tries, len(RETRY_SECONDS)) - 1]
                pause = max(pause, error.extra.get("retry_after_s") or 0)
                await self._store.retry(job.claim, not_before=now + timedelta(seconds=pause), error=error, now=now)
            else:
                await self._store.finish(job.claim, error=error, now=now)
        except (LeaseLost, Unavailable) as lost:
            log.info("job.lost", job=job.id, detail=str(lost))

    # -- beside the work -------------------------------------------------------------------------------------------

    async def _keep_leases(self) -> None:
        """Renew all leases together, three times a lease; stop whatever turns out to be lost.

        A task that is cancelled so does not disturb its group: the others go on.
        """
        while True:
            await asyncio.sleep(self._lease_s / 3)
            self._pulse.beat()
            held = dict(self._running)
            if not held:
                continue
            until = self._now() + timedelta(seconds=self._lease_s)
            try:
                kept = await self._store.renew([claim for claim, _ in held.values()], lease_until=until)
            except Unavailable:
                continue  # the fence protects what is written meanwhile
            for job_id in held.keys() - kept:
                held[job_id][1].cancel()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                swept = await self._upkeep.sweep()
            except Unavailable as outage:
                log.warning("sweep.unavailable", detail=str(outage))
            else:
                log.info("sweep.done", blobs=swept)


def lanes(handlers: Mapping[JobKind, Handler], *, ingest_places: int) -> list[Lane]:
    """Ingests have places of their own, since somebody waits for them; the rest goes on behind."""
    return [
        Lane(JobKind.INGEST, handlers[JobKind.INGEST], ingest_places, retries=False, closes_itself=True),
        Lane(JobKind.MIRROR, handlers[JobKind.MIRROR], MIRROR_PLACES, retries=True, closes_itself=False),
        Lane(JobKind.RATE, handlers[JobKind.RATE], RATE_PLACES, retries=True, closes_itself=True),
        Lane(JobKind.RELINK, handlers[JobKind.RELINK], 1, retries=True, closes_itself=False),
        Lane(JobKind.BENCHMARK, handlers[JobKind.BENCHMARK], 1, retries=False, closes_itself=False),
    ]
