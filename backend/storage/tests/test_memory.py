from collections.abc import AsyncIterator

import pytest

from backend.storage.memory import MemoryBlobs, MemoryStore
from backend.storage.tests.blob_contract import BlobContract
from backend.storage.tests.metadata_contract import MetadataContract


class TestMemoryStore(MetadataContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[MemoryStore]:
        store = MemoryStore()
        yield store
        await store.close()


class TestMemoryBlobs(BlobContract):
    @pytest.fixture
    async def blobs(self) -> AsyncIterator[MemoryBlobs]:
        blobs = MemoryBlobs()
        yield blobs
        await blobs.close()
