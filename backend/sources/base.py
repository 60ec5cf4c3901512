"""What services ask of a source: the bytes of an artifact's files."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from backend.domain.artifact import FileEntry
from backend.domain.source import Source


class OpenedFile(NamedTuple):
    """One file being read: the entry it was asked by, its real size in bytes, and its bytes.

    The size may differ from the entry's: an archive holds what its export filters left.
    """

    entry: FileEntry
    size_bytes: int
    chunks: AsyncIterator[bytes]


OpenedFiles = AsyncIterator[OpenedFile]
"""Files one after the other; each one's chunks are read before the next is asked for."""


class FileSource(Protocol):
    """Reads files at their source, at an immutable commit.

    Besides what the docstrings name, every method raises `UpstreamRefused` and `UpstreamFailed`.
    """

    def open_files(
        self, source: Source, commit: str, files: Sequence[FileEntry]
    ) -> AbstractAsyncContextManager[OpenedFiles]:
        """Open several files, in the order given or in the order their archive holds them.

        Raises:
            NotFound: a file is not there; names it.
        """
        ...

    def open_file(
        self, source: Source, commit: str, entry: FileEntry, start: int = 0
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open one file from byte `start`.

        Raises:
            NotFound: it is not there.
        """
        ...
