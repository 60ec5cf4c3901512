import gzip
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import pytest

from backend.domain.errors import UpstreamFailed
from backend.sources.answers import OverCap
from backend.sources.archive import Archive, unpack_python

TOP = "nest-owl-0123456"


def packed(members: Iterable[tarfile.TarInfo | tuple[str, bytes]]) -> tuple[IO[bytes], int]:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for member in members:
            if isinstance(member, tuple):
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
            else:
                archive.addfile(member)
    return file, file.tell()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_files_are_read_below_the_top_folder() -> None:
    archive = Archive(*packed([(f"{TOP}/a.py", b"1"), (f"{TOP}/b/c.txt", b"22")]))

    assert [(path, size, content.read()) for path, size, content in archive.members()] == [
        ("a.py", 1, b"1"),
        ("b/c.txt", 2, b"22"),
    ]


def test_a_subfolder_is_read_from_there() -> None:
    archive = Archive(*packed([(f"{TOP}/data/a", b"1"), (f"{TOP}/database/b", b"2"), (f"{TOP}/c", b"3")]), "data")

    assert [path for path, _, _ in archive.members()] == ["a"]


@pytest.mark.parametrize(
    "member",
    [
        (f"{TOP}/../../etc/passwd", b"x"),
        ("/etc/passwd", b"x"),
        (TOP, b"x"),
        special(f"{TOP}/link", tarfile.SYMTYPE, "/etc/passwd"),
        special(f"{TOP}/hard", tarfile.LNKTYPE, "/etc/passwd"),
        special(f"{TOP}/fifo", tarfile.FIFOTYPE),
        special(f"{TOP}/device", tarfile.CHRTYPE),
        special(f"{TOP}/folder", tarfile.DIRTYPE),
    ],
    ids=["climbing", "absolute", "top itself", "symlink", "hard link", "fifo", "device", "folder"],
)
def test_what_is_no_plain_file_inside_is_passed_over(member: tarfile.TarInfo | tuple[str, bytes]) -> None:
    archive = Archive(*packed([member, (f"{TOP}/kept", b"1")]))

    assert [path for path, _, _ in archive.members()] == ["kept"]


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    file, size = packed([(f"{TOP}/zeros", bytes(60_000_000))])

    with pytest.raises(OverCap, match="unpacks to more"):
        list(Archive(file, size).members())


def test_a_header_that_asks_for_memory_is_refused() -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 3_000_000_000
    file = io.BytesIO(gzip.compress(header.tobuf() + bytes(1024)))

    with pytest.raises(OverCap, match="memory"):
        list(Archive(file, 10_000_000_000).members())


@pytest.mark.parametrize("cut", [0, 10, 60])
def test_half_an_archive_is_a_failure_of_the_source(cut: int) -> None:
    file, size = packed([(f"{TOP}/a", b"1" * 5000)])
    half = io.BytesIO(file.getvalue()[:cut])

    with pytest.raises(UpstreamFailed):
        list(Archive(half, size).members())


def test_what_is_no_archive_is_a_failure_of_the_source() -> None:
    with pytest.raises(UpstreamFailed):
        list(Archive(io.BytesIO(b"<html>rate limited</html>"), 25).members())


def test_only_python_within_the_caps_is_unpacked_under_names_of_our_own(tmp_path: Path) -> None:
    members = [
        (f"{TOP}/conftest.py", b"a"),
        (f"{TOP}/notes.txt", b"b"),
        (f"{TOP}/huge.py", b"c" * 100),
        (f"{TOP}/pkg/ruff.toml", b"d"),
        (f"{TOP}/pkg/x.py", b"e"),
        (f"{TOP}/pkg/y.py", b"f"),
    ]

    written = unpack_python(Archive(*packed(members)), tmp_path, max_files=2, max_file_bytes=50, max_bytes=1000)

    assert written == 2
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"000000.py": b"a", "000001.py": b"e"}
