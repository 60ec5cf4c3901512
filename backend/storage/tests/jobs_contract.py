"""What every job store promises workers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backend.domain.errors import LeaseLost
from backend.domain.ids import new_id
from backend.domain.job import Claim, Job, JobError, JobKind, JobState, Progress
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.catalog_contract import running_job
from backend.storage.tests.factories import MINUTE, NOW, a_file, a_job, an_artifact

LATER = NOW + MINUTE
TICK = timedelta(microseconds=1)
FAILURE = JobError("UpstreamFailed", "the hub answered 503", {"status": 503, "shortfalls": [{"metric": "license"}]})


async def claim(
    store: MetadataStore, *, now: datetime = NOW, kinds: Sequence[JobKind] = tuple(JobKind), worker: str = "w"
) -> Job | None:
    return await store.claim(kinds, worker=worker, now=now, lease_until=now + MINUTE)


class ClaimContract:
    async def test_a_job_is_read_back_field_by_field(self, store: MetadataStore) -> None:
        job = a_job(
            kind=JobKind.MIRROR,
            state=JobState.FAILED,
            progress=Progress("mirroring", 3 * 10**12, None, "model.safetensors"),
            error=FAILURE,
            tries=2,
            max_tries=9,
            fence=4,
            worker="w-1",
            lease_until=LATER + TICK,
            not_before=NOW - TICK,
        )
        await store.enqueue(job)
        assert await store.job(job.id) == job
        assert await store.job(new_id()) is None

    async def test_enqueueing_a_job_again_leaves_it_as_it_is(self, store: MetadataStore) -> None:
        job = await running_job(store)
        await store.enqueue(a_job(id=job.id))
        assert await store.job(job.id) == job

    async def test_a_claim_makes_the_job_running_with_one_more_try_and_fence(self, store: MetadataStore) -> None:
        job = a_job(fence=3)
        await store.enqueue(job)
        taken = await store.claim([JobKind.INGEST], worker="w", now=LATER, lease_until=LATER + MINUTE)
        assert taken == replace(
            job, state=JobState.RUNNING, tries=1, fence=4, worker="w", lease_until=LATER + MINUTE, updated_at=LATER
        )
        assert await store.job(job.id) == taken

    async def test_there_is_nothing_to_claim_in_an_empty_store(self, store: MetadataStore) -> None:
        assert await claim(store) is None

    async def test_the_oldest_job_is_claimed_first(self, store: MetadataStore) -> None:
        newer, older = a_job(created_at=NOW), a_job(created_at=NOW - MINUTE)
        twin = a_job(created_at=NOW)
        for job in (twin, newer, older):
            await store.enqueue(job)
        assert [(await claim(store)).id for _ in range(3)] == [older.id, newer.id, twin.id]
        assert await claim(store) is None

    async def test_an_abandoned_job_that_is_older_comes_before_a_queued_one(self, store: MetadataStore) -> None:
        abandoned = await running_job(store, created_at=NOW - MINUTE)
        await store.enqueue(a_job(created_at=NOW))
        assert (await claim(store, now=LATER + TICK)).id == abandoned.id

    async def test_only_jobs_of_the_kinds_asked_for_are_claimed(self, store: MetadataStore) -> None:
        ingest, mirror = a_job(kind=JobKind.INGEST), a_job(kind=JobKind.MIRROR)
        await store.enqueue(ingest)
        await store.enqueue(mirror)
        assert (await claim(store, kinds=[JobKind.MIRROR])).id == mirror.id
        assert await claim(store, kinds=[JobKind.MIRROR]) is None
        assert await claim(store, kinds=[]) is None

    async def test_a_job_is_not_claimed_before_its_time(self, store: MetadataStore) -> None:
        await store.enqueue(a_job(not_before=LATER))
        assert await claim(store, now=LATER - TICK) is None
        assert await claim(store, now=LATER) is not None

    async def test_a_job_is_taken_over_once_its_lease_has_ended(self, store: MetadataStore) -> None:
        first = await running_job(store)
        assert await claim(store, now=LATER) is None
        second = await claim(store, now=LATER + TICK, worker="other")
        assert (second.id, second.tries, second.fence, second.worker) == (first.id, 2, first.fence + 1, "other")

    @pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.DEAD])
    async def test_a_job_that_has_ended_is_never_claimed(self, store: MetadataStore, state: JobState) -> None:
        await store.enqueue(a_job(state=state, lease_until=NOW - MINUTE))
        assert await claim(store) is None

    async def test_fifty_workers_take_ten_jobs_once_each(self, store: MetadataStore) -> None:
        waiting = [a_job() for _ in range(10)]
        for job in waiting:
            await store.enqueue(job)
        taken = await asyncio.gather(*(claim(store, worker=f"w{at}") for at in range(50)))
        assert sorted(job.id for job in taken if job) == [job.id for job in waiting]

    async def test_a_job_without_tries_left_dies_and_the_next_is_taken(self, store: MetadataStore) -> None:
        worn = a_job(max_tries=2, created_at=NOW - MINUTE)
        await store.enqueue(worn)
        now = NOW
        for _ in range(2):
            assert (await claim(store, now=now)).id == worn.id
            now += MINUTE + TICK
        fresh = a_job()
        await store.enqueue(fresh)
        assert (await claim(store, now=now)).id == fresh.id
        dead = await store.job(worn.id)
        assert (dead.state, dead.tries, dead.lease_until, dead.updated_at) == (JobState.DEAD, 2, None, now)
        assert dead.error == JobError("TriesExhausted", "begun 2 times of 2 and never ended")


class LeaseContract:
    async def test_renewing_extends_what_is_held_and_names_it(self, store: MetadataStore) -> None:
        held, lost = await running_job(store), await running_job(store)
        await store.finish(lost.claim, error=None, now=NOW)
        old = Claim(held.id, held.fence - 1)
        assert await store.renew([lost.claim, Claim(new_id(), 1), old], lease_until=NOW + 9 * MINUTE) == set()
        assert await store.job(held.id) == held
        assert await store.renew([held.claim, lost.claim], lease_until=NOW + 9 * MINUTE) == {held.id}
        assert await claim(store, now=NOW + 9 * MINUTE) is None
        assert (await claim(store, now=NOW + 9 * MINUTE + TICK)).id == held.id

    async def test_who_holds_a_job_takes_more_of_its_kind_under_the_same_lease(self, store: MetadataStore) -> None:
        held = await running_job(store)
        alike = [a_job(kind=held.kind, created_at=NOW + number * TICK) for number in (3, 1, 2)]
        later = a_job(kind=held.kind, not_before=NOW + MINUTE)
        other = a_job(kind=JobKind.RATE if held.kind is not JobKind.RATE else JobKind.MIRROR)
        for job in (*alike, later, other):
            await store.enqueue(job)

        taken = await store.claim_alike(held.claim, most=2, now=NOW + 4 * TICK)

        assert [job.id for job in taken] == [alike[1].id, alike[2].id]
        assert {(job.worker, job.lease_until, job.state) for job in taken} == {
            (held.worker, held.lease_until, JobState.RUNNING)
        }
        assert [await store.job(job.id) for job in taken] == list(taken)
        assert {(job.tries, job.fence) for job in taken} == {(1, 1)}

    async def test_who_lost_a_job_takes_no_others(self, store: MetadataStore) -> None:
        held = await running_job(store)
        await store.enqueue(a_job(kind=held.kind))
        assert not await store.claim_alike(Claim(held.id, held.fence - 1), most=9, now=LATER)
        await store.finish(held.claim, error=None, now=NOW)
        assert not await store.claim_alike(held.claim, most=9, now=LATER)

    async def test_jobs_end_together_but_for_those_that_were_lost(self, store: MetadataStore) -> None:
        held, lost = await running_job(store), await running_job(store)
        claims = [held.claim, Claim(lost.id, lost.fence - 1), Claim(new_id(), 1)]
        assert await store.finish_all(claims, now=LATER) == {held.id}
        assert await store.job(held.id) == replace(held, state=JobState.DONE, lease_until=None, updated_at=LATER)
        assert await store.job(lost.id) == lost

    async def test_a_lease_that_ended_still_holds_until_somebody_takes_the_job(self, store: MetadataStore) -> None:
        job = await running_job(store)
        assert await store.renew([job.claim], lease_until=NOW + 5 * MINUTE) == {job.id}

    @pytest.mark.parametrize("step", ["report", "hold", "finish", "retry", "commit"])
    async def test_the_first_worker_can_do_nothing_after_a_takeover(self, store: MetadataStore, step: str) -> None:
        artifact = an_artifact()
        await store.commit(Commit(artifact, files=[a_file("a")]))
        first = await running_job(store)
        second = await claim(store, now=LATER + TICK)
        progress = Progress("late")
        steps = {
            "report": lambda: store.report(first.claim, progress, now=LATER),
            "hold": lambda: store.hold(first.claim, artifact.id, a_file("a", digest="d"), progress, now=LATER),
            "finish": lambda: store.finish(first.claim, error=None, now=LATER),
            "retry": lambda: store.retry(first.claim, not_before=LATER, error=FAILURE, now=LATER),
            "commit": lambda: store.commit(Commit(an_artifact(), closes=first.claim)),
        }
        with pytest.raises(LeaseLost):
            await steps[step]()
        assert await store.job(first.id) == second
        assert list(await store.files(artifact.id)) == [a_file("a")]

    async def test_a_queued_job_is_held_by_nobody(self, store: MetadataStore) -> None:
        job = a_job(fence=1)
        await store.enqueue(job)
        assert await store.renew([job.claim], lease_until=LATER) == set()
        with pytest.raises(LeaseLost):
            await store.report(job.claim, Progress(), now=NOW)
