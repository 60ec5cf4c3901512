import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.domain.errors import Conflict, LeaseLost, NotFound, Unavailable, UpstreamFailed
from backend.domain.job import Job, JobKind, JobState, Progress
from backend.services.clock import utc_now
from backend.services.jobs import JobBoard, Report, raise_again
from backend.services.upkeep import Upkeep
from backend.services.worker import Lane, Worker
from backend.storage.memory import MemoryBlobs, MemoryStore
from backend.tests.factories import make_job

LEASE_S = 0.09
PATIENCE_S = 10.0


class Scripted:
    """A handler that does what the test says, and remembers which jobs it was given."""

    def __init__(self, act: Callable[[Job, Report], Awaitable[None]]) -> None:
        self._act = act
        self.begun: list[Job] = []

    async def run(self, job: Job, report: Report) -> None:
        self.begun.append(job)
        await self._act(job, report)


class FlakyStore(MemoryStore):
    """A store that does not answer for its first claims, as one that is being restarted."""

    def __init__(self, outages: int) -> None:
        super().__init__()
        self.outages = outages

    async def claim(self, kinds: Sequence[JobKind], **how: Any) -> Job | None:
        if self.outages:
            self.outages -= 1
            raise Unavailable("the store is being restarted")
        return await super().claim(kinds, **how)


@asynccontextmanager
async def working(
    store: MemoryStore,
    handler: Scripted,
    *,
    places: int = 1,
    retries: bool = False,
    closes_itself: bool = False,
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[JobBoard]:
    """A worker of one lane over `store`, stopped at the end."""
    board = JobBoard(store)
    lane = Lane(JobKind.MIRROR, handler, places, retries, closes_itself)
    worker = Worker(store, board, [lane], Upkeep(store, MemoryBlobs(), now=now), lease_s=LEASE_S, now=now)
    task = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield board
    finally:
        task.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(task, return_exceptions=True)


async def _until(store: MemoryStore, job: Job, holds: Callable[[Job], bool]) -> Job:
    while True:
        found = await store.job(job.id)
        if found is not None and holds(found):
            return found
        await asyncio.sleep(0.001)


async def _ended(board: JobBoard, job: Job) -> Job:
    ended = await board.wait(job.id, seconds=PATIENCE_S)
    assert ended is not None
    return ended


def _due(**fields: Any) -> Job:
    now = utc_now()
    return make_job(created_at=now, not_before=now, **fields)


async def _nothing(_job: Job, _report: Report) -> None:
    return


async def test_a_job_that_was_submitted_is_carried_out_at_once() -> None:
    store, handler = MemoryStore(), Scripted(_nothing)
    async with working(store, handler) as board:
        job = _due()
        await board.submit(job)

        ended = await _ended(board, job)

    assert (ended.state, ended.error, ended.tries) == (JobState.DONE, None, 1)


async def test_a_job_that_was_queued_before_the_worker_came_is_carried_out() -> None:
    store, handler, job = MemoryStore(), Scripted(_nothing), _due()
    await store.enqueue(job)

    async with working(store, handler) as board:
        assert (await _ended(board, job)).state is JobState.DONE


async def test_progress_is_recorded_while_the_job_runs() -> None:
    go_on = asyncio.Event()

    async def act(_job: Job, report: Report) -> None:
        await report(Progress("half way", 5, 10))
        await go_on.wait()

    store = MemoryStore()
    async with working(store, Scripted(act)) as board:
        job = _due()
        await board.submit(job)

        seen = await _until(store, job, lambda found: found.progress.stage == "half way")
        go_on.set()
        await _ended(board, job)

    assert (seen.progress.bytes_done, seen.state) == (5, JobState.RUNNING)


async def test_no_more_jobs_run_at_once_than_there_are_places() -> None:
    running = most = 0
    full = asyncio.Event()

    async def act(_job: Job, _report: Report) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            full.set()
        await full.wait()
        running -= 1

    async with working(MemoryStore(), Scripted(act), places=2) as board:
        jobs = [_due() for _ in range(6)]
        for job in jobs:
            await board.submit(job)
        for job in jobs:
            await _ended(board, job)

    assert most == 2


async def test_a_lease_is_kept_alive_for_as_long_as_the_job_takes() -> None:
    async def act(job: Job, _report: Report) -> None:
        first = job.lease_until
        assert first is not None
        await _until(
            store,
            job,
            lambda found: found.lease_until is not None and found.lease_until > first + timedelta(seconds=LEASE_S),
        )

    store = MemoryStore()
    handler = Scripted(act)
    async with working(store, handler) as board:
        job = _due()
        await board.submit(job)
        ended = await _ended(board, job)

    assert (ended.state, ended.tries, len(handler.begun)) == (JobState.DONE, 1, 1)


@pytest.mark.parametrize("how", ["reset", "taken over"])
async def test_an_attempt_whose_lease_is_lost_is_stopped(how: str) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def act(_job: Job, _report: Report) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    store = MemoryStore()
    async with working(store, Scripted(act)) as board:
        job = _due()
        await board.submit(job)
        await begun.wait()
        if how == "reset":
            await store.reset()
        else:
            later = utc_now() + timedelta(hours=1)
            await store.claim([JobKind.MIRROR], worker="other", now=later, lease_until=later + timedelta(hours=1))

        await stopped.wait()

        next_job = _due()
        await board.submit(next_job)
        begun.clear()
        await begun.wait()  # the place is free again, and the worker goes on


@pytest.mark.parametrize(
    "failure", [RuntimeError("secret detail"), KeyError("x"), ZeroDivisionError(), RecursionError()]
)
async def test_a_handler_that_breaks_ends_its_job_as_503_without_its_detail(failure: Exception) -> None:
    async def act(_job: Job, _report: Report) -> None:
        raise failure

    async with working(MemoryStore(), Scripted(act), retries=True) as board:
        job = _due()
        await board.submit(job)
        ended = await _ended(board, job)

    assert ended.state is JobState.FAILED
    assert ended.error is not None
    assert "secret" not in ended.error.detail
    with pytest.raises(Unavailable, match=type(failure).__name__):
        raise_again(ended.error)


async def test_a_refusal_ends_the_job_with_its_error() -> None:
    async def act(_job: Job, _report: Report) -> None:
        raise NotFound("it is not there")

    async with working(MemoryStore(), Scripted(act), retries=True) as board:
        job = _due()
        await board.submit(job)
        ended = await _ended(board, job)

    assert (ended.state, ended.tries) == (JobState.FAILED, 1)
    with pytest.raises(NotFound, match="it is not there"):
        raise_again(ended.error)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("failure", "tries", "pause_s"),
    [
        (UpstreamFailed("down", 500), 0, 5),
        (UpstreamFailed("down", 500), 1, 30),
        (UpstreamFailed("down", 500), 2, 120),
        (UpstreamFailed("slow down", 429, retry_after_s=77), 0, 77),
        (UpstreamFailed("soon", 429, retry_after_s=1), 0, 5),
        (Unavailable("busy", 3), 0, 5),
        (Conflict("changed"), 0, 5),
    ],
    ids=["first", "second", "third", "Retry-After", "short Retry-After", "store", "conflict"],
)
async def test_a_failure_that_may_pass_is_tried_again_after_a_pause(
    failure: Exception, tries: int, pause_s: int
) -> None:
    async def act(_job: Job, _report: Report) -> None:
        raise failure

    store, job = MemoryStore(), _due(tries=tries, max_tries=9)
    await store.enqueue(job)
    async with working(store, Scripted(act), retries=True, now=lambda: job.not_before):
        waiting = await _until(store, job, lambda found: found.state is JobState.QUEUED and found.tries == tries + 1)

    assert waiting.error is not None
    assert (waiting.error.code, waiting.not_before) == (
        type(failure).__name__,
        job.not_before + timedelta(seconds=pause_s),
    )


async def test_a_failing_job_is_given_up_when_its_tries_are_used_up() -> None:
    async def act(_job: Job, _report: Report) -> None:
        raise UpstreamFailed("down", 500)

    async with working(MemoryStore(), Scripted(act), retries=True) as board:
        job = _due(tries=2, max_tries=3)
        await board.submit(job)
        ended = await _ended(board, job)

    assert (ended.state, ended.tries) == (JobState.DEAD, 3)
    assert ended.error is not None
    assert ended.error.code == "UpstreamFailed"


async def test_a_lane_that_somebody_waits_for_does_not_try_again() -> None:
    async def act(_job: Job, _report: Report) -> None:
        raise UpstreamFailed("down", 500)

    async with working(MemoryStore(), Scripted(act), retries=False) as board:
        job = _due()
        await board.submit(job)

        assert (await _ended(board, job)).state is JobState.FAILED


async def test_a_handler_that_finds_its_lease_lost_writes_nothing() -> None:
    tried = asyncio.Event()

    async def act(_job: Job, _report: Report) -> None:
        tried.set()
        raise LeaseLost("gone")

    store = MemoryStore()
    async with working(store, Scripted(act), retries=True) as board:
        job = _due()
        await board.submit(job)
        await tried.wait()
        await asyncio.sleep(0)

        found = await store.job(job.id)

    assert found is not None
    assert (found.state, found.error) == (JobState.RUNNING, None)


async def test_a_job_that_a_dead_worker_left_is_taken_up_with_a_new_fence() -> None:
    store, handler, job = MemoryStore(), Scripted(_nothing), _due()
    await store.enqueue(job)
    long_ago = utc_now() - timedelta(minutes=1)
    dead = await store.claim([JobKind.MIRROR], worker="dead", now=utc_now(), lease_until=long_ago)
    assert dead is not None

    async with working(store, handler) as board:
        ended = await _ended(board, job)

    assert (ended.state, ended.tries, ended.fence) == (JobState.DONE, 2, 2)
    with pytest.raises(LeaseLost):
        await store.finish(dead.claim, error=None, now=utc_now())


async def test_an_outage_of_the_store_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.worker.IDLE_SECONDS", 0.001)
    store, job = FlakyStore(outages=5), _due()
    await store.enqueue(job)

    async with working(store, Scripted(_nothing)) as board:
        assert (await _ended(board, job)).state is JobState.DONE

    assert store.outages == 0


async def test_a_worker_that_is_stopped_leaves_its_job_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.worker.IDLE_SECONDS", 0.01)
    begun = asyncio.Event()

    async def hang(_job: Job, _report: Report) -> None:
        begun.set()
        await asyncio.Event().wait()

    store, job = MemoryStore(), _due()
    async with working(store, Scripted(hang)) as board:
        await board.submit(job)
        await begun.wait()

    async with working(store, Scripted(_nothing)) as board:
        ended = await _ended(board, job)

    assert (ended.state, ended.tries) == (JobState.DONE, 2)


@pytest.mark.parametrize("turns", range(6))
async def test_a_worker_stops_when_told_at_any_turn_of_being_woken(turns: int) -> None:
    async with working(MemoryStore(), Scripted(_nothing)) as board:
        for _ in range(10):  # until the worker has found nothing to do, and waits
            await asyncio.sleep(0)
        board.wake()
        for _ in range(turns):
            await asyncio.sleep(0)
