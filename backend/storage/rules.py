"""What every metadata backend decides alike: how a job moves from state to state, and how a refusal reads."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from backend.domain.artifact import Artifact, FileEntry
from backend.domain.errors import AlreadyExists, Conflict, LeaseLost
from backend.domain.job import Claim, Job, JobError, JobKind, JobState, Progress

DEAD_CODE = "TriesExhausted"


def is_held(job: Job | None, claim: Claim) -> bool:
    """Whether `claim` still owns the job that is stored under its id."""
    return job is not None and job.state is JobState.RUNNING and job.fence == claim.fence


def is_due(job: Job, kinds: Sequence[JobKind], now: datetime) -> bool:
    """Whether a worker may take the job: queued and due, or running under a lease that ended before `now`."""
    if job.kind not in kinds:
        return False
    if job.state is JobState.QUEUED:
        return job.not_before <= now
    return job.state is JobState.RUNNING and job.lease_until is not None and job.lease_until < now


def claimed(job: Job, *, worker: str, now: datetime, lease_until: datetime) -> Job:
    """The job in the hands of `worker`, or dead when that would be one try too many."""
    if job.tries >= job.max_tries:
        return _ended(job, JobState.DEAD, _exhausted(job), now)
    return replace(
        job,
        state=JobState.RUNNING,
        tries=job.tries + 1,
        fence=job.fence + 1,
        worker=worker,
        lease_until=lease_until,
        updated_at=now,
    )


def claimed_with(held: Job, job: Job, *, now: datetime) -> Job:
    """The job in the hands of the worker that holds another, and under the same lease."""
    return claimed(job, worker=held.worker or "", now=now, lease_until=held.lease_until or now)


def reported(job: Job, progress: Progress, now: datetime) -> Job:
    """The job with this progress."""
    return replace(job, progress=progress, updated_at=now)


def finished(job: Job, error: JobError | None, now: datetime) -> Job:
    """The job at its end: done, or failed with its error."""
    return _ended(job, JobState.FAILED if error else JobState.DONE, error, now)


def handed_back(job: Job, *, not_before: datetime, error: JobError, now: datetime) -> Job:
    """The job back in the queue with the error of its last try, or dead when it has no tries left."""
    if job.tries >= job.max_tries:
        return _ended(job, JobState.DEAD, error, now)
    return replace(
        job,
        state=JobState.QUEUED,
        not_before=not_before,
        error=error,
        worker=None,
        lease_until=None,
        updated_at=now,
    )


def same_file(stored: FileEntry | None, entry: FileEntry) -> bool:
    """Whether `entry` speaks of the file that is listed, rather than of one that an update has replaced."""
    return stored is not None and (stored.claimed_sha256, stored.claimed_git_sha1) == (
        entry.claimed_sha256,
        entry.claimed_git_sha1,
    )


def already_exists(artifact: Artifact, taken_by: str) -> AlreadyExists:
    """Refuse a new artifact whose id, or whose type and source, `taken_by` has."""
    detail = f"{artifact.url} is registered already as {artifact.type} {taken_by}"
    return AlreadyExists(detail, taken_by, artifact.type)


def conflict(artifact: Artifact) -> Conflict:
    """Refuse an update of what was changed or deleted since it was read."""
    return Conflict(f"{artifact.type} {artifact.id} was changed or deleted meanwhile; read it again and decide")


def lease_lost(claim: Claim) -> LeaseLost:
    """Refuse a write on behalf of a job that is no longer held."""
    return LeaseLost(f"job {claim.job_id} is no longer held under fence {claim.fence}")


def _ended(job: Job, state: JobState, error: JobError | None, now: datetime) -> Job:
    return replace(job, state=state, error=error, lease_until=None, updated_at=now)


def _exhausted(job: Job) -> JobError:
    last = f"; the last error was {job.error.code}: {job.error.detail}" if job.error else ""
    return JobError(DEAD_CODE, f"begun {job.tries} times of {job.max_tries} and never ended{last}")
