"""Durable work: what is to be done, how far it is, and who holds it for now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from backend.domain.artifact import Artifact
from backend.domain.ids import new_id
from backend.domain.source import ArtifactType


class JobKind(StrEnum):
    """What a job does."""

    INGEST = "ingest"
    MIRROR = "mirror"
    RATE = "rate"
    """Gather one model's evidence again and rate it anew."""
    RELINK = "relink"
    """Find the models that an artifact just taken in, or rated anew, matters to, and have them rated."""
    BENCHMARK = "benchmark"
    """Have many clients download one model, and measure how that goes."""


class JobState(StrEnum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"
    """It was begun as often as it may be and never ended: somebody has to look."""

    @property
    def final(self) -> bool:
        """True when nothing more will happen to the job."""
        return self in {JobState.DONE, JobState.FAILED, JobState.DEAD}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: the stage by name, and bytes where there are bytes to count."""

    stage: str = "queued"
    bytes_done: int = 0
    bytes_total: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed: the domain error's class name, its sentence, and what else the API needs to tell it again."""

    code: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of durable work.

    `fence` grows by one at each claim: a write under an older fence is refused, so a worker that was thought dead can
    do no harm. `tries` counts claims; at `max_tries` a job whose lease runs out is dead. `not_before` delays a retry.
    """

    id: str
    kind: JobKind
    artifact_id: str
    artifact_type: ArtifactType
    owner: str
    payload: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    not_before: datetime
    state: JobState = JobState.QUEUED
    progress: Progress = field(default_factory=Progress)
    error: JobError | None = None
    tries: int = 0
    max_tries: int = 3
    fence: int = 0
    worker: str | None = None
    lease_until: datetime | None = None

    @property
    def claim(self) -> "Claim":
        """The proof of ownership that writes on behalf of this job carry."""
        return Claim(self.id, self.fence)


def new_job(
    kind: JobKind,
    artifact: Artifact,
    *,
    owner: str,
    now: datetime,
    payload: Mapping[str, Any] | None = None,
    max_tries: int = 3,
    not_before: datetime | None = None,
) -> Job:
    """A job about one artifact, due at once or at `not_before`."""
    return Job(
        id=new_id(),
        kind=kind,
        artifact_id=artifact.id,
        artifact_type=artifact.type,
        owner=owner,
        payload=payload or {},
        created_at=now,
        updated_at=now,
        not_before=not_before or now,
        max_tries=max_tries,
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """A job as one worker holds it: valid while the stored fence is the same and the job is running."""

    job_id: str
    fence: int
