import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.domain.errors import Unavailable
from backend.storage.base import BlobStore, DigestMismatch
from backend.storage.factory import open_blobs
from backend.storage.files import FileBlobs
from backend.storage.tests.blob_contract import HELLO, HELLO_SHA256, BlobContract, put, read


class TestFileBlobs(BlobContract):
    @pytest.fixture
    async def blobs(self, tmp_path: Path) -> AsyncIterator[BlobStore]:
        blobs = open_blobs(f"file://{tmp_path / 'blobs'}")
        yield blobs
        await blobs.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def files_under(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_a_blob_lies_under_its_digest_and_nothing_else_is_left(root: Path) -> None:
    await put(FileBlobs(root), HELLO)
    assert files_under(root) == [f"2c/f2/{HELLO_SHA256}"]


async def test_a_put_that_fails_and_a_ping_leave_no_staging_file(root: Path) -> None:
    blobs = FileBlobs(root)
    with pytest.raises(DigestMismatch):
        await put(blobs, HELLO, expected_size=4)
    with pytest.raises(DigestMismatch):
        await put(blobs, HELLO, expected_sha256="0" * 64)
    await blobs.ping()
    assert files_under(root) == []


async def test_a_reopened_folder_has_everything(root: Path) -> None:
    await put(FileBlobs(root), HELLO)
    assert await read(FileBlobs(root), HELLO_SHA256) == HELLO


async def test_two_stores_share_a_folder(root: Path) -> None:
    one, two = FileBlobs(root), FileBlobs(root)
    await put(one, HELLO)
    await put(two, HELLO)
    await two.delete(HELLO_SHA256)
    assert await one.stat(HELLO_SHA256) is None


def leave_staging(root: Path, name: str, age_s: float) -> Path:
    path = root / "tmp" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half a bl")
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def test_opening_removes_what_a_crash_left_an_hour_ago_and_nothing_younger(root: Path) -> None:
    old, young = leave_staging(root, "old", 3700), leave_staging(root, "young", 3500)
    FileBlobs(root)
    assert (old.exists(), young.exists()) == (False, True)


def test_sweeping_takes_the_age_it_is_given(root: Path) -> None:
    blobs = FileBlobs(root)
    leave_staging(root, "a", 100)
    leave_staging(root, "b", 50)
    assert [blobs.sweep_staging(75), blobs.sweep_staging(75), blobs.sweep_staging(0)] == [1, 0, 1]


async def test_staging_files_are_no_blobs(root: Path) -> None:
    blobs = FileBlobs(root)
    leave_staging(root, HELLO_SHA256, 0)
    assert [blob async for blob in blobs.list()] == []


async def test_content_is_forced_to_disk_before_it_gets_its_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = FileBlobs(root)
    synced: list[tuple[str, list[str]]] = []
    really = os.fsync

    def fsync(handle: int) -> None:
        name = Path(f"/dev/fd/{handle}").resolve()
        synced.append(
            ("folder" if name.is_dir() else "file", [each for each in files_under(root) if "tmp" not in each])
        )
        really(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    await put(blobs, HELLO)
    named = [f"2c/f2/{HELLO_SHA256}"]
    assert synced == [("file", []), ("folder", named), ("folder", named), ("folder", named)]


async def test_a_folder_that_cannot_be_written_to_is_unavailable(root: Path) -> None:
    blobs = FileBlobs(root)
    (root / "tmp").rmdir()
    (root / "tmp").write_bytes(b"in the way")
    with pytest.raises(Unavailable):
        await blobs.ping()
    with pytest.raises(Unavailable):
        await put(blobs, HELLO)
