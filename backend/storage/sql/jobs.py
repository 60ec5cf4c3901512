"""Jobs with leases and fences, as functions over a connection inside a transaction."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from backend.domain.artifact import FileEntry
from backend.domain.instants import instant
from backend.domain.job import Claim, Job, JobError, JobKind, JobState, Progress
from backend.domain.page import Page
from backend.storage import rules
from backend.storage.sql import records
from backend.storage.sql.prepared import PreparedInsert
from backend.storage.sql.schema import files, jobs

_UNFINISHED = [state for state in JobState if not state.final]

_INSERT = PreparedInsert(jobs)
_JOB = select(jobs).where(jobs.c.id == bindparam("job_id"))
_HELD = _JOB.where(jobs.c.fence == bindparam("fence"), jobs.c.state == JobState.RUNNING.value).with_for_update()
_TAKE = update(jobs).where(jobs.c.id == bindparam("job_id"))
_COUNTS = select(jobs.c.state, func.count()).group_by(jobs.c.state)


def enqueue(connection: Connection, new: Sequence[Job]) -> None:
    """Add jobs; one whose id is there already is left as it is."""
    if new:
        _INSERT.run(connection, [records.job_values(job) for job in new])


def claim(
    connection: Connection, kinds: Sequence[JobKind], *, worker: str, now: datetime, lease_until: datetime
) -> Job | None:
    """Take the oldest job that is due, declaring dead on the way what has no tries left."""
    while (job := _oldest_due(connection, kinds, now)) is not None:
        taken = rules.claimed(job, worker=worker, now=now, lease_until=lease_until)
        _store(connection, taken)
        if taken.state is JobState.RUNNING:
            return taken
    return None


def _oldest_due(connection: Connection, kinds: Sequence[JobKind], now: datetime) -> Job | None:
    at = instant(now)
    rows = [connection.execute(oldest, {"at": at}).one_or_none() for oldest in _oldest(tuple(kinds))]
    due = [records.to_job(row) for row in rows if row is not None]
    return min(due, key=lambda job: (job.created_at, job.id), default=None)


@lru_cache(maxsize=32)
def _oldest(kinds: Sequence[JobKind]) -> list[Select[Any]]:
    """What finds the oldest job that is due: among those that wait, and among those whose worker went silent."""
    # One statement a state, because then the index gives the order and finished jobs are never looked at.
    due = {
        JobState.QUEUED: jobs.c.not_before <= bindparam("at"),
        JobState.RUNNING: jobs.c.lease_until < bindparam("at"),
    }
    return [
        select(jobs)
        .where(jobs.c.state == state, jobs.c.kind.in_(list(kinds)), is_due)
        .order_by(jobs.c.created_at, jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        for state, is_due in due.items()
    ]


def claim_alike(connection: Connection, claim: Claim, *, most: int, now: datetime) -> list[Job]:
    """Take queued jobs of the kind of one that is held."""
    row = connection.execute(_HELD, {"job_id": claim.job_id, "fence": claim.fence}).one_or_none()
    if row is None:
        return []
    held = records.to_job(row)
    queued = (
        select(jobs)
        .where(jobs.c.state == JobState.QUEUED, jobs.c.kind == held.kind, jobs.c.not_before <= instant(now))
        .order_by(jobs.c.created_at, jobs.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    taken = [rules.claimed_with(held, records.to_job(row), now=now) for row in connection.execute(queued)]
    if taken:
        connection.execute(_TAKE, [{"job_id": job.id, **_taken_values(job)} for job in taken])
    return [job for job in taken if job.state is JobState.RUNNING]


def _taken_values(job: Job) -> dict[str, object]:
    """The columns that a claim changes."""
    values = records.job_values(job)
    return {name: values[name] for name in ("state", "error", "tries", "fence", "worker", "lease_until", "updated_at")}


def finish_all(connection: Connection, claims: Sequence[Claim], *, now: datetime) -> set[str]:
    """End those jobs that are still held."""
    done = {"state": JobState.DONE.value, "error": None, "lease_until": None, "updated_at": instant(now)}
    statement = _TAKE.where(jobs.c.fence == bindparam("fence_held"), jobs.c.state == JobState.RUNNING.value)
    return {
        claim.job_id
        for claim in claims
        if connection.execute(statement, {"job_id": claim.job_id, "fence_held": claim.fence, **done}).rowcount == 1
    }


def renew(connection: Connection, claims: Sequence[Claim], *, lease_until: datetime) -> set[str]:
    """Extend the leases that are still held."""
    return {claim.job_id for claim in claims if _renewed(connection, claim, instant(lease_until))}


def _renewed(connection: Connection, claim: Claim, lease_until: int) -> bool:
    held = (jobs.c.id == claim.job_id) & (jobs.c.fence == claim.fence) & (jobs.c.state == JobState.RUNNING)
    return connection.execute(update(jobs).where(held).values(lease_until=lease_until)).rowcount == 1


def report(connection: Connection, claim: Claim, progress: Progress, *, now: datetime) -> None:
    """Record progress."""
    _store(connection, rules.reported(_held(connection, claim), progress, now))


def hold(
    connection: Connection, claim: Claim, artifact_id: str, entry: FileEntry, progress: Progress, *, now: datetime
) -> None:
    """Mark a file held, if it is still the one that is listed, and record progress."""
    report(connection, claim, progress, now=now)
    listed = (
        (files.c.artifact_id == artifact_id)
        & (files.c.path == entry.path)
        & files.c.claimed_sha256.is_not_distinct_from(entry.claimed_sha256)
        & files.c.claimed_git_sha1.is_not_distinct_from(entry.claimed_git_sha1)
    )
    if connection.execute(update(files).where(listed), records.file_values(artifact_id, entry)).rowcount == 0:
        raise rules.lease_lost(claim)


def finish(connection: Connection, claim: Claim, *, error: JobError | None, now: datetime) -> None:
    """End a job."""
    _store(connection, rules.finished(_held(connection, claim), error, now))


def retry(connection: Connection, claim: Claim, *, not_before: datetime, error: JobError, now: datetime) -> None:
    """Hand a job back."""
    _store(connection, rules.handed_back(_held(connection, claim), not_before=not_before, error=error, now=now))


def drop_unfinished(connection: Connection, artifact_id: str) -> None:
    """Remove the jobs of an artifact that still have work to do."""
    connection.execute(delete(jobs).where(jobs.c.artifact_id == artifact_id, jobs.c.state.in_(_UNFINISHED)))


def get(connection: Connection, job_id: str) -> Job | None:
    """One job."""
    row = connection.execute(_JOB, {"job_id": job_id}).one_or_none()
    return None if row is None else records.to_job(row)


def page(
    connection: Connection, *, artifact_id: str | None, states: Sequence[JobState], after: str | None, limit: int
) -> Page[Job]:
    """Jobs by ascending id."""
    wanted = select(jobs).where(jobs.c.id > (after or "")).order_by(jobs.c.id).limit(limit + 1)
    if artifact_id is not None:
        wanted = wanted.where(jobs.c.artifact_id == artifact_id)
    if states:
        wanted = wanted.where(jobs.c.state.in_(list(states)))
    found = [records.to_job(row) for row in connection.execute(wanted)]
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def counts(connection: Connection) -> dict[JobState, int]:
    """How many jobs are in each state."""
    stored = {JobState(state): number for state, number in connection.execute(_COUNTS)}
    return dict.fromkeys(JobState, 0) | stored


def _held(connection: Connection, claim: Claim) -> Job:
    row = connection.execute(_HELD, {"job_id": claim.job_id, "fence": claim.fence}).one_or_none()
    if row is None:
        raise rules.lease_lost(claim)
    return records.to_job(row)


def _store(connection: Connection, job: Job) -> None:
    connection.execute(update(jobs).where(jobs.c.id == job.id), records.job_values(job))
