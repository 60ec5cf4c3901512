# ruff: noqa: D102 - the protocols in base.py carry the docstrings
"""Jobs with leases and fences, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from backend.domain.artifact import FileEntry
from backend.domain.job import Claim, Job, JobError, JobKind, JobState, Progress
from backend.domain.page import Page
from backend.storage import rules
from backend.storage.memory.tables import Tables


class MemoryJobs:
    """`Jobs` over dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def enqueue(self, job: Job) -> None:
        self._tables.enqueue([job])

    async def claim(self, kinds: Sequence[JobKind], *, worker: str, now: datetime, lease_until: datetime) -> Job | None:
        due = [job for job in self._tables.jobs.values() if rules.is_due(job, kinds, now)]
        for job in sorted(due, key=lambda job: (job.created_at, job.id)):
            taken = rules.claimed(job, worker=worker, now=now, lease_until=lease_until)
            self._tables.jobs[job.id] = taken
            if taken.state is JobState.RUNNING:
                return taken
        return None

    async def claim_alike(self, claim: Claim, *, most: int, now: datetime) -> Sequence[Job]:
        jobs = self._tables.jobs
        held = jobs.get(claim.job_id)
        if held is None or not rules.is_held(held, claim):
            return []
        queued = [job for job in jobs.values() if job.state is JobState.QUEUED and rules.is_due(job, [held.kind], now)]
        oldest = sorted(queued, key=lambda job: (job.created_at, job.id))[:most]
        taken = [rules.claimed_with(held, job, now=now) for job in oldest]
        jobs.update((job.id, job) for job in taken)
        return [job for job in taken if job.state is JobState.RUNNING]

    async def finish_all(self, claims: Sequence[Claim], *, now: datetime) -> set[str]:
        held = [claim for claim in claims if rules.is_held(self._tables.jobs.get(claim.job_id), claim)]
        for claim in held:
            await self.finish(claim, error=None, now=now)
        return {claim.job_id for claim in held}

    async def renew(self, claims: Sequence[Claim], *, lease_until: datetime) -> set[str]:
        jobs = self._tables.jobs
        held = {claim.job_id for claim in claims if rules.is_held(jobs.get(claim.job_id), claim)}
        for job_id in held:
            jobs[job_id] = replace(jobs[job_id], lease_until=lease_until)
        return held

    async def report(self, claim: Claim, progress: Progress, *, now: datetime) -> None:
        self._store(rules.reported(self._held(claim), progress, now))

    async def hold(
        self, claim: Claim, artifact_id: str, entry: FileEntry, progress: Progress, *, now: datetime
    ) -> None:
        job = self._held(claim)
        files = self._tables.files.get(artifact_id, {})
        if not rules.same_file(files.get(entry.path), entry):
            raise rules.lease_lost(claim)
        files[entry.path] = entry
        self._store(rules.reported(job, progress, now))

    async def finish(self, claim: Claim, *, error: JobError | None, now: datetime) -> None:
        self._store(rules.finished(self._held(claim), error, now))

    async def retry(self, claim: Claim, *, not_before: datetime, error: JobError, now: datetime) -> None:
        self._store(rules.handed_back(self._held(claim), not_before=not_before, error=error, now=now))

    async def job(self, job_id: str) -> Job | None:
        return self._tables.jobs.get(job_id)

    async def jobs(
        self, *, artifact_id: str | None = None, states: Sequence[JobState] = (), after: str | None, limit: int
    ) -> Page[Job]:
        hits = sorted(
            (
                job
                for job in self._tables.jobs.values()
                if (artifact_id is None or job.artifact_id == artifact_id)
                and (not states or job.state in states)
                and (after is None or job.id > after)
            ),
            key=lambda job: job.id,
        )
        return Page(hits[:limit], hits[limit - 1].id if len(hits) > limit else None)

    async def job_counts(self) -> dict[JobState, int]:
        counts = dict.fromkeys(JobState, 0)
        for job in self._tables.jobs.values():
            counts[job.state] += 1
        return counts

    def _held(self, claim: Claim) -> Job:
        job = self._tables.jobs.get(claim.job_id)
        if job is None or not rules.is_held(job, claim):
            raise rules.lease_lost(claim)
        return job

    def _store(self, job: Job) -> None:
        self._tables.jobs[job.id] = job
