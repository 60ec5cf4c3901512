"""Artifacts: what is registered, the files it consists of, and the links between them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backend.domain.source import ArtifactType, Source
from backend.domain.user import User
from metrics.evidence import LinkedBy, RepoFile


class Visibility(StrEnum):
    """Who may see an artifact."""

    EVERYONE = "everyone"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class ArtifactSummary:
    """The three fields that every listing shows."""

    id: str
    name: str
    type: ArtifactType


@dataclass(frozen=True, slots=True)
class Artifact:
    """One registered model, dataset or code repository.

    `url` is kept byte for byte as it was sent. `commit` is the immutable revision the evidence and files belong to.
    `readme` is what search reads, None where there is none. `size_bytes` is the sum over all files, None where the
    source does not say. `license` is an SPDX expression, None where none is known. `version` counts updates from 1 and
    guards against lost updates.
    """

    id: str
    name: str
    type: ArtifactType
    url: str
    source: Source
    owner: str
    created_at: datetime
    updated_at: datetime
    team: str | None = None
    visibility: Visibility = Visibility.EVERYONE
    commit: str | None = None
    readme: str | None = None
    license: str | None = None
    size_bytes: int | None = None
    version: int = 1

    @property
    def summary(self) -> ArtifactSummary:
        """The listing's view of this artifact."""
        return ArtifactSummary(self.id, self.name, self.type)

    def visible_to(self, viewer: User) -> bool:
        """Whether `viewer` may know that this artifact exists."""
        return self.visibility is Visibility.EVERYONE or viewer.is_admin or viewer.name == self.owner


class Relation(StrEnum):
    """What the target of a link is to the artifact that names it."""

    DATASET = "dataset"
    CODE = "code"
    BASE_MODEL = "base_model"
    FINE_TUNED_FROM = "fine_tuned_from"
    ADAPTER = "adapter"
    QUANTIZED = "quantized"
    MERGE = "merge"


PARENT_RELATIONS = frozenset(
    {Relation.BASE_MODEL, Relation.FINE_TUNED_FROM, Relation.ADAPTER, Relation.QUANTIZED, Relation.MERGE}
)


@dataclass(frozen=True, slots=True)
class Link:
    """A named relation of an artifact to another place, registered or not.

    Links point at a source's key, so an artifact registered later under that key is found without rewriting anything.
    """

    artifact_id: str
    relation: Relation
    target_key: str
    target_name: str
    linked_by: LinkedBy


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of an artifact and whether the registry holds its bytes.

    `digest` is the SHA-256 (hex) under which the blob is held, None while the file is streamed through from its
    source. `claimed_sha256` and `claimed_git_sha1` are what the source says. `crc32` is known once the file is held.
    `verified` is True when the held bytes match a claimed digest, False when they match none, None while not held.
    """

    path: str
    size_bytes: int
    claimed_sha256: str | None = None
    claimed_git_sha1: str | None = None
    digest: str | None = None
    crc32: int | None = None
    verified: bool | None = None

    @classmethod
    def of(cls, file: RepoFile) -> "FileEntry":
        """The entry of a file that its source has just listed; its bytes are not held yet."""
        return cls(file.path, file.size_bytes, claimed_sha256=file.sha256, claimed_git_sha1=file.git_sha1)

    @property
    def held(self) -> bool:
        """True when the bytes are in blob storage."""
        return self.digest is not None
