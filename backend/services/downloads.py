"""Serve an artifact's bytes: all of it as one zip, or a single file; every download is in the audit trail."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from backend.domain.artifact import Artifact, FileEntry
from backend.domain.audit import Action, AuditEntry
from backend.domain.errors import NotFound
from backend.domain.ids import new_id
from backend.domain.source import ArtifactType, Host
from backend.domain.user import User
from backend.services.bundle import Member, size_of, write
from backend.services.clock import Clock
from backend.services.contents import Contents
from backend.services.directory import Directory
from backend.storage.base import AuditTrail

PEEKED_CHUNKS = 2
"""A zip's first chunk is a header; the second is the first that needs the source to answer."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """An artifact as one zip. `size_bytes` is None where only the source knows, and says so too late."""

    artifact: Artifact
    files: Sequence[FileEntry]
    filename: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Download:
    """Bytes of a file on their way out."""

    filename: str
    size_bytes: int
    chunks: AsyncIterator[bytes]


class Downloads:
    """Downloads of bundles and files."""

    def __init__(self, directory: Directory, trail: AuditTrail, contents: Contents, *, now: Clock) -> None:
        self._directory = directory
        self._trail = trail
        self._contents = contents
        self._now = now

    async def find_bundle(self, viewer: User, kind: ArtifactType, artifact_id: str) -> Bundle:
        """What the whole artifact is as a zip, before anything of it is read.

        Raises:
            NotFound: there is no such artifact, or it is kept as a link only.
        """
        artifact, files = await self._directory.files(viewer, kind, artifact_id)
        if artifact.source.host is Host.LINK:
            raise NotFound(f"{artifact.name} is kept as a link; its content is at {artifact.url}")
        sizes_hold = artifact.source.host is Host.HUGGINGFACE or all(file.held for file in files)
        size = size_of([_member(file) for file in files]) if sizes_hold else None
        return Bundle(artifact, files, f"{artifact.name}.zip", size)

    async def bundle(self, viewer: User, found: Bundle) -> AsyncIterator[bytes]:
        """The bytes of the zip; files that are not held are streamed through from the source.

        Raises:
            UpstreamFailed, UpstreamRefused: the source did not give the first byte.
        """
        chunks = await _begin(write(self._members(found.artifact, found.files)))
        await self._record(viewer, found.artifact)
        return chunks

    async def find_file(
        self, viewer: User, kind: ArtifactType, artifact_id: str, path: str
    ) -> tuple[Artifact, FileEntry]:
        """One file of an artifact.

        Raises:
            NotFound: there is no such artifact, or no such file in it.
        """
        artifact, files = await self._directory.files(viewer, kind, artifact_id)
        entry = next((file for file in files if file.path == path), None)
        if entry is None:
            raise NotFound(f"{artifact.name} has no file {path!r}")
        return artifact, entry

    async def file(self, viewer: User, artifact: Artifact, entry: FileEntry, start: int, stop: int) -> Download:
        """Bytes `start` up to, not including, `stop` of one file.

        Raises:
            UpstreamFailed, UpstreamRefused: the source did not give the first byte.
        """
        chunks = await _begin(self._contents.open(artifact, entry, start, stop))
        await self._record(viewer, artifact)
        return Download(entry.path.rsplit("/", 1)[-1], stop - start, chunks)

    async def _record(self, viewer: User, artifact: Artifact) -> None:
        entry = AuditEntry(new_id(), viewer, self._now(), artifact.summary, Action.DOWNLOAD)
        await self._trail.append([entry])

    async def _members(
        self, artifact: Artifact, files: Sequence[FileEntry]
    ) -> AsyncIterator[tuple[Member, AsyncIterator[bytes]]]:
        for file in files:
            if file.held:
                yield _member(file), self._contents.open(artifact, file)
        missing = [file for file in files if not file.held]
        if not missing:
            return
        async with self._contents.from_source(artifact, missing) as opened:
            async for entry, size_bytes, chunks in opened:
                yield Member(entry.path, size_bytes), chunks


def _member(file: FileEntry) -> Member:
    return Member(file.path, file.size_bytes, file.crc32 if file.held else None)


async def _begin(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Read far enough for a failing source to fail here, while there still is a status to answer with."""
    first: list[bytes] = []
    async for chunk in chunks:
        first.append(chunk)
        if len(first) == PEEKED_CHUNKS:
            break
    return _resume(first, chunks)


async def _resume(first: Sequence[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(rest) as chunks:  # type: ignore[type-var]  # every stream here is an async generator
        for chunk in first:
            yield chunk
        async for chunk in chunks:
            yield chunk
