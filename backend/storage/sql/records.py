"""Rows to domain objects and back.

Pydantic's adapters are built when first needed, because a cold start that shows no rating should not pay for one.
"""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Row

from backend.domain.artifact import Artifact, ArtifactSummary, FileEntry, Link, Relation, Visibility
from backend.domain.audit import Action, AuditEntry
from backend.domain.audit_chain import Sealed
from backend.domain.instants import instant, moment
from backend.domain.job import Job, JobError, JobKind, JobState, Progress
from backend.domain.listing import folded
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType, Host, Source
from backend.domain.user import User
from metrics.evidence import Evidence, LinkedBy
from metrics.rating import Rating, Verdict

T = TypeVar("T")
Values = dict[str, Any]
AnyRow = Row[*tuple[Any, ...]]

_TYPES: dict[str, ArtifactType] = {kind.value: kind for kind in ArtifactType}


@cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)


def artifact_values(artifact: Artifact) -> Values:
    """The row of an artifact, but for its net score."""
    source = artifact.source
    return {
        "id": artifact.id,
        "type": artifact.type,
        "name": artifact.name,
        "visibility": artifact.visibility,
        "owner": artifact.owner,
        "team": artifact.team,
        "url": artifact.url,
        "host": source.host,
        "space": source.space,
        "repo": source.repo,
        "revision": source.revision,
        "path": source.path,
        "source_key": source.key,
        "commit_id": artifact.commit,
        "license": artifact.license,
        "size_bytes": artifact.size_bytes,
        "version": artifact.version,
        "created_at": instant(artifact.created_at),
        "updated_at": instant(artifact.updated_at),
        "folded_name": folded(artifact.name),
        "readme": artifact.readme,
    }


def to_artifact(row: AnyRow) -> Artifact:
    """The artifact of a whole row."""
    return Artifact(
        id=row.id,
        name=row.name,
        type=ArtifactType(row.type),
        url=row.url,
        source=Source(Host(row.host), ArtifactType(row.space), row.repo, row.revision, row.path),
        owner=row.owner,
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        team=row.team,
        visibility=Visibility(row.visibility),
        commit=row.commit_id,
        readme=row.readme,
        license=row.license,
        size_bytes=row.size_bytes,
        version=row.version,
    )


def to_summaries(rows: Iterable[tuple[Any, ...]]) -> list[ArtifactSummary]:
    """The listing's view of rows of id, name and type, each once, by ascending id."""
    distinct = sorted({row[0]: row for row in rows}.values())
    return [ArtifactSummary(key, name, _TYPES[kind]) for key, name, kind in distinct]


def rating_values(stored: StoredRating) -> Values:
    """The JSON columns of a rating."""
    # An int where a float is declared is a number all the same, so pydantic need not warn of it.
    return {
        "rating": _adapter(Rating).dump_json(stored.rating, warnings=False).decode(),
        "verdict": _adapter(Verdict).dump_json(stored.verdict, warnings=False).decode(),
        "evidence": _adapter(Evidence).dump_json(stored.evidence, warnings=False).decode(),
    }


def to_rating(row: AnyRow) -> StoredRating:
    """The rating of a row."""
    return StoredRating(
        row.artifact_id,
        to_scores(row),
        _adapter(Verdict).validate_json(row.verdict),
        _adapter(Evidence).validate_json(row.evidence),
    )


def to_scores(row: AnyRow) -> Rating:
    """The scores of a row."""
    rating: Rating = _adapter(Rating).validate_json(row.rating)
    return rating


def link_values(artifact_id: str, link: Link) -> Values:
    """The row of a link, but for its place in the order of commits."""
    return {
        "artifact_id": artifact_id,
        "relation": link.relation,
        "target_key": link.target_key,
        "target_name": link.target_name,
        "linked_by": link.linked_by,
    }


def to_link(row: AnyRow) -> Link:
    """The link of a row."""
    return Link(row.artifact_id, Relation(row.relation), row.target_key, row.target_name, LinkedBy(row.linked_by))


def file_values(artifact_id: str, entry: FileEntry) -> Values:
    """The row of a file."""
    return {
        "artifact_id": artifact_id,
        "path": entry.path,
        "size_bytes": entry.size_bytes,
        "claimed_sha256": entry.claimed_sha256,
        "claimed_git_sha1": entry.claimed_git_sha1,
        "digest": entry.digest,
        "crc32": entry.crc32,
        "verified": entry.verified,
    }


def to_file(row: AnyRow) -> FileEntry:
    """The file of a row."""
    return FileEntry(
        row.path, row.size_bytes, row.claimed_sha256, row.claimed_git_sha1, row.digest, row.crc32, row.verified
    )


SEALED_FIELDS = ("id", "artifact_id", "artifact_name", "artifact_type", "user_name", "user_is_admin", "action", "date")
"""The columns that a record's digest covers beside its place, in the order of the table."""


def sealed_values(sealed: Sealed) -> Values:
    """The row of a record in the audit chain."""
    return {"sequence": sealed.sequence, "previous": sealed.previous, "digest": sealed.digest, **sealed.fields}


def to_sealed(row: AnyRow) -> Sealed:
    """The record of a row, whatever has become of it."""
    sequence, previous, digest, *fields = row
    return Sealed(sequence, previous, digest, dict(zip(SEALED_FIELDS, fields, strict=True)))


def to_audit_entry(row: AnyRow) -> AuditEntry:
    """The audit entry of a row."""
    return AuditEntry(
        row.id,
        User(row.user_name, row.user_is_admin),
        moment(row.date),
        ArtifactSummary(row.artifact_id, row.artifact_name, ArtifactType(row.artifact_type)),
        Action(row.action),
    )


def job_values(job: Job) -> Values:
    """The row of a job."""
    return {
        "id": job.id,
        "kind": job.kind,
        "artifact_id": job.artifact_id,
        "artifact_type": job.artifact_type,
        "owner": job.owner,
        "payload": json.dumps(dict(job.payload)),
        "state": job.state,
        "progress": _adapter(Progress).dump_json(job.progress).decode(),
        "error": None if job.error is None else _adapter(JobError).dump_json(job.error).decode(),
        "tries": job.tries,
        "max_tries": job.max_tries,
        "fence": job.fence,
        "worker": job.worker,
        "lease_until": None if job.lease_until is None else instant(job.lease_until),
        "not_before": instant(job.not_before),
        "created_at": instant(job.created_at),
        "updated_at": instant(job.updated_at),
    }


def to_job(row: AnyRow) -> Job:
    """The job of a row."""
    return Job(
        id=row.id,
        kind=JobKind(row.kind),
        artifact_id=row.artifact_id,
        artifact_type=ArtifactType(row.artifact_type),
        owner=row.owner,
        payload=json.loads(row.payload),
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        not_before=moment(row.not_before),
        state=JobState(row.state),
        progress=_adapter(Progress).validate_json(row.progress),
        error=None if row.error is None else _adapter(JobError).validate_json(row.error),
        tries=row.tries,
        max_tries=row.max_tries,
        fence=row.fence,
        worker=row.worker,
        lease_until=None if row.lease_until is None else moment(row.lease_until),
    )
