"""The three digests that the registry keeps of a stream: SHA-256, CRC-32 and, where the size is known, git's."""

import hashlib
import re
import zlib

from backend.storage.base import Blob, DigestMismatch

CHUNK_BYTES = 1 << 20
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def is_digest(text: str) -> bool:
    """Whether `text` is a SHA-256 in lower-case hex, and so can be nobody's path."""
    return _HEX_SHA256.fullmatch(text) is not None


class Fingerprint:
    """Digests of bytes as they go by; git's needs the size before the first byte, because its header carries it."""

    def __init__(self, expected_size: int | None) -> None:
        self.size_bytes = 0
        self._expected_size = expected_size
        self._sha256 = hashlib.sha256()
        self._crc32 = 0
        self._git = None if expected_size is None else hashlib.sha1(b"blob %d\0" % expected_size, usedforsecurity=False)

    def update(self, chunk: bytes) -> None:
        """Take in the next bytes.

        Raises:
            DigestMismatch: there are more of them than were said to come.
        """
        self.size_bytes += len(chunk)
        if self._expected_size is not None and self.size_bytes > self._expected_size:
            raise DigestMismatch(f"more than the expected {self._expected_size} bytes arrived")
        self._sha256.update(chunk)
        self._crc32 = zlib.crc32(chunk, self._crc32)
        if self._git is not None:
            self._git.update(chunk)

    def blob(self, expected_sha256: str | None) -> Blob:
        """What the bytes turned out to be; when they are stored is for the store to add.

        Raises:
            DigestMismatch: size or SHA-256 is not the expected one.
        """
        digest = self._sha256.hexdigest()
        if self._expected_size is not None and self.size_bytes != self._expected_size:
            raise DigestMismatch(f"{self.size_bytes} bytes arrived, {self._expected_size} were expected")
        if expected_sha256 is not None and digest != expected_sha256.lower():
            raise DigestMismatch(f"the bytes have SHA-256 {digest}, {expected_sha256} was expected")
        git_sha1 = None if self._git is None else self._git.hexdigest()
        return Blob(digest, self.size_bytes, self._crc32, git_sha1)
