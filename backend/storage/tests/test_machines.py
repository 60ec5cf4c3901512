import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from backend.storage.base import BlobStore, MetadataStore
from backend.storage.factory import open_blobs, open_metadata
from backend.storage.sql import trigrams
from backend.storage.tests.blob_machine import BlobMachine
from backend.storage.tests.metadata_machine import STATEFUL, MetadataMachine


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh database to copy, because migrating one for every run would take longer than the run."""
    path = tmp_path_factory.mktemp("migrated") / "registry.db"
    asyncio.run(open_metadata(f"sqlite:///{path}").close())
    return path


def run(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=STATEFUL)


def test_the_memory_store_behaves_as_the_model() -> None:
    class MemoryMachine(MetadataMachine):
        def open(self) -> MetadataStore:
            return open_metadata("memory://")

    run(MemoryMachine)


def test_the_sqlite_store_behaves_as_the_model(migrated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trigrams, "MOST_WAITING", 2)  # with more, the few artifacts of a run would never be indexed

    class SqliteMachine(MetadataMachine):
        def open(self) -> MetadataStore:
            self.folder = TemporaryDirectory()
            self.url = f"sqlite:///{shutil.copy(migrated, self.folder.name)}"
            return open_metadata(self.url)

        def reopened(self, store: MetadataStore) -> MetadataStore:
            self.run(store.close())
            return open_metadata(self.url)

        def teardown(self) -> None:
            super().teardown()
            self.folder.cleanup()

    run(SqliteMachine)


def test_memory_blobs_behave_as_the_model() -> None:
    class MemoryBlobMachine(BlobMachine):
        def open(self) -> BlobStore:
            return open_blobs("memory://")

    run(MemoryBlobMachine)


def test_file_blobs_behave_as_the_model() -> None:
    class FileBlobMachine(BlobMachine):
        def open(self) -> BlobStore:
            self.folder = TemporaryDirectory()
            return open_blobs(f"file://{self.folder.name}")

        def reopened(self, blobs: BlobStore) -> BlobStore:
            self.run(blobs.close())
            return open_blobs(f"file://{self.folder.name}")

        def teardown(self) -> None:
            super().teardown()
            self.folder.cleanup()

    run(FileBlobMachine)
