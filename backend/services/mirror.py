"""Copy an artifact's files into blob storage, so that the registry serves what it has verified itself."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from backend.domain.artifact import Artifact, FileEntry
from backend.domain.errors import LeaseLost, UpstreamFailed
from backend.domain.job import Job, JobKind, Progress, new_job
from backend.domain.source import ArtifactType
from backend.domain.user import SYSTEM
from backend.services.clock import Clock
from backend.services.contents import Contents
from backend.services.crash import CrashPoint
from backend.settings import MirrorPolicy
from backend.storage.base import BlobStore, DigestMismatch, MetadataStore
from metrics.evidence import RepoFile
from metrics.weights import smallest_complete

TRIES = 5
"""A mirror job outlives a hub's bad hour, not a bad week."""


@dataclass(frozen=True, slots=True)
class MirrorPlan:
    """How much is copied: everything, nothing, or up to `max_bytes` an artifact."""

    policy: MirrorPolicy
    max_bytes: int

    def choose(self, kind: ArtifactType, files: Sequence[FileEntry]) -> list[FileEntry]:
        """The files to copy, in the order to copy them.

        Texts come first, being small and what people read; then the smallest complete set of weights, all of it or
        none; then whatever else still fits, small files first.
        """
        match self.policy:
            case MirrorPolicy.NONE:
                return []
            case MirrorPolicy.ALL:
                return sorted(files, key=lambda file: (file.size_bytes, file.path))
            case MirrorPolicy.UP_TO:
                return _within(self.max_bytes, _by_worth(kind, files))


def _by_worth(kind: ArtifactType, files: Sequence[FileEntry]) -> list[list[FileEntry]]:
    """Groups of files that are only worth copying whole, the most useful first."""
    weights = None
    if kind is ArtifactType.MODEL:
        weights = smallest_complete([RepoFile(file.path, file.size_bytes) for file in files])
    chosen = {file.path for file in weights.files} if weights else set()
    texts = [file for file in files if file.claimed_sha256 is None and file.path not in chosen]
    texts_paths = {file.path for file in texts}
    rest = [file for file in files if file.path not in chosen and file.path not in texts_paths]
    small_first = [[file] for file in sorted(texts, key=lambda file: (file.size_bytes, file.path))]
    rest_small_first = [[file] for file in sorted(rest, key=lambda file: (file.size_bytes, file.path))]
    together = [[file for file in files if file.path in chosen]] if chosen else []
    return [*small_first, *together, *rest_small_first]


def _within(budget: int, groups: Sequence[Sequence[FileEntry]]) -> list[FileEntry]:
    taken: list[FileEntry] = []
    left = budget
    for group in groups:
        size = sum(file.size_bytes for file in group)
        if size <= left:
            taken.extend(group)
            left -= size
    return taken


def mirror_job(artifact: Artifact, files: Sequence[FileEntry], plan: MirrorPlan, *, now: datetime) -> list[Job]:
    """The job that copies what `plan` chooses; none when it chooses nothing."""
    wanted = plan.choose(artifact.type, files)
    if not wanted:
        return []
    paths = [file.path for file in wanted]
    return [new_job(JobKind.MIRROR, artifact, owner=artifact.owner, now=now, payload={"paths": paths}, max_tries=TRIES)]


class Mirror:
    """Carries out mirror jobs; a job that was broken off goes on with the first file that is not held."""

    def __init__(
        self, store: MetadataStore, blobs: BlobStore, contents: Contents, *, now: Clock, crash: CrashPoint
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._contents = contents
        self._now = now
        self._crash = crash

    async def run(self, job: Job, report: Callable[[Progress], Awaitable[None]]) -> None:
        """Copy the files a job names, verify each, and mark each held as soon as it is.

        Raises:
            LeaseLost: the artifact was removed or changed, or the job taken over.
            UpstreamFailed: the source failed, or sent bytes that are not what it announced.
        """
        artifact = await self._store.get(SYSTEM, job.artifact_type, job.artifact_id)
        if artifact is None:
            raise LeaseLost(f"{job.artifact_type} {job.artifact_id} is gone")
        self._crash("mirror.claimed", artifact.name)
        wanted = set(job.payload["paths"])
        files = [file for file in await self._store.files(artifact.id) if file.path in wanted]
        done = sum(file.size_bytes for file in files if file.held)
        total = sum(file.size_bytes for file in files)
        await report(Progress("mirroring", done, total))
        mismatches: list[str] = []
        async with self._contents.from_source(artifact, [file for file in files if not file.held]) as opened:
            async for entry, size_bytes, chunks in opened:
                try:
                    held = await self._store_file(entry, size_bytes, chunks)
                    self._crash("mirror.stored", artifact.name)
                except DigestMismatch as mismatch:
                    mismatches.append(f"{entry.path}: {mismatch}")
                    continue
                done += entry.size_bytes
                progress = Progress("mirroring", min(done, total), total, entry.path)
                await self._store.hold(job.claim, artifact.id, held, progress, now=self._now())
                self._crash("mirror.held", artifact.name)
        if mismatches:
            raise UpstreamFailed(f"the source sent other bytes than it announced: {'; '.join(mismatches)}")

    async def _store_file(self, entry: FileEntry, size_bytes: int, chunks: AsyncIterator[bytes]) -> FileEntry:
        blob = await self._blobs.put(chunks, expected_size=size_bytes, expected_sha256=entry.claimed_sha256)
        claimed = entry.claimed_sha256 or entry.claimed_git_sha1
        verified = claimed in {blob.digest, blob.git_sha1} if claimed else None
        return replace(entry, size_bytes=blob.size_bytes, digest=blob.digest, crc32=blob.crc32, verified=verified)
