"""Write a zip of many files as a stream: stored entries, fixed times, so that the same content gives the same bytes.

The layout follows PKWARE's APPNOTE 6.3.10 (sections 4.3.7 to 4.3.16), with ZIP64 records where a figure needs them.
Entries are stored rather than deflated: weights do not compress, and a stored zip's size is known before it is sent.
"""

import struct
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

DOS_DATE = 0x21  # 1 January 1980, the earliest a zip can say
UTF8 = 0x0800
CRC_FOLLOWS = 0x0008
VERSION_ZIP64 = 45
LIMIT_32 = 0xFFFFFFFF
LIMIT_16 = 0xFFFF
REGULAR_FILE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the zip: path with `/`, size in bytes, CRC-32 where it is known before the bytes are read."""

    path: str
    size_bytes: int
    crc32: int | None = None

    @property
    def name(self) -> bytes:
        """The path as it stands in the zip."""
        return self.path.encode()

    @property
    def flags(self) -> int:
        """General purpose bits: names are UTF-8; a CRC that is not known yet follows the data."""
        return UTF8 if self.crc32 is not None else UTF8 | CRC_FOLLOWS


# Every entry carries ZIP64 sizes: 20 and 28 bytes an entry buy one layout for files of any size.
LOCAL = struct.Struct("<4sHHHHHLLLHH")
LOCAL_EXTRA = struct.Struct("<HHQQ")
DESCRIPTOR = struct.Struct("<4sLQQ")
CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
CENTRAL_EXTRA = struct.Struct("<HHQQQ")
END64 = struct.Struct("<4sQHHLLQQQQ")
LOCATOR = struct.Struct("<4sLQL")
END = struct.Struct("<4sHHHHLLH")


def size_of(members: Sequence[Member]) -> int:
    """Bytes of the zip that `write` makes of these members."""
    size = END64.size + LOCATOR.size + END.size
    for member in members:
        name = len(member.name)
        size += LOCAL.size + LOCAL_EXTRA.size + name + member.size_bytes
        size += CENTRAL.size + CENTRAL_EXTRA.size + name
        size += DESCRIPTOR.size if member.crc32 is None else 0
    return size


class ShortFile(Exception):
    """A member turned out to have another size than was announced; what was sent so far is void."""


async def write(members: AsyncIterator[tuple[Member, AsyncIterator[bytes]]]) -> AsyncIterator[bytes]:
    """Give the zip's bytes, reading each member's chunks when its turn comes.

    Raises:
        ShortFile: the chunks of a member do not add up to its size.
    """
    offset = 0
    directory: list[bytes] = []
    async for member, chunks in members:
        start = offset
        header = _local(member)
        offset += len(header)
        yield header
        crc = size = 0
        async for chunk in chunks:
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            yield chunk
        if size != member.size_bytes or (member.crc32 is not None and crc != member.crc32):
            raise ShortFile(f"{member.path} has {size} bytes where {member.size_bytes} were announced")
        offset += size
        if member.crc32 is None:
            descriptor = DESCRIPTOR.pack(b"PK\x07\x08", crc, size, size)
            offset += len(descriptor)
            yield descriptor
        directory.append(_central(member, crc, start))
    yield _ending(directory, offset)


def _local(member: Member) -> bytes:
    head = LOCAL.pack(
        b"PK\x03\x04", VERSION_ZIP64, member.flags, 0, 0, DOS_DATE, member.crc32 or 0, LIMIT_32, LIMIT_32,
        len(member.name), LOCAL_EXTRA.size,
    )  # fmt: skip
    return head + member.name + LOCAL_EXTRA.pack(1, 16, member.size_bytes, member.size_bytes)


def _central(member: Member, crc: int, start: int) -> bytes:
    head = CENTRAL.pack(
        b"PK\x01\x02", VERSION_ZIP64 | 3 << 8, VERSION_ZIP64, member.flags, 0, 0, DOS_DATE, crc, LIMIT_32, LIMIT_32,
        len(member.name), CENTRAL_EXTRA.size, 0, 0, 0, REGULAR_FILE, LIMIT_32,
    )  # fmt: skip
    return head + member.name + CENTRAL_EXTRA.pack(1, 24, member.size_bytes, member.size_bytes, start)


def _ending(directory: Sequence[bytes], start: int) -> bytes:
    """The central directory and the three records that close a ZIP64 file."""
    body = b"".join(directory)
    count = len(directory)
    end64 = END64.pack(
        b"PK\x06\x06", END64.size - 12, VERSION_ZIP64 | 3 << 8, VERSION_ZIP64, 0, 0, count, count, len(body), start
    )
    locator = LOCATOR.pack(b"PK\x06\x07", 0, start + len(body), 1)
    few = min(count, LIMIT_16)
    end = END.pack(b"PK\x05\x06", 0, 0, few, few, min(len(body), LIMIT_32), LIMIT_32, 0)
    return body + end64 + locator + end
