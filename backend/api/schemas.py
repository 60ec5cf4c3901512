"""The contract's shapes on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from backend.domain.artifact import Artifact, ArtifactSummary, FileEntry
from backend.domain.audit import AuditEntry
from backend.domain.job import Job
from backend.domain.source import ArtifactType

MAX_NAME = 512
MAX_URL = 2_048
MAX_RATED_AT_ONCE = 100
"""Models in one batch of ratings: enough for a page of a listing."""

ArtifactId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9\-]+$", max_length=128)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME, pattern=r"^[^\x00-\x1f\x7f]+$")]
Url = Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL), Field(json_schema_extra={"format": "uri"})]
LINK_WE_GIVE: dict[str, Any] = {"type": "string", "format": "uri", "readOnly": True}
Double = Annotated[float, Field(json_schema_extra={"format": "double"})]


class Wire(BaseModel):
    """Base of all shapes: types are taken as sent, never coerced."""

    model_config = ConfigDict(strict=True)


class ArtifactMetadata(Wire):
    """What identifies an artifact."""

    name: Name
    id: ArtifactId
    type: Annotated[ArtifactType, Field(strict=False)]

    @classmethod
    def of(cls, summary: ArtifactSummary) -> "ArtifactMetadata":
        """Show a summary."""
        return cls.model_construct(name=summary.name, id=summary.id, type=summary.type)


class ArtifactData(Wire):
    """Where an artifact comes from, and where this registry serves it."""

    url: Url
    download_url: Annotated[str | None, WithJsonSchema(LINK_WE_GIVE)] = None


class ArtifactEnvelope(Wire):
    """An artifact as the contract wraps it."""

    metadata: ArtifactMetadata
    data: ArtifactData

    @classmethod
    def of(cls, artifact: Artifact, base: str) -> "ArtifactEnvelope":
        """Show an artifact; `base` is the absolute address of this registry, without a trailing slash."""
        return cls.model_construct(
            metadata=ArtifactMetadata.of(artifact.summary),
            data=ArtifactData.model_construct(
                url=artifact.url, download_url=f"{base}/artifact/{artifact.type}/{artifact.id}/download"
            ),
        )


class Registration(Wire):
    """What to register: a source URL, a name of one's own, and for a model the dataset and code it goes with."""

    url: Url
    name: Name | None = None
    dataset_url: Url | None = None
    code_url: Url | None = None


class Query(Wire):
    """One query of the directory; `name` is exact, or `*` for all."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
    types: list[Annotated[ArtifactType, Field(strict=False)]] | None = None


class RegEx(Wire):
    """A pattern over names and READMEs."""

    regex: str


class RateRequest(Wire):
    """The models to rate, each once."""

    ids: Annotated[list[ArtifactId], Field(min_length=1, max_length=MAX_RATED_AT_ONCE)]


class LicenseCheckRequest(Wire):
    """The project to check a model against."""

    github_url: Url


class Problem(BaseModel):
    """An error by RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    correlation_id: str
    errors: list[dict[str, str]] | None = None


class WireUser(Wire):
    """A user."""

    name: str
    is_admin: bool


class Secret(Wire):
    """What proves who one is."""

    password: str


class AuthenticationRequest(Wire):
    """A sign-in."""

    user: WireUser
    secret: Secret


Track = Literal["Performance track", "Access control track", "High assurance track", "Other Security track"]


class WireTracks(BaseModel):
    """The optional parts of the contract that this registry implements."""

    plannedTracks: list[Track]  # noqa: N815 the contract's word


ContractAction = Literal["CREATE", "UPDATE", "DOWNLOAD", "RATE", "AUDIT"]


class WireAuditEntry(BaseModel):
    """One line of an artifact's history."""

    user: WireUser
    date: datetime
    artifact: ArtifactMetadata
    action: ContractAction

    @classmethod
    def of(cls, entry: AuditEntry) -> "WireAuditEntry":
        """Show an entry."""
        user = WireUser.model_construct(name=entry.user.name, is_admin=entry.user.is_admin)
        return cls.model_construct(
            user=user,
            date=entry.date,
            artifact=ArtifactMetadata.of(entry.artifact),
            action=cast("ContractAction", entry.action.value),
        )


class ArtifactCost(BaseModel):
    """Megabytes (10^6 bytes)."""

    standalone_cost: float | SkipJsonSchema[None] = None
    total_cost: float


class SizeScore(BaseModel):
    """How well the weights fit each class of device, each in [0, 1]."""

    raspberry_pi: Double
    jetson_nano: Double
    desktop_pc: Double
    aws_server: Double


class LicenseCheckAnswer(BaseModel):
    """The licence check with its reasons."""

    compatible: bool
    fine_tuning: bool
    inference: bool
    model_license: str | None
    project_license: str | None
    reasons: list[str]


class WireFile(BaseModel):
    """One file: whether this registry holds it, and whether its bytes match what the source claims."""

    path: str
    size_bytes: int
    held: bool
    sha256: str | None
    claimed_sha256: str | None
    verified: bool | None

    @classmethod
    def of(cls, entry: FileEntry) -> "WireFile":
        """Show a file entry."""
        return cls.model_construct(
            path=entry.path,
            size_bytes=entry.size_bytes,
            held=entry.held,
            sha256=entry.digest,
            claimed_sha256=entry.claimed_sha256,
            verified=entry.verified,
        )


class WireProgress(BaseModel):
    """How far a job is."""

    stage: str
    bytes_done: int
    bytes_total: int | None
    percent: float | None
    message: str


class WireJob(BaseModel):
    """A job as its owner sees it."""

    id: str
    kind: str
    state: str
    artifact_id: str
    artifact_type: ArtifactType
    progress: WireProgress
    tries: int
    created_at: datetime
    updated_at: datetime
    not_before: datetime
    error: dict[str, Any] | None

    @classmethod
    def of(cls, job: Job) -> "WireJob":
        """Show a job."""
        done, total = job.progress.bytes_done, job.progress.bytes_total
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            artifact_id=job.artifact_id,
            artifact_type=job.artifact_type,
            progress=WireProgress(
                stage=job.progress.stage,
                bytes_done=done,
                bytes_total=total,
                percent=round(100 * done / total, 1) if total else None,
                message=job.progress.message,
            ),
            tries=job.tries,
            created_at=job.created_at,
            updated_at=job.updated_at,
            not_before=job.not_before,
            error={"code": job.error.code, "detail": job.error.detail, **job.error.extra} if job.error else None,
        )
