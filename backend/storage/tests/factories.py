"""Records to fill a store with; every argument that matters to a test is named there."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from backend.domain.artifact import Artifact, FileEntry, Link, Relation
from backend.domain.audit import Action, AuditEntry
from backend.domain.ids import new_id
from backend.domain.job import Job, JobKind
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType, Host, Source
from backend.domain.user import User
from metrics.evidence import (
    CardData,
    ClaimedResult,
    Evidence,
    Fact,
    LinkedBy,
    Missing,
    ModelRecord,
    ParentEvidence,
    RepoFile,
)
from metrics.metric import Finding, Kind, MetricResult
from metrics.rating import GatePolicy, Measured, Rating, Shortfall, Verdict

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

OWNER = User("owner", is_admin=False)
STRANGER = User("stranger", is_admin=False)
ADMIN = User("admin", is_admin=True)

_numbers = count()


def an_artifact(name: str | None = None, kind: ArtifactType = ArtifactType.MODEL, **changes: Any) -> Artifact:
    """An artifact of a source that no other has, unless `source` says so."""
    name = name or f"thing-{next(_numbers)}"
    fields: dict[str, Any] = {
        "id": new_id(),
        "name": name,
        "type": kind,
        "url": f"https://huggingface.co/acme/{name}",
        "source": Source(Host.HUGGINGFACE, kind, f"acme/{name}-{next(_numbers)}"),
        "owner": OWNER.name,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Artifact(**(fields | changes))


def an_entry(artifact: Artifact, action: Action = Action.CREATE, at: datetime = NOW, **changes: Any) -> AuditEntry:
    fields: dict[str, Any] = {"id": new_id(), "user": OWNER, "date": at}
    return AuditEntry(**(fields | {"artifact": artifact.summary, "action": action} | changes))


def a_job(**changes: Any) -> Job:
    fields: dict[str, Any] = {
        "id": new_id(),
        "kind": JobKind.INGEST,
        "artifact_id": new_id(),
        "artifact_type": ArtifactType.MODEL,
        "owner": OWNER.name,
        "payload": {"url": "https://huggingface.co/acme/bert", "paths": ["a", "b"], "depth": 2},
        "created_at": NOW,
        "updated_at": NOW,
        "not_before": NOW,
    }
    return Job(**(fields | changes))


def a_link(artifact: Artifact, target_key: str, relation: Relation = Relation.DATASET) -> Link:
    return Link(artifact.id, relation, target_key, target_key.rsplit("/", 1)[-1], LinkedBy.CARD_METADATA)


def a_file(path: str, **changes: Any) -> FileEntry:
    fields: dict[str, Any] = {"size_bytes": 7, "claimed_sha256": "ab" * 32}
    return FileEntry(path, **(fields | changes))


def a_rating(artifact: Artifact, net_score: float = 0.5) -> StoredRating:
    """A rating in which every kind of value that evidence may hold is there once."""
    found = Finding(Kind.GIVES, "names a licence — «MIT»", 0.3, "", artifact.url)
    results = (ClaimedResult("qa", "squad", "f1", 88.5, True), ClaimedResult("qa", None, None, "high"))
    record = ModelRecord(
        id="acme/bert",
        author=None,
        sha="0" * 40,
        created_at=NOW,
        last_modified=None,
        downloads=12,
        likes=3,
        pipeline_tag="fill-mask",
        library_name=None,
        tags=("en", "日本語"),
        gated=False,
        card=CardData(licenses=("mit",), results=results),
        parameters=110_000_000_000,
    )
    evidence = Evidence(
        name=artifact.name,
        url=artifact.url,
        gathered_at=NOW,
        model=Fact(record, source=artifact.url, at=NOW),
        card=Fact.lacking(Missing.RATE_LIMITED, "ask again", artifact.url, NOW),
        files=Fact((RepoFile("model.safetensors", 440_000_000, "ab" * 32),)),
        config=Fact({"hidden_size": 768, "nested": {"eps": 1e-12, "on": True, "none": None, "list": [1, "two"]}}),
        commits=Fact(()),
        parents=(
            ParentEvidence("acme/base", "huggingface:model:acme/base", "quantized", LinkedBy.CONFIG_JSON, Fact(0.25)),
        ),
        gather_seconds=1.5,
    )
    rating = Rating(
        net_score=net_score,
        net_latency_s=1.75,
        metrics={
            "license": Measured(MetricResult(1.0, (found,)), 0.0001),
            "size_score": Measured(MetricResult(-1.0, (), 0.0, {"jetson_nano": 0.2}), 0.0),
        },
        category="fill-mask",
        rated_at=NOW,
        weights={"license": 1.0},
        failed={"bus_factor": "ZeroDivisionError"},
    )
    verdict = Verdict(GatePolicy.ALL, 0.5, False, (Shortfall("license", 0.4),))
    return StoredRating(artifact.id, rating, verdict, evidence)


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
