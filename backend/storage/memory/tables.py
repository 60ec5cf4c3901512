"""The dictionaries behind the memory store, and the two indexes that keep its reads from walking all of them."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from backend.domain.artifact import Artifact, FileEntry, Link
from backend.domain.audit import AuditEntry
from backend.domain.audit_chain import Head, Sealed, seal
from backend.domain.job import Job
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType


@dataclass(slots=True)
class Tables:
    """All that a memory store holds.

    Nothing in here awaits, so on one event loop each method of the store is a transaction by itself.
    """

    artifacts: dict[str, Artifact] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    """Ids of `artifacts` in ascending order."""
    sources: dict[tuple[ArtifactType, str], str] = field(default_factory=dict)
    """Artifact id by type and source key."""
    ratings: dict[str, StoredRating] = field(default_factory=dict)
    links: dict[str, tuple[Link, ...]] = field(default_factory=dict)
    """Links by the artifact that states them; a commit moves its artifact to the end."""
    files: dict[str, dict[str, FileEntry]] = field(default_factory=dict)
    """Files by artifact id and path."""
    audit: dict[str, AuditEntry] = field(default_factory=dict)
    chain: list[Sealed] = field(default_factory=list)
    """All of `audit` in the order it was written, and the reset before it."""
    jobs: dict[str, Job] = field(default_factory=dict)

    def put_artifact(self, artifact: Artifact) -> None:
        """Insert or replace an artifact, whichever it is."""
        before = self.artifacts.get(artifact.id)
        if before is None:
            insort(self.ids, artifact.id)
        else:
            del self.sources[before.type, before.source.key]
        self.artifacts[artifact.id] = artifact
        self.sources[artifact.type, artifact.source.key] = artifact.id

    def drop_artifact(self, artifact: Artifact) -> None:
        """Remove an artifact with all that belongs to it and to no one else."""
        del self.artifacts[artifact.id]
        del self.ids[bisect_left(self.ids, artifact.id)]
        del self.sources[artifact.type, artifact.source.key]
        for table in (self.ratings, self.links, self.files):
            table.pop(artifact.id, None)
        unfinished = [job.id for job in self.jobs.values() if job.artifact_id == artifact.id and not job.state.final]
        for job_id in unfinished:
            del self.jobs[job_id]

    def artifacts_after(self, after: str | None) -> Iterator[Artifact]:
        """Artifacts with an id greater than `after` in ascending order; to be used up before anything changes."""
        start = 0 if after is None else bisect_right(self.ids, after)
        return (self.artifacts[self.ids[at]] for at in range(start, len(self.ids)))

    def put_links(self, artifact_id: str, links: Sequence[Link]) -> None:
        """Replace the links of an artifact; they count as committed now."""
        self.links.pop(artifact_id, None)
        self.links[artifact_id] = tuple(links)

    def append(self, entries: Sequence[AuditEntry]) -> None:
        """Add audit entries; one whose id is there already is left as it is."""
        for entry in entries:
            if entry.id not in self.audit:
                self.audit[entry.id] = entry
                self.chain.append(seal(entry, self.head))

    @property
    def head(self) -> Head:
        """Where the audit chain ends."""
        return self.chain[-1].head if self.chain else Head()

    def enqueue(self, jobs: Sequence[Job]) -> None:
        """Add jobs; one whose id is there already is left as it is."""
        for job in jobs:
            self.jobs.setdefault(job.id, job)

    def clear(self) -> None:
        """Empty everything."""
        for table in (self.artifacts, self.sources, self.ratings, self.links, self.files, self.audit, self.jobs):
            table.clear()
        self.ids.clear()
        self.chain.clear()
