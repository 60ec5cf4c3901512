"""A metadata store in the plainest words: dictionaries without index or concurrency; every backend must match it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from backend.domain.artifact import Artifact, FileEntry, Link
from backend.domain.audit import AuditEntry
from backend.domain.errors import AlreadyExists, Conflict, LeaseLost
from backend.domain.job import Claim, Job, JobError, JobState, Progress
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage.base import Commit


@dataclass
class Model:
    """Methods raise what the store has to raise."""

    artifacts: dict[str, Artifact] = field(default_factory=dict)
    ratings: dict[str, StoredRating] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    files: dict[tuple[str, str], FileEntry] = field(default_factory=dict)
    audit: dict[str, AuditEntry] = field(default_factory=dict)
    chain: list[str] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)

    def visible(self, viewer: User) -> list[Artifact]:
        return sorted(
            (artifact for artifact in self.artifacts.values() if artifact.visible_to(viewer)),
            key=lambda artifact: artifact.id,
        )

    def scores(self, artifact_id: str) -> dict[str, float]:
        stored = self.ratings.get(artifact_id)
        return stored.scores if stored else {}

    def find(self, viewer: User, kind: ArtifactType, artifact_id: str) -> Artifact | None:
        found = [each for each in self.visible(viewer) if (each.type, each.id) == (kind, artifact_id)]
        return found[0] if found else None

    def commit(self, change: Commit) -> None:
        new = change.artifact
        if change.closes:
            self.held(change.closes)
        old = self.artifacts.get(new.id)
        if change.expected_version is not None and (
            old is None or (old.type, old.version) != (new.type, change.expected_version)
        ):
            raise Conflict
        for other in self.artifacts.values():
            same_place = (other.type, other.source.key) == (new.type, new.source.key)
            if same_place and (other.id != new.id or change.expected_version is None):
                raise AlreadyExists("", other.id, other.type)
        if change.expected_version is None and old is not None:
            raise AlreadyExists("", new.id, new.type)
        self.artifacts[new.id] = new
        self._put_parts(change)
        if change.closes:
            self.finish(change.closes, error=None, now=new.updated_at)

    def _put_parts(self, change: Commit) -> None:
        new = change.artifact
        if change.rating is not None:
            self.ratings[new.id] = change.rating
        if change.links is not None:
            self.links = [link for link in self.links if link.artifact_id != new.id] + list(change.links)
        if change.files is not None:
            self.files = {key: file for key, file in self.files.items() if key[0] != new.id}
            self.files |= {(new.id, file.path): file for file in change.files}
        self.append(change.audit)
        for job in change.jobs:
            self.jobs.setdefault(job.id, job)

    def delete(self, viewer: User, kind: ArtifactType, artifact_id: str, entry: AuditEntry) -> bool:
        if self.find(viewer, kind, artifact_id) is None:
            return False
        del self.artifacts[artifact_id]
        self.ratings.pop(artifact_id, None)
        self.links = [link for link in self.links if link.artifact_id != artifact_id]
        self.files = {key: file for key, file in self.files.items() if key[0] != artifact_id}
        self.jobs = {
            job.id: job
            for job in self.jobs.values()
            if job.artifact_id != artifact_id or job.state in {JobState.DONE, JobState.FAILED, JobState.DEAD}
        }
        self.append([entry])
        return True

    def append(self, entries: Any) -> None:
        for entry in entries:
            if entry.id not in self.audit:
                self.audit[entry.id] = entry
                self.chain.append(entry.id)

    def held(self, claim: Claim) -> Job:
        job = self.jobs.get(claim.job_id)
        if job is None or job.fence != claim.fence or job.state is not JobState.RUNNING:
            raise LeaseLost
        return job

    def claim(self, kinds: Any, *, worker: str, now: datetime, lease_until: datetime) -> Job | None:
        for job in sorted(self.jobs.values(), key=lambda job: (job.created_at, job.id)):
            waits = job.state is JobState.QUEUED and job.not_before <= now
            abandoned = job.state is JobState.RUNNING and job.lease_until < now
            if job.kind not in kinds or not (waits or abandoned):
                continue
            if job.tries == job.max_tries:
                self.jobs[job.id] = replace(job, state=JobState.DEAD, lease_until=None, updated_at=now)
                continue
            counted = {"tries": job.tries + 1, "fence": job.fence + 1, "updated_at": now}
            taken = replace(job, state=JobState.RUNNING, worker=worker, lease_until=lease_until, **counted)
            self.jobs[job.id] = taken
            return taken
        return None

    def renew(self, claims: Any, *, lease_until: datetime) -> set[str]:
        renewed = set()
        for claim in claims:
            job = self.jobs.get(claim.job_id)
            if job and job.state is JobState.RUNNING and job.fence == claim.fence:
                self.jobs[job.id] = replace(job, lease_until=lease_until)
                renewed.add(job.id)
        return renewed

    def report(self, claim: Claim, progress: Progress, *, now: datetime) -> None:
        self.jobs[claim.job_id] = replace(self.held(claim), progress=progress, updated_at=now)

    def hold(self, claim: Claim, artifact_id: str, entry: FileEntry, progress: Progress, *, now: datetime) -> None:
        job = self.held(claim)
        listed = self.files.get((artifact_id, entry.path))
        claims = (entry.claimed_sha256, entry.claimed_git_sha1)
        if listed is None or (listed.claimed_sha256, listed.claimed_git_sha1) != claims:
            raise LeaseLost
        self.files[artifact_id, entry.path] = entry
        self.jobs[job.id] = replace(job, progress=progress, updated_at=now)

    def finish(self, claim: Claim, *, error: JobError | None, now: datetime) -> None:
        state = JobState.DONE if error is None else JobState.FAILED
        self.jobs[claim.job_id] = replace(self.held(claim), state=state, error=error, lease_until=None, updated_at=now)

    def retry(self, claim: Claim, *, not_before: datetime, error: JobError, now: datetime) -> None:
        job = replace(self.held(claim), error=error, lease_until=None, updated_at=now)
        if job.tries == job.max_tries:
            self.jobs[job.id] = replace(job, state=JobState.DEAD)
        else:
            self.jobs[job.id] = replace(job, state=JobState.QUEUED, worker=None, not_before=not_before)
