"""The definition of a blob store: a backend is one when a subclass with a `blobs` fixture passes all of this."""

import asyncio
import hashlib
import zlib
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

import pytest

from backend.storage.base import Blob, BlobMissing, BlobStore, DigestMismatch
from backend.storage.tests.factories import stream

MIB = 1 << 20
HELLO = b"hello"
HELLO_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
HELLO_GIT_SHA1 = "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
EMPTY_GIT_SHA1 = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
ABSENT = "0" * 64


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def put(blobs: BlobStore, *chunks: bytes, **expected: int | str) -> Blob:
    return await blobs.put(stream(chunks), **expected)


async def read(blobs: BlobStore, digest: str, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in blobs.open(digest, start, stop)])


async def digests(blobs: BlobStore) -> list[str]:
    return sorted([blob.digest async for blob in blobs.list()])


class PutContract:
    async def test_a_blob_is_read_back_and_described(self, blobs: BlobStore) -> None:
        blob = await put(blobs, b"he", b"", b"llo", expected_size=5, expected_sha256=HELLO_SHA256)
        assert (blob.digest, blob.size_bytes, blob.crc32) == (HELLO_SHA256, 5, zlib.crc32(HELLO))
        assert blob.git_sha1 == HELLO_GIT_SHA1
        assert await read(blobs, HELLO_SHA256) == HELLO

    async def test_gits_digest_needs_a_known_size(self, blobs: BlobStore) -> None:
        assert (await put(blobs, HELLO)).git_sha1 is None

    async def test_an_expected_digest_may_be_in_capitals(self, blobs: BlobStore) -> None:
        blob = await put(blobs, HELLO, expected_sha256=HELLO_SHA256.upper())
        assert blob.digest == HELLO_SHA256

    @pytest.mark.parametrize("chunks", [(), (b"",)], ids=["no chunks", "an empty chunk"])
    async def test_an_empty_blob_is_a_blob(self, blobs: BlobStore, chunks: Iterable[bytes]) -> None:
        blob = await put(blobs, *chunks, expected_size=0)
        assert (blob.digest, blob.size_bytes, blob.crc32, blob.git_sha1) == (EMPTY_SHA256, 0, 0, EMPTY_GIT_SHA1)
        assert await read(blobs, EMPTY_SHA256) == b""
        assert (await blobs.stat(EMPTY_SHA256)).size_bytes == 0

    async def test_five_megabytes_survive_in_chunks_of_at_most_one(self, blobs: BlobStore) -> None:
        content = bytes(range(256)) * (5 * MIB // 256) + b"tail"
        uneven = [content[at : at + 300_007] for at in range(0, len(content), 300_007)]
        blob = await put(blobs, *uneven, expected_size=len(content))
        assert blob.digest == sha256(content)
        chunks = [chunk async for chunk in blobs.open(blob.digest)]
        assert b"".join(chunks) == content
        assert all(0 < len(chunk) <= MIB for chunk in chunks)

    async def test_one_chunk_larger_than_a_megabyte_is_taken(self, blobs: BlobStore) -> None:
        content = b"x" * (3 * MIB + 1)
        blob = await put(blobs, content)
        assert await read(blobs, blob.digest) == content

    @pytest.mark.parametrize(
        "expected",
        [
            {"expected_size": 4},
            {"expected_size": 6},
            {"expected_size": 0},
            {"expected_sha256": ABSENT},
            {"expected_size": 5, "expected_sha256": ABSENT},
            {"expected_size": 6, "expected_sha256": HELLO_SHA256},
        ],
        ids=lambda expected: " ".join(f"{name}={str(value)[:8]}" for name, value in expected.items()),
    )
    async def test_other_bytes_than_expected_are_not_kept(self, blobs: BlobStore, expected: dict[str, int]) -> None:
        with pytest.raises(DigestMismatch):
            await put(blobs, b"hel", b"lo", **expected)
        assert await blobs.stat(HELLO_SHA256) is None
        assert await digests(blobs) == []

    async def test_a_mismatch_leaves_what_was_there(self, blobs: BlobStore) -> None:
        await put(blobs, HELLO)
        with pytest.raises(DigestMismatch):
            await put(blobs, HELLO, expected_sha256=ABSENT)
        assert await read(blobs, HELLO_SHA256) == HELLO

    async def test_a_stream_that_breaks_leaves_nothing_and_tells_why(self, blobs: BlobStore) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield HELLO
            raise ConnectionResetError("the hub hung up")

        with pytest.raises(ConnectionResetError, match="hung up"):
            await blobs.put(broken())
        assert await digests(blobs) == []

    async def test_a_put_that_is_cancelled_leaves_nothing(self, blobs: BlobStore) -> None:
        begun = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            yield b"x" * (2 * MIB)
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(blobs.put(endless()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await digests(blobs) == []

    async def test_nothing_is_visible_until_it_is_whole(self, blobs: BlobStore) -> None:
        seen: list[object] = []

        async def watched() -> AsyncIterator[bytes]:
            yield HELLO
            seen.extend([await blobs.stat(HELLO_SHA256), await digests(blobs)])

        await blobs.put(watched())
        assert seen == [None, []]

    async def test_the_same_content_put_at_once_is_kept_once(self, blobs: BlobStore) -> None:
        content = b"weights" * MIB
        halves = (content[: 3 * MIB], content[3 * MIB :])
        stored = await asyncio.gather(*(put(blobs, *halves, expected_size=len(content)) for _ in range(8)))
        assert {blob.digest for blob in stored} == {sha256(content)}
        assert await digests(blobs) == [sha256(content)]
        assert await read(blobs, sha256(content)) == content


class ReadContract:
    @pytest.mark.parametrize(
        ("start", "stop", "expected"),
        [
            (0, None, HELLO),
            (0, 5, HELLO),
            (1, 3, b"el"),
            (4, None, b"o"),
            (0, 1, b"h"),
            (0, 0, b""),
            (2, 2, b""),
            (3, 1, b""),
            (3, 99, b"lo"),
            (5, None, b""),
            (9, 12, b""),
        ],
    )
    async def test_a_range_is_read(self, blobs: BlobStore, start: int, stop: int | None, expected: bytes) -> None:
        await put(blobs, HELLO)
        assert await read(blobs, HELLO_SHA256, start, stop) == expected

    async def test_a_range_across_chunks_is_read(self, blobs: BlobStore) -> None:
        content = bytes(range(251)) * (3 * MIB // 251)
        blob = await put(blobs, content)
        start, stop = MIB - 3, 2 * MIB + 5
        chunks = [chunk async for chunk in blobs.open(blob.digest, start, stop)]
        assert b"".join(chunks) == content[start:stop]
        assert all(0 < len(chunk) <= MIB for chunk in chunks)

    async def test_a_reader_may_stop_early(self, blobs: BlobStore) -> None:
        blob = await put(blobs, b"x" * (3 * MIB))
        chunks = blobs.open(blob.digest)
        assert await anext(chunks)
        await chunks.aclose()
        assert await read(blobs, blob.digest, 0, 1) == b"x"

    @pytest.mark.parametrize(
        "digest",
        [ABSENT, "", "../../etc/passwd", "/etc/passwd", HELLO_SHA256.upper(), HELLO_SHA256[:-1], f"{HELLO_SHA256}\n"],
    )
    async def test_what_is_not_there_is_missing_at_the_first_step(self, blobs: BlobStore, digest: str) -> None:
        await put(blobs, HELLO)
        chunks = blobs.open(digest)
        with pytest.raises(BlobMissing):
            await anext(chunks)
        assert await blobs.stat(digest) is None
        await blobs.delete(digest)
        assert await digests(blobs) == [HELLO_SHA256]


class KeepContract:
    async def test_stat_tells_size_and_time(self, blobs: BlobStore) -> None:
        before = datetime.now(UTC)
        blob = await put(blobs, HELLO)
        stat = await blobs.stat(HELLO_SHA256)
        assert stat == Blob(HELLO_SHA256, 5, stored_at=blob.stored_at)
        # File systems and other machines keep time of their own, so this asks only for the right minute.
        assert abs((stat.stored_at - before).total_seconds()) < 60
        assert stat.stored_at.tzinfo is UTC

    async def test_what_is_put_again_becomes_younger(self, blobs: BlobStore) -> None:
        first = await put(blobs, HELLO)
        second = await put(blobs, HELLO)
        assert second.stored_at >= first.stored_at
        assert (await blobs.stat(HELLO_SHA256)).stored_at == second.stored_at

    async def test_a_list_holds_every_blob_as_stat_does(self, blobs: BlobStore) -> None:
        contents = [b"", HELLO, b"x" * MIB, *(b"%d" % at for at in range(40))]
        for content in contents:
            await put(blobs, content)
        listed = [blob async for blob in blobs.list()]
        assert sorted(blob.digest for blob in listed) == sorted(map(sha256, contents))
        assert [blob for blob in listed if blob != await blobs.stat(blob.digest)] == []

    async def test_a_deleted_blob_is_gone_and_its_neighbours_stay(self, blobs: BlobStore) -> None:
        await put(blobs, HELLO)
        await put(blobs, b"other")
        await blobs.delete(HELLO_SHA256)
        assert await blobs.stat(HELLO_SHA256) is None
        assert await digests(blobs) == [sha256(b"other")]
        with pytest.raises(BlobMissing):
            await read(blobs, HELLO_SHA256)

    async def test_deleting_what_is_not_there_is_nothing(self, blobs: BlobStore) -> None:
        await blobs.delete(ABSENT)
        assert await digests(blobs) == []

    async def test_a_deleted_blob_can_be_put_again(self, blobs: BlobStore) -> None:
        await put(blobs, HELLO)
        await blobs.delete(HELLO_SHA256)
        await put(blobs, HELLO)
        assert await read(blobs, HELLO_SHA256) == HELLO

    async def test_ping_leaves_nothing(self, blobs: BlobStore) -> None:
        await blobs.ping()
        assert await digests(blobs) == []


class BlobContract(PutContract, ReadContract, KeepContract):
    """Give me a fixture `blobs` that yields an empty `BlobStore` and closes it afterwards."""
