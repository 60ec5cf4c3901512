import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.storage.factory import open_blobs, open_metadata
from backend.storage.files import FileBlobs
from backend.storage.memory import MemoryBlobs, MemoryStore


def test_memory_urls_open_memory() -> None:
    assert isinstance(open_metadata("memory://"), MemoryStore)
    assert isinstance(open_blobs("memory://"), MemoryBlobs)


async def test_a_sqlite_url_makes_folder_and_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "registry.db"
    store = open_metadata(f"sqlite:///{file}")
    await store.ping()
    await store.close()
    assert file.is_file()


async def test_a_relative_sqlite_url_starts_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_metadata("sqlite:///data/registry.db")
    await store.close()
    assert (tmp_path / "data" / "registry.db").is_file()


def test_a_file_url_makes_the_folder(tmp_path: Path) -> None:
    assert isinstance(open_blobs(f"file://{tmp_path}/new/blobs"), FileBlobs)
    assert (tmp_path / "new" / "blobs").is_dir()


@pytest.mark.parametrize(
    "url", ["", "memory", "memory:///x", "sqlite://", "sqlite:///", "sqlite://host/x", "redis://x", "file:///x"]
)
def test_an_unknown_metadata_url_says_what_is_supported(url: str) -> None:
    with pytest.raises(ValueError, match="names no metadata store: use memory:// or sqlite:///"):
        open_metadata(url)


@pytest.mark.parametrize("url", ["", "memory", "file://", "file:///", "file://host/x", "gs://x", "sqlite:///x"])
def test_an_unknown_blob_url_says_what_is_supported(url: str) -> None:
    with pytest.raises(ValueError, match="names no blob store: use memory:// or file:///"):
        open_blobs(url)


HEAVY = {"sqlalchemy", "alembic", "sqlite3"}


@pytest.mark.parametrize(
    ("statement", "loaded"),
    [
        ("import backend.storage.base, backend.storage.factory", set()),
        ("from backend.storage.factory import open_metadata; open_metadata('memory://')", set()),
        ("from backend.storage.factory import open_metadata; open_metadata('sqlite:///old.db')", HEAVY - {"alembic"}),
    ],
    ids=["the factory alone", "memory", "an up-to-date database"],
)
async def test_only_what_is_used_is_imported(statement: str, loaded: set[str], tmp_path: Path) -> None:
    await open_metadata(f"sqlite:///{tmp_path / 'old.db'}").close()
    check = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r}); {statement}; "
    script = f"{check}print(*sorted({HEAVY!r} & set(sys.modules)))"
    # Coverage, which a measured run starts in every interpreter, has imports of its own.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    ran = subprocess.run(  # noqa: S603, ASYNC221 - its own interpreter
        [sys.executable, "-c", script], cwd=tmp_path, env=unmeasured, capture_output=True, text=True, check=True
    )
    assert set(ran.stdout.split()) == loaded
