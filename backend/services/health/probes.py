"""Measurements a health page takes: how fast a part answers, room on disk, memory, the queue."""

import asyncio
import mmap
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio.to_thread

from backend.domain.job import JobState
from backend.services.clock import Clock
from backend.storage.base import Jobs

PING_SECONDS = 1.0
"""How long a part may take to answer; a health page that waits for longer is of no use."""
PAGE = 100
MAX_LOOKED_AT = 500
"""Waiting jobs looked through for one that is due; the rest of the queue is only counted."""


class Ping:
    """Asks one part whether it is there; never has more than one question to it under way.

    Askers who come meanwhile share the answer, so a part that hangs holds one task up, and not one for each look.
    """

    def __init__(self, ask: Callable[[], Awaitable[None]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[float] | None = None

    async def milliseconds(self) -> float:
        """How long the part took to answer.

        Raises:
            TimeoutError: it has not answered in `PING_SECONDS`; and whatever the part itself raises.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._timed())
            self._asking.add_done_callback(_look_at)
        async with asyncio.timeout(PING_SECONDS):
            return await asyncio.shield(self._asking)

    async def _timed(self) -> float:
        began = time.perf_counter()
        await self._ask()
        return round((time.perf_counter() - began) * 1000, 3)

    async def close(self) -> None:
        """Give up a question that is still open."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)


def _look_at(task: asyncio.Task[float]) -> None:
    """Fetch the failure of a question whose askers have gone, which asyncio would complain about."""
    if not task.cancelled():
        task.exception()


@dataclass(frozen=True, slots=True)
class Room:
    """Space on a disk, in bytes."""

    free: int
    total: int

    @property
    def free_percent(self) -> float:
        """Free share in percent."""
        return round(100 * self.free / self.total, 1) if self.total else 0.0


async def room_at(folder: Path) -> Room:
    """Space where `folder` is, or will be once it is made.

    Raises:
        OSError: the disk does not say.
    """
    return await anyio.to_thread.run_sync(_room_at, folder)


def _room_at(folder: Path) -> Room:
    absolute = folder.absolute()
    there = next(place for place in (absolute, *absolute.parents) if place.exists())
    usage = shutil.disk_usage(there)
    return Room(usage.free, usage.total)


def memory_bytes() -> int | None:
    """Resident memory of this process; None where the system has no such file to read it from."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * mmap.PAGESIZE


@dataclass(frozen=True, slots=True)
class Queue:
    """The job table at a glance; `waited_s` is how long the oldest job that is due has waited, 0 when none is."""

    counts: dict[JobState, int]
    waited_s: float


async def look_at_queue(jobs: Jobs, now: Clock) -> Queue:
    """Count jobs by state, and find the one that has waited for longest."""
    counts = await jobs.job_counts()
    waited = await _longest_wait(jobs, now()) if counts[JobState.QUEUED] else 0.0
    return Queue(counts, waited)


async def _longest_wait(jobs: Jobs, now: datetime) -> float:
    """Seconds that the first due job has waited: ids are in order of creation, so the first is the oldest."""
    after: str | None = None
    for _ in range(MAX_LOOKED_AT // PAGE):
        page = await jobs.jobs(states=[JobState.QUEUED], after=after, limit=PAGE)
        for job in page.items:
            if job.not_before <= now:
                return max(0.0, (now - job.not_before).total_seconds())
        after = page.after
        if after is None:
            break
    return 0.0
