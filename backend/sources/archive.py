"""A repository's tarball on disk: read member by member under caps, never unpacked where its names say."""

import gzip
import tarfile
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from backend.domain.errors import UpstreamFailed
from backend.sources.answers import OverCap
from backend.sources.download import Download

MAX_MEMBERS = 200_000
_MAX_RATIO = 200
"""Unpacked bytes per packed byte; source text packs to a fifth, so anything past this is a bomb."""
_SPARE_BYTES = 10_000_000
_LARGEST_READ_BYTES = 4_000_000


async def spool(download: Download, into: IO[bytes], max_bytes: int) -> int:
    """Write a download to a file and return its size.

    Raises:
        OverCap: it is larger than `max_bytes`.
    """
    size = 0
    async for chunk in download:
        size += len(chunk)
        if size > max_bytes:
            raise OverCap(f"the archive is larger than {max_bytes} bytes")
        into.write(chunk)
    into.flush()
    into.seek(0)
    return size


@contextmanager
def temporary_file() -> Iterator[IO[bytes]]:
    """A file without a name that is gone when it is closed."""
    with tempfile.TemporaryFile(prefix="registry-archive-") as file:
        yield file


class Archive:
    """The regular files of a gzipped tarball under its one top folder; links and devices are passed over."""

    def __init__(self, file: IO[bytes], packed_bytes: int, folder: str = "") -> None:
        self._file = file
        self._budget = packed_bytes * _MAX_RATIO + _SPARE_BYTES
        self._prefix = f"{folder}/" if folder else ""

    def members(self) -> Generator[tuple[str, int, IO[bytes]], None, None]:
        """Path from the folder, real size and content of each file, in the archive's order; read before the next.

        Raises:
            OverCap: it unpacks to more than any source code would.
            UpstreamFailed: it is not a whole tarball.
        """
        self._file.seek(0)
        try:
            with _Bounded(self._file) as plain, tarfile.open(fileobj=plain, mode="r:") as archive:
                for number, member in enumerate(archive):
                    self._charge(number, member)
                    path = self._inside(member)
                    content = archive.extractfile(member) if path else None
                    if path and content is not None:
                        yield path, member.size, content
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, OSError, ValueError) as error:
            raise UpstreamFailed(f"the archive cannot be read: {type(error).__name__}") from None

    def _charge(self, number: int, member: tarfile.TarInfo) -> None:
        self._budget -= member.size
        if number >= MAX_MEMBERS or self._budget < 0:
            raise OverCap("the archive unpacks to more than any source code would")

    def _inside(self, member: tarfile.TarInfo) -> str | None:
        """The member's path under the folder, None when it is no regular file or lies elsewhere."""
        parts = PurePosixPath(member.name).parts[1:]
        if not member.isreg() or not parts or ".." in parts or member.name.startswith("/"):
            return None
        path = "/".join(parts)
        return path.removeprefix(self._prefix) if path.startswith(self._prefix) else None


class _Bounded(gzip.GzipFile):
    """A gzip reader that refuses a large single read, which tarfile makes when a header lies about its own length."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(fileobj=file, mode="rb")

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0 or size > _LARGEST_READ_BYTES:
            raise OverCap("the archive asks for more memory than any source code would")
        return super().read(size)


def unpack_python(archive: Archive, root: Path, *, max_files: int, max_file_bytes: int, max_bytes: int) -> int:
    """Write the Python sources of an archive below `root` and return how many; stops at the caps.

    Files get numbers for names, so that nothing in the archive chooses a path.
    """
    written = total = 0
    for path, size, content in archive.members():
        if not path.endswith(".py") or size > max_file_bytes:
            continue
        total += size
        if written >= max_files or total > max_bytes:
            break
        (root / f"{written:06d}.py").write_bytes(content.read())
        written += 1
    return written
