"""What the registry asks of storage: few methods, complete in every backend, defined by the contract suites.

Every method is `async`. Unless a docstring says otherwise a method raises `Unavailable` when the store cannot be
reached, and nothing else. Reads of artifacts take the viewer and act as if what the viewer may not see did not exist.
Times are aware UTC and come from the caller, never from the store.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backend.domain.artifact import Artifact, ArtifactSummary, FileEntry, Link, Relation
from backend.domain.audit import AuditEntry, Reset
from backend.domain.audit_chain import Head, Sealed
from backend.domain.job import Claim, Job, JobError, JobKind, JobState, Progress
from backend.domain.listing import Listing
from backend.domain.needs import Search
from backend.domain.page import NameQuery, Page
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType
from backend.domain.user import User
from metrics.rating import Rating


@dataclass(frozen=True, slots=True)
class Commit:
    """Things that become visible together or not at all.

    `artifact` with `expected_version` None must be new: no artifact may have its id, nor its type and source key.
    With a number, it replaces the stored one if that has this type and version; the source it moves to must be free.
    `rating`, `links` and `files` replace what the artifact had; None leaves them. `audit` entries are appended and
    `jobs` queued, except those whose ids are there already. `closes` is the job on whose behalf this is written: it
    must still be held under this fence, and becomes DONE in the same step, at the artifact's `updated_at`.
    """

    artifact: Artifact
    expected_version: int | None = None
    rating: StoredRating | None = None
    links: Sequence[Link] | None = None
    files: Sequence[FileEntry] | None = None
    audit: Sequence[AuditEntry] = ()
    jobs: Sequence[Job] = ()
    closes: Claim | None = None


class Catalog(Protocol):
    """Artifacts with their ratings, links and files."""

    async def commit(self, change: Commit) -> None:
        """Apply `change` atomically and durably: when this returns, it survives a power cut.

        Raises:
            LeaseLost: `closes` is no longer held; this is looked at first.
            Conflict: the stored version is not the expected one, or the artifact is gone.
            AlreadyExists: the type and source key are taken, or a new artifact's id is; carries the id that has them.
        """
        ...

    async def delete(self, viewer: User, kind: ArtifactType, artifact_id: str, entry: AuditEntry) -> bool:
        """Remove an artifact with its rating, links, files and unfinished jobs; False when there is none.

        Its audit trail stays, with `entry` appended in the same step.
        """
        ...

    async def get(self, viewer: User, kind: ArtifactType, artifact_id: str) -> Artifact | None:
        """The artifact, None when there is none of this type and id."""
        ...

    async def by_source(self, viewer: User, kind: ArtifactType, key: str) -> Artifact | None:
        """The artifact of this type whose source has this key."""
        ...

    async def by_keys(self, viewer: User, keys: Sequence[str]) -> Sequence[Artifact]:
        """All artifacts, of any type, whose source key is among `keys`, ordered by id."""
        ...

    async def by_ids(self, viewer: User, ids: Sequence[str]) -> Sequence[Artifact]:
        """All artifacts, of any type, whose id is among `ids`, ordered by id."""
        ...

    async def page(
        self, viewer: User, queries: Sequence[NameQuery], *, after: str | None, limit: int
    ) -> Page[ArtifactSummary]:
        """Artifacts that match any query, each once, by ascending id, those with an id greater than `after`."""
        ...

    async def listed(self, viewer: User, listing: Listing, *, after: str | None, limit: int) -> Page[ArtifactSummary]:
        """Artifacts of a listing in its order; `after` is the one of the page before, which is no id here.

        Scores are those of the rating that is stored. An artifact that keeps its value is neither skipped nor repeated
        by the pages, whatever comes and goes meanwhile.

        Raises:
            InvalidInput: `after` belongs to another order.
        """
        ...

    async def search(self, viewer: User, wanted: Search, *, after: str | None, limit: int) -> Page[ArtifactSummary]:
        """Artifacts that `wanted` matches, by ascending id, those with an id greater than `after`.

        Calls `wanted` off the event loop; what it raises goes to the caller.
        """
        ...

    async def rating(self, artifact_id: str) -> StoredRating | None:
        """The rating of a model, None when it has none."""
        ...

    async def scores(self, artifact_id: str) -> Rating | None:
        """The rating of a model without the evidence it rests on, None when it has none."""
        ...

    async def files(self, artifact_id: str) -> Sequence[FileEntry]:
        """All files of an artifact, ordered by path, code point by code point."""
        ...

    async def links_from(self, artifact_ids: Sequence[str]) -> Sequence[Link]:
        """Links that these artifacts state, in the order they were committed; a replaced list counts as new."""
        ...

    async def links_to(self, keys: Sequence[str], relations: Sequence[Relation]) -> Sequence[Link]:
        """Links of these relations whose target is one of these source keys, in the order they were committed."""
        ...

    async def counts(self, viewer: User) -> dict[ArtifactType, int]:
        """How many artifacts of each type there are; a type with none is there with 0."""
        ...

    async def held_digests(self, digests: Sequence[str]) -> set[str]:
        """Which of these blob digests some file entry refers to."""
        ...


class AuditTrail(Protocol):
    """Who did what; append only, in a hash chain."""

    async def append(self, entries: Sequence[AuditEntry]) -> None:
        """Append durably; an entry whose id is there already is left as it is."""
        ...

    async def trail(self, artifact_id: str) -> Sequence[AuditEntry]:
        """All entries of an artifact, by date and then by id, also after it was deleted."""
        ...

    async def chain(self, *, after: int, limit: int) -> Sequence[Sealed]:
        """Records of the whole trail as they are stored, by sequence number, those with a greater one than `after`.

        Each entry is sealed in the step that writes it, so the order is the one in which writes took effect.
        """
        ...

    async def head(self) -> Head:
        """Where the chain ends, as noted apart from it."""
        ...


class Jobs(Protocol):
    """Durable work with leases: at most one worker holds a job, and a dead worker's job is taken over."""

    async def enqueue(self, job: Job) -> None:
        """Store a new job durably; one whose id is there already is left as it is."""
        ...

    async def claim(self, kinds: Sequence[JobKind], *, worker: str, now: datetime, lease_until: datetime) -> Job | None:
        """Take the oldest job of these kinds that is due, queued or running under a lease that ended before `now`.

        The oldest is the first by `created_at` and then by id.

        The claim makes it RUNNING with one more try and one more fence. A job that would exceed its `max_tries`
        becomes DEAD instead, with an error that says so, and the next one is taken. None when there is nothing to do.
        """
        ...

    async def claim_alike(self, claim: Claim, *, most: int, now: datetime) -> Sequence[Job]:
        """Take queued jobs of the same kind that are due, under the worker and the lease of the job that is held.

        The oldest first and `most` at most, each as `claim` takes it; none when `claim` is not held any more.
        """
        ...

    async def finish_all(self, claims: Sequence[Claim], *, now: datetime) -> set[str]:
        """End jobs as DONE; the ids of those that were still held, and ended."""
        ...

    async def renew(self, claims: Sequence[Claim], *, lease_until: datetime) -> set[str]:
        """Extend leases; the ids of those jobs that are still held. A job not in it was lost.

        A lease that has ended still holds until somebody else takes the job.
        """
        ...

    async def report(self, claim: Claim, progress: Progress, *, now: datetime) -> None:
        """Record progress.

        Raises:
            LeaseLost: the job is no longer held.
        """
        ...

    async def hold(
        self, claim: Claim, artifact_id: str, entry: FileEntry, progress: Progress, *, now: datetime
    ) -> None:
        """Mark one file of an artifact held and record progress, in one step; the blob must be stored already.

        `entry` takes the place of the listed file with its path and claimed digests.

        Raises:
            LeaseLost: the job is no longer held, or the artifact is gone or no longer lists such a file.
        """
        ...

    async def finish(self, claim: Claim, *, error: JobError | None, now: datetime) -> None:
        """End a job: DONE, or FAILED with its error.

        Raises:
            LeaseLost: the job is no longer held.
        """
        ...

    async def retry(self, claim: Claim, *, not_before: datetime, error: JobError, now: datetime) -> None:
        """Hand a job back, due at `not_before`; DEAD instead when it has no tries left.

        Raises:
            LeaseLost: the job is no longer held.
        """
        ...

    async def job(self, job_id: str) -> Job | None:
        """One job."""
        ...

    async def jobs(
        self, *, artifact_id: str | None = None, states: Sequence[JobState] = (), after: str | None, limit: int
    ) -> Page[Job]:
        """Jobs by ascending id, of one artifact or of all, in these states or in any."""
        ...

    async def job_counts(self) -> dict[JobState, int]:
        """How many jobs are in each state; a state with none is there with 0."""
        ...


class MetadataStore(Catalog, AuditTrail, Jobs, Protocol):
    """Everything but bytes, in one place so that one commit covers it."""

    async def reset(self, record: Reset | None = None) -> None:
        """Empty everything at one instant; jobs that run find their lease lost.

        The audit trail begins anew, with `record` sealed as its first record.
        """
        ...

    async def ping(self) -> None:
        """Answer when a read succeeds."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads; the store is not used afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored blob: SHA-256 in lower-case hex, size in bytes, CRC-32 as an unsigned integer (only from `put`)."""

    digest: str
    size_bytes: int
    crc32: int | None = None
    git_sha1: str | None = None
    """The digest git would give these bytes (only from `put` with a known size)."""
    stored_at: datetime | None = None


class BlobStore(Protocol):
    """Bytes under their SHA-256: the same content is kept once, and what is there is whole and never changes."""

    async def put(
        self, chunks: AsyncIterator[bytes], *, expected_size: int | None = None, expected_sha256: str | None = None
    ) -> Blob:
        """Store a stream durably and return what it turned out to be; nothing is visible until it is whole.

        Content that is there already only becomes younger. What `chunks` raises goes to the caller.

        Raises:
            DigestMismatch: size or digest is not the expected one; nothing is kept.
        """
        ...

    def open(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` up to, not including, `stop` (None: the end), in chunks of at most 1 MiB.

        Raises:
            BlobMissing: there is no such blob; raised at the first step.
        """
        ...

    async def stat(self, digest: str) -> Blob | None:
        """What is stored under a digest, None when nothing is."""
        ...

    async def delete(self, digest: str) -> None:
        """Remove a blob; nothing happens when there is none."""
        ...

    def list(self) -> AsyncIterator[Blob]:
        """Every blob, in any order, with the time it was stored."""
        ...

    async def ping(self) -> None:
        """Answer when the store can be written to."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...


class DigestMismatch(Exception):
    """The bytes are not what they were said to be."""


class BlobMissing(Exception):
    """There is no blob under this digest."""
