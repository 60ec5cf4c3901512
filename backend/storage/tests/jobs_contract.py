"""What every job store promises workers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backend.domain.artifact import FileEntry
from backend.domain.errors import LeaseLost
from backend.domain.ids import new_id
from backend.domain.job import Claim, Job, JobError, JobKind, JobState, Progress
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.catalog_contract import running_job, stored
from backend.storage.tests.factories import ADMIN, MINUTE, NOW, a_file, a_job, an_artifact

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


class WorkContract:
    async def test_progress_is_recorded(self, store: MetadataStore) -> None:
        job = await running_job(store)
        progress = Progress("downloading", 5, 10, "model.safetensors")
        await store.report(job.claim, progress, now=LATER)
        assert await store.job(job.id) == replace(job, progress=progress, updated_at=LATER)

    async def test_holding_a_file_records_it_and_the_progress(self, store: MetadataStore) -> None:
        artifact, job = an_artifact(), await running_job(store)
        await store.commit(Commit(artifact, files=[a_file("a"), a_file("b")]))
        held, progress = a_file("b", digest="d" * 64, crc32=7, verified=True, size_bytes=8), Progress("mirroring", 8, 8)
        await store.hold(job.claim, artifact.id, held, progress, now=LATER)
        assert list(await store.files(artifact.id)) == [a_file("a"), held]
        assert await store.job(job.id) == replace(job, progress=progress, updated_at=LATER)
        assert await store.held_digests(["d" * 64]) == {"d" * 64}

    @pytest.mark.parametrize(
        "entry",
        [
            a_file("gone", digest="d"),
            a_file("a", digest="d", claimed_sha256="ef" * 32),
            a_file("a", digest="d", claimed_sha256=None),
            a_file("a", digest="d", claimed_git_sha1="cd" * 20),
        ],
        ids=["no such path", "another digest", "a digest no longer claimed", "a digest not claimed before"],
    )
    async def test_a_file_that_an_update_has_replaced_is_not_held(self, store: MetadataStore, entry: FileEntry) -> None:
        artifact, job = an_artifact(), await running_job(store)
        await store.commit(Commit(artifact, files=[a_file("a")]))
        with pytest.raises(LeaseLost):
            await store.hold(job.claim, artifact.id, entry, Progress("mirroring"), now=LATER)
        assert list(await store.files(artifact.id)) == [a_file("a")]
        assert await store.job(job.id) == job

    async def test_a_file_without_claimed_digests_can_be_held(self, store: MetadataStore) -> None:
        artifact, job = an_artifact(), await running_job(store)
        listed = a_file("a", claimed_sha256=None)
        await store.commit(Commit(artifact, files=[listed]))
        await store.hold(job.claim, artifact.id, replace(listed, digest="d"), Progress(), now=LATER)
        assert list(await store.files(artifact.id)) == [replace(listed, digest="d")]

    async def test_a_file_of_an_artifact_that_is_gone_is_not_held(self, store: MetadataStore) -> None:
        job = await running_job(store)
        with pytest.raises(LeaseLost):
            await store.hold(job.claim, new_id(), a_file("a", digest="d"), Progress("mirroring"), now=LATER)
        assert await store.job(job.id) == job

    async def test_a_finished_job_is_done(self, store: MetadataStore) -> None:
        job = await running_job(store)
        await store.finish(job.claim, error=None, now=LATER)
        assert await store.job(job.id) == replace(job, state=JobState.DONE, lease_until=None, updated_at=LATER)

    async def test_a_job_that_ends_with_an_error_has_failed(self, store: MetadataStore) -> None:
        job = await running_job(store)
        await store.finish(job.claim, error=FAILURE, now=LATER)
        failed = await store.job(job.id)
        assert (failed.state, failed.error, failed.lease_until) == (JobState.FAILED, FAILURE, None)

    async def test_a_job_ends_once(self, store: MetadataStore) -> None:
        job = await running_job(store)
        await store.finish(job.claim, error=None, now=NOW)
        with pytest.raises(LeaseLost):
            await store.finish(job.claim, error=FAILURE, now=LATER)
        assert (await store.job(job.id)).state is JobState.DONE

    async def test_a_job_handed_back_is_due_again_at_its_time(self, store: MetadataStore) -> None:
        job = await running_job(store)
        await store.retry(job.claim, not_before=NOW + 5 * MINUTE, error=FAILURE, now=LATER)
        waiting = await store.job(job.id)
        assert (waiting.state, waiting.worker, waiting.lease_until, waiting.tries) == (JobState.QUEUED, None, None, 1)
        assert (waiting.error, waiting.not_before, waiting.updated_at) == (FAILURE, NOW + 5 * MINUTE, LATER)
        assert await claim(store, now=NOW + 5 * MINUTE - TICK) is None
        again = await claim(store, now=NOW + 5 * MINUTE)
        assert (again.id, again.tries, again.fence) == (job.id, 2, job.fence + 1)

    async def test_a_job_handed_back_without_tries_left_is_dead(self, store: MetadataStore) -> None:
        job = await running_job(store, max_tries=1)
        await store.retry(job.claim, not_before=LATER, error=FAILURE, now=LATER)
        dead = await store.job(job.id)
        assert (dead.state, dead.error, dead.lease_until) == (JobState.DEAD, FAILURE, None)
        assert await claim(store, now=NOW + 99 * MINUTE) is None

    async def test_an_error_of_an_earlier_try_is_gone_when_the_job_is_done(self, store: MetadataStore) -> None:
        job = await running_job(store)
        await store.retry(job.claim, not_before=NOW, error=FAILURE, now=NOW)
        again = await claim(store)
        await store.finish(again.claim, error=None, now=LATER)
        assert (await store.job(job.id)).error is None

    async def test_the_last_error_is_told_when_a_job_dies_of_its_lease(self, store: MetadataStore) -> None:
        job = await running_job(store, max_tries=2)
        await store.retry(job.claim, not_before=NOW, error=FAILURE, now=NOW)
        await claim(store)
        assert await claim(store, now=LATER + TICK) is None
        assert "UpstreamFailed: the hub answered 503" in (await store.job(job.id)).error.detail


class JobListingContract:
    async def test_jobs_are_listed_by_id_of_an_artifact_and_in_states(self, store: MetadataStore) -> None:
        artifact = await stored(store)
        done = a_job(state=JobState.DONE, artifact_id=artifact.id)
        dead = a_job(state=JobState.DEAD, artifact_id=artifact.id)
        foreign = a_job(state=JobState.DEAD)
        for job in (foreign, dead, done):
            await store.enqueue(job)

        async def listed(**which: object) -> list[str]:
            ids, after = [], None
            while True:
                page = await store.jobs(**which, after=after, limit=1)
                ids += [job.id for job in page.items]
                if page.after is None:
                    return ids
                after = page.after

        assert await listed() == sorted([done.id, dead.id, foreign.id])
        assert await listed(artifact_id=artifact.id) == sorted([done.id, dead.id])
        assert await listed(states=[JobState.DEAD]) == sorted([dead.id, foreign.id])
        assert await listed(artifact_id=artifact.id, states=[JobState.DONE, JobState.DEAD]) == [done.id, dead.id]
        assert await listed(states=[JobState.QUEUED]) == []
        assert list((await store.jobs(after=None, limit=9)).items) == [done, dead, foreign]

    async def test_counts_name_every_state(self, store: MetadataStore) -> None:
        assert await store.job_counts() == dict.fromkeys(JobState, 0)
        await store.enqueue(a_job())
        await running_job(store)
        await store.enqueue(a_job())
        await store.enqueue(a_job(state=JobState.DEAD))
        counts = await store.job_counts()
        there = {JobState.QUEUED: 2, JobState.RUNNING: 1, JobState.DEAD: 1}
        assert counts == dict.fromkeys(JobState, 0) | there


class ResetContract:
    async def test_a_reset_takes_the_lease_of_running_jobs(self, store: MetadataStore) -> None:
        job, artifact = await running_job(store), an_artifact()
        await store.reset()
        with pytest.raises(LeaseLost):
            await store.commit(Commit(artifact, closes=job.claim))
        assert await store.renew([job.claim], lease_until=LATER) == set()
        assert await store.get(ADMIN, artifact.type, artifact.id) is None
