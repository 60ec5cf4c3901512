# ruff: noqa: D102 - the protocols in base.py carry the docstrings
"""Blobs as files in a folder, named by their SHA-256."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO, ParamSpec, TypeVar

from backend.domain.errors import Unavailable
from backend.storage.base import Blob, BlobMissing, BlobStore
from backend.storage.fingerprint import CHUNK_BYTES, Fingerprint, is_digest

P = ParamSpec("P")
T = TypeVar("T")

_FOLDER_NAME_LENGTH = 2

ABANDONED_AFTER_S = 3600
"""Age from which a staging file belongs to a writer that died: a live one is written to more often."""


class FileBlobs(BlobStore):
    """`BlobStore` over one folder, which several processes may share.

    A blob lies at `ab/cd/abcd…`. It is staged in `tmp/` of the same file system, forced to disk, and renamed into
    place, so a name that exists stands for whole and durable content.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staging = root / "tmp"
        self._staging.mkdir(parents=True, exist_ok=True)
        self.sweep_staging(ABANDONED_AFTER_S)

    def sweep_staging(self, older_than_s: float) -> int:
        """Remove staging files that have not been written to for this long; returns how many."""
        latest, swept = time.time() - older_than_s, 0
        for path in self._staging.iterdir():
            with suppress(FileNotFoundError):  # another process sweeps too, or its writer has just finished
                if path.stat().st_mtime <= latest:
                    path.unlink()
                    swept += 1
        return swept

    async def put(
        self, chunks: AsyncIterator[bytes], *, expected_size: int | None = None, expected_sha256: str | None = None
    ) -> Blob:
        staged = await _off_loop(_Staged, self._staging, expected_size)
        try:
            async for batch in _batches(chunks):
                await _off_loop(staged.write, batch)
            return await _off_loop(staged.publish, self._path, expected_sha256)
        finally:
            # Not awaited: it must happen even when this task is cancelled, and unlinking one file is quick.
            staged.discard()

    async def open(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        if not is_digest(digest):
            raise BlobMissing(f"there is no blob {digest!r}")
        with await _off_loop(_open, self._path(digest), start) as file:
            at = start
            while (wanted := CHUNK_BYTES if stop is None else min(CHUNK_BYTES, stop - at)) > 0:
                chunk = await _off_loop(file.read, wanted)
                if not chunk:
                    return
                at += len(chunk)
                yield chunk

    async def stat(self, digest: str) -> Blob | None:
        return await _off_loop(_stat, self._path(digest)) if is_digest(digest) else None

    async def delete(self, digest: str) -> None:
        if is_digest(digest):
            await _off_loop(self._path(digest).unlink, missing_ok=True)

    async def list(self) -> AsyncIterator[Blob]:
        for folder in await _off_loop(_folders, self._root):
            for blob in await _off_loop(_blobs_under, folder):
                yield blob

    async def ping(self) -> None:
        staged = await _off_loop(_Staged, self._staging, None)
        await _off_loop(staged.discard)

    async def close(self) -> None:
        return

    def _path(self, digest: str) -> Path:
        return self._root / digest[:2] / digest[2:4] / digest


class _Staged:
    """A blob on its way in; its methods run off the loop, one after the other."""

    def __init__(self, folder: Path, expected_size: int | None) -> None:
        handle, name = mkstemp(dir=folder)
        self._path = Path(name)
        self._file = os.fdopen(handle, "wb")
        self._fingerprint = Fingerprint(expected_size)

    def write(self, batch: Sequence[bytes]) -> None:
        for chunk in batch:
            self._fingerprint.update(chunk)
            self._file.write(chunk)

    def publish(self, place: Callable[[str], Path], expected_sha256: str | None) -> Blob:
        """Give the bytes their name, durably; the same content stored again only becomes younger."""
        blob = self._fingerprint.blob(expected_sha256)
        target = place(blob.digest)
        self._file.flush()
        os.fsync(self._file.fileno())
        modified = _time_of(os.fstat(self._file.fileno()))
        target.parent.mkdir(parents=True, exist_ok=True)
        self._path.replace(target)
        # A new name is durable once its folder is, and a new folder once the folder above it is.
        for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
            _sync_folder(folder)
        return replace(blob, stored_at=modified)

    def discard(self) -> None:
        """Close the file, and remove it unless it has been given its name."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _open(path: Path, start: int) -> BinaryIO:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise BlobMissing(f"there is no blob {path.name}") from None
    file.seek(start)
    return file


def _stat(path: Path) -> Blob | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return Blob(path.name, status.st_size, stored_at=_time_of(status))


def _time_of(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime, UTC)


def _folders(root: Path) -> list[Path]:
    return [folder for folder in root.iterdir() if len(folder.name) == _FOLDER_NAME_LENGTH]


def _blobs_under(folder: Path) -> list[Blob]:
    stats = (_stat(path) for path in folder.glob("*/*") if is_digest(path.name))
    return [blob for blob in stats if blob is not None]


async def _batches(chunks: AsyncIterator[bytes]) -> AsyncIterator[Sequence[bytes]]:
    """Gather chunks into batches of about 1 MiB, because a hop to a thread costs as much as hashing 64 KiB."""
    batch: list[bytes] = []
    size = 0
    async for chunk in chunks:
        batch.append(chunk)
        size += len(chunk)
        if size >= CHUNK_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _off_loop(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run file work in a thread; what the file system refuses is `Unavailable`."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except OSError as error:
        raise Unavailable(f"blob storage failed: {error.strerror or error}") from error
