# ruff: noqa: D102 - the protocols in base.py carry the docstrings
"""Blobs in memory."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

from backend.storage.base import Blob, BlobMissing, BlobStore
from backend.storage.fingerprint import CHUNK_BYTES, Fingerprint


class MemoryBlobs(BlobStore):
    """`BlobStore` over a dictionary; a blob costs its size in memory."""

    def __init__(self) -> None:
        self._blobs: dict[str, tuple[Blob, bytes]] = {}

    async def put(
        self, chunks: AsyncIterator[bytes], *, expected_size: int | None = None, expected_sha256: str | None = None
    ) -> Blob:
        fingerprint, content = Fingerprint(expected_size), bytearray()
        async for chunk in chunks:
            fingerprint.update(chunk)
            content += chunk
        blob = replace(fingerprint.blob(expected_sha256), stored_at=datetime.now(UTC))
        self._blobs[blob.digest] = (blob, bytes(content))
        return blob

    async def open(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        if digest not in self._blobs:
            raise BlobMissing(f"there is no blob {digest}")
        _, content = self._blobs[digest]
        end = len(content) if stop is None else min(stop, len(content))
        for at in range(start, end, CHUNK_BYTES):
            yield content[at : min(at + CHUNK_BYTES, end)]

    async def stat(self, digest: str) -> Blob | None:
        if digest not in self._blobs:
            return None
        blob, content = self._blobs[digest]
        return Blob(digest, len(content), stored_at=blob.stored_at)

    async def delete(self, digest: str) -> None:
        self._blobs.pop(digest, None)

    async def list(self) -> AsyncIterator[Blob]:
        for digest in tuple(self._blobs):
            blob = await self.stat(digest)
            if blob is not None:
                yield blob

    async def ping(self) -> None:
        return

    async def close(self) -> None:
        return
