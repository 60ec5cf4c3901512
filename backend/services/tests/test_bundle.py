import io
import zipfile
import zlib
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.services.bundle import Member, ShortFile, size_of, write
from backend.tests.factories import collect, stream

Content = tuple[str, bytes]


async def _members(
    contents: Sequence[Content], *, known: bool, chunk_bytes: int = 3
) -> AsyncIterator[tuple[Member, AsyncIterator[bytes]]]:
    for member, (_, data) in zip(_announced(contents, known=known), contents, strict=True):
        yield member, stream(*(data[at : at + chunk_bytes] for at in range(0, len(data), chunk_bytes)))


def _announced(contents: Sequence[Content], *, known: bool) -> list[Member]:
    return [Member(path, len(data), zlib.crc32(data) if known else None) for path, data in contents]


async def _zipped(contents: Sequence[Content], *, known: bool) -> bytes:
    return await collect(write(_members(contents, known=known)))


def _read(data: bytes) -> list[Content]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return [(each.filename, archive.read(each)) for each in archive.infolist()]


CONTENTS = {
    "no file": [],
    "one file": [("README.md", b"hello")],
    "empty file": [("empty", b""), ("after", b"x")],
    "folders": [("a/b/c.txt", b"deep"), ("a/b.txt", b"shallow")],
    "non-ascii names": [("größe/模型.bin", b"1"), ("🤗.txt", b"2"), ("sp ace'\".md", b"3")],
    "same content twice": [("a", b"same"), ("b", b"same")],
    "binary": [("weights.bin", bytes(range(256)) * 40)],
    "bytes that look like a zip": [("trap.zip", b"PK\x05\x06" + b"\0" * 18 + b"PK\x01\x02")],
}


@pytest.mark.parametrize("known", [True, False], ids=["crc known", "crc follows"])
@pytest.mark.parametrize("contents", CONTENTS.values(), ids=CONTENTS.keys())
async def test_zip_opens_with_the_same_names_and_bytes(contents: list[Content], known: bool) -> None:
    assert _read(await _zipped(contents, known=known)) == contents


@pytest.mark.parametrize("known", [True, False], ids=["crc known", "crc follows"])
@pytest.mark.parametrize("contents", CONTENTS.values(), ids=CONTENTS.keys())
async def test_size_is_known_before_a_byte_is_written(contents: list[Content], known: bool) -> None:
    assert size_of(_announced(contents, known=known)) == len(await _zipped(contents, known=known))


PATHS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=30)


@given(st.dictionaries(PATHS, st.binary(max_size=200), max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
async def test_any_names_and_bytes_come_back(files: dict[str, bytes], known: bool) -> None:
    contents = list(files.items())

    data = await _zipped(contents, known=known)

    assert len(data) == size_of(_announced(contents, known=known))
    assert _read(data) == contents


@pytest.mark.parametrize("count", [3_000, 65_536], ids=["thousands", "more than 16 bits can count"])
async def test_many_members_are_all_listed(count: int) -> None:
    contents = [(f"part-{n:05}", b"") for n in range(count)]

    data = await _zipped(contents, known=True)

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == [path for path, _ in contents]
    assert size_of(_announced(contents, known=True)) == len(data)
    assert int.from_bytes(data[-12:-10], "little") == min(count, 0xFFFF), "where 16 bits do not do, they say so"


async def test_same_content_gives_the_same_zip() -> None:
    contents = CONTENTS["folders"]

    assert await _zipped(contents, known=False) == await _zipped(contents, known=False)


def test_size_of_what_is_larger_than_32_bits_is_exact() -> None:
    small = size_of([Member("w", 1, 0)])

    assert size_of([Member("w", 1 + (1 << 40), 0)]) == small + (1 << 40)


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(Member("weights.bin", 5), id="too few bytes"),
        pytest.param(Member("weights.bin", 3), id="too many bytes"),
        pytest.param(Member("weights.bin", 4, crc32=1), id="other bytes than its CRC says"),
    ],
)
async def test_content_that_is_not_as_announced_is_an_error_that_names_the_file(member: Member) -> None:
    async def members() -> AsyncIterator[tuple[Member, AsyncIterator[bytes]]]:
        yield member, stream(b"1234")

    with pytest.raises(ShortFile, match=r"weights\.bin"):
        await collect(write(members()))


async def test_a_member_is_opened_only_when_its_turn_comes() -> None:
    opened: list[str] = []

    async def members() -> AsyncIterator[tuple[Member, AsyncIterator[bytes]]]:
        for name in ("first", "second"):
            opened.append(name)
            yield Member(name, 1), stream(b"x")

    chunks = write(members())
    await anext(chunks)

    assert opened == ["first"]
