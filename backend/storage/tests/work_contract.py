"""What every job store does with the work of those who hold a job."""

from dataclasses import replace

import pytest

from backend.domain.artifact import FileEntry
from backend.domain.errors import LeaseLost
from backend.domain.ids import new_id
from backend.domain.job import JobState, Progress
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.catalog_contract import running_job, stored
from backend.storage.tests.factories import ADMIN, MINUTE, NOW, a_file, a_job, an_artifact
from backend.storage.tests.jobs_contract import FAILURE, LATER, TICK, claim
from backend.storage.tests.paging import every_item


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
            jobs = await every_item(lambda after: store.jobs(**which, after=after, limit=1))
            return [job.id for job in jobs]

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
