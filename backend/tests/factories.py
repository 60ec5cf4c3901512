"""Domain objects for tests: sensible in every field, with what a test is about given by name."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.domain.artifact import Artifact, ArtifactSummary, FileEntry, Link, Relation
from backend.domain.audit import Action, AuditEntry
from backend.domain.ids import new_id
from backend.domain.job import Job, JobKind
from backend.domain.source import ArtifactType, Host, Source
from backend.domain.user import LOCAL, User
from backend.storage.base import Commit, MetadataStore
from metrics.evidence import LinkedBy

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""The moment at which tests without a clock of their own take place."""


class SetClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        """Move on by so much time, in the words of `timedelta`."""
        self.at += timedelta(**by)


def make_artifact(
    repo: str = "acme/thing", kind: ArtifactType = ArtifactType.MODEL, host: Host = Host.HUGGINGFACE, **fields: Any
) -> Artifact:
    """An artifact read from `repo`."""
    source = Source(host, kind, repo)
    made = Artifact(
        id=new_id(),
        name=source.short_name,
        type=kind,
        url=f"https://huggingface.co/{repo}",
        source=source,
        owner=LOCAL.name,
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(made, **fields)


def make_link(
    child: Artifact,
    parent: Artifact | str,
    relation: Relation = Relation.BASE_MODEL,
    linked_by: LinkedBy = LinkedBy.CARD_METADATA,
) -> Link:
    """A link from `child` to a registered artifact, or to a key that may or may not be."""
    key = parent if isinstance(parent, str) else parent.source.key
    return Link(child.id, relation, key, key.rsplit(":", 1)[-1], linked_by)


def make_entry(path: str, size_bytes: int = 10, **fields: Any) -> FileEntry:
    """A listed file whose bytes are not held."""
    return FileEntry(path, size_bytes, **fields)


def make_job(kind: JobKind = JobKind.MIRROR, artifact: Artifact | None = None, **fields: Any) -> Job:
    """A queued job that is due."""
    made = Job(
        id=new_id(),
        kind=kind,
        artifact_id=artifact.id if artifact else new_id(),
        artifact_type=artifact.type if artifact else ArtifactType.MODEL,
        owner=LOCAL.name,
        payload={},
        created_at=NOON,
        updated_at=NOON,
        not_before=NOON,
    )
    return replace(made, **fields)


def make_audit(artifact: Artifact | ArtifactSummary, action: Action = Action.CREATE, user: User = LOCAL) -> AuditEntry:
    """One line of the trail."""
    summary = artifact.summary if isinstance(artifact, Artifact) else artifact
    return AuditEntry(new_id(), user, NOON, summary, action)


async def register(store: MetadataStore, artifact: Artifact, **parts: Any) -> Artifact:
    """Commit a new artifact; `parts` are those of `Commit`."""
    await store.commit(Commit(artifact, **parts))
    return artifact


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    """Chunks as an asynchronous stream."""
    for chunk in chunks:
        yield chunk


async def collect(chunks: AsyncIterator[bytes]) -> bytes:
    """Everything that a stream gives."""
    return b"".join([chunk async for chunk in chunks])


def without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A copy that lacks some keys."""
    return {name: value for name, value in values.items() if name not in names}
