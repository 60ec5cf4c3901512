"""Hand work to the job table, wake the worker, and wait for the outcome."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from backend.domain import errors
from backend.domain.errors import NotFound, RegistryError
from backend.domain.job import Job, JobError, JobKind, JobState, Progress
from backend.domain.page import Page
from backend.domain.user import User
from backend.storage.base import Jobs

Report = Callable[[Progress], Awaitable[None]]
"""Records how far a running job is."""

POLL_SECONDS = 0.25
"""How often a waiter looks into the table for a job that another process may have ended."""


def as_job_error(error: RegistryError) -> JobError:
    """Write an error down so that `raise_again` can rebuild it, in this process or another."""
    extra = {name: value for name, value in vars(error).items() if name != "fields"}
    return JobError(code=error.code, detail=str(error), extra=extra)


def raise_again(recorded: JobError) -> None:
    """Raise the domain error that a job recorded.

    Raises:
        RegistryError: always; a job that died without an error of its own reports as `Unavailable`.
    """
    cls = getattr(errors, recorded.code, None)
    if not (isinstance(cls, type) and issubclass(cls, RegistryError)):
        raise errors.Unavailable(recorded.detail)
    extra: Mapping[str, Any] = recorded.extra
    raise cls(recorded.detail, **extra)


class JobBoard:
    """The job table as services see it: submit, watch, wait."""

    def __init__(self, store: Jobs) -> None:
        self._store = store
        self._endings: dict[str, list[asyncio.Event]] = defaultdict(list)
        self._wakes: list[tuple[JobKind | None, asyncio.Event]] = []

    @contextmanager
    def subscribed(self, kind: JobKind | None = None) -> Iterator[asyncio.Event]:
        """An event of the caller's own, set whenever there may be something to claim, of one kind or of any."""
        wake = asyncio.Event()
        entry = (kind, wake)
        self._wakes.append(entry)
        try:
            yield wake
        finally:
            self._wakes.remove(entry)

    def wake(self, only: JobKind | None = None) -> None:
        """Say that there may be something to claim, of any kind or only of one."""
        for kind, wake in self._wakes:
            if only is None or kind is None or kind is only:
                wake.set()

    async def submit(self, job: Job) -> None:
        """Store a job durably and wake the worker."""
        await self._store.enqueue(job)
        self.wake(job.kind)

    def announce_end(self, job_id: str) -> None:
        """Tell whoever waits in this process that a job has ended; also wakes the worker for what the job queued."""
        for waiter in self._endings.pop(job_id, ()):
            waiter.set()
        self.wake()

    async def wait(self, job_id: str, *, seconds: float) -> Job | None:
        """Wait until a job has ended; its last state, or None when it still runs after `seconds`.

        Raises:
            Conflict: the job is gone: the registry was reset meanwhile.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        ended = asyncio.Event()
        self._endings[job_id].append(ended)
        try:
            while True:
                job = await self._store.job(job_id)
                if job is None:
                    raise errors.Conflict("the registry was reset while this was under way; send it again")
                if job.state.final:
                    return job
                left = deadline - loop.time()
                if left <= 0:
                    return None
                with suppress(TimeoutError):  # not wait_for: until Python 3.12 it can swallow a cancellation
                    async with asyncio.timeout(min(left, POLL_SECONDS)):
                        await ended.wait()
        finally:
            waiters = self._endings.get(job_id, [])
            if ended in waiters:
                waiters.remove(ended)
                if not waiters:
                    del self._endings[job_id]

    async def get(self, viewer: User, job_id: str) -> Job:
        """One job, for its owner or an administrator.

        Raises:
            NotFound: there is no such job, or not for this viewer.
        """
        job = await self._store.job(job_id)
        if job is None or not (viewer.is_admin or viewer.name == job.owner):
            raise NotFound(f"there is no job {job_id}")
        return job

    async def page(self, viewer: User, *, states: tuple[JobState, ...], after: str | None, limit: int) -> Page[Job]:
        """Jobs the viewer may see, oldest first; a page may hold fewer than `limit` and still have a successor."""
        page = await self._store.jobs(states=states, after=after, limit=limit)
        mine = [job for job in page.items if viewer.is_admin or viewer.name == job.owner]
        return Page(mine, page.after)
