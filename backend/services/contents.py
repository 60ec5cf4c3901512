"""An artifact's bytes, wherever they are: held in blob storage, or streamed through from the source."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

from backend.domain.artifact import Artifact, FileEntry
from backend.domain.errors import NotFound
from backend.domain.source import Host
from backend.sources.base import FileSource, OpenedFiles
from backend.storage.base import BlobStore


class Contents:
    """Opens files of artifacts for reading."""

    def __init__(self, blobs: BlobStore, huggingface: FileSource, github: FileSource) -> None:
        self._blobs = blobs
        self._sources = {Host.HUGGINGFACE: huggingface, Host.GITHUB: github}

    def from_source(self, artifact: Artifact, files: Sequence[FileEntry]) -> AbstractAsyncContextManager[OpenedFiles]:
        """Open several files at their source, at the commit that was looked at, one after the other.

        Raises:
            NotFound: the artifact is a plain link, which the registry does not read.
        """
        return self._source(artifact).open_files(artifact.source, artifact.commit or "HEAD", files)

    def open(
        self, artifact: Artifact, file: FileEntry, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[bytes]:
        """Bytes `start` up to, not including, `stop` of one file, from the registry's own copy where it has one."""
        if file.digest is not None:
            return self._blobs.open(file.digest, start, stop)
        return self._through(artifact, file, start, stop)

    async def _through(self, artifact: Artifact, file: FileEntry, start: int, stop: int | None) -> AsyncIterator[bytes]:
        left = (file.size_bytes if stop is None else stop) - start
        source = self._source(artifact)
        async with source.open_file(artifact.source, artifact.commit or "HEAD", file, start) as chunks:
            async for chunk in chunks:
                yield chunk[:left]
                left -= len(chunk)
                if left <= 0:
                    return

    def _source(self, artifact: Artifact) -> FileSource:
        source = self._sources.get(artifact.source.host)
        if source is None:
            raise NotFound(f"{artifact.url} is kept as a link only; its files are not read by this registry")
        return source
