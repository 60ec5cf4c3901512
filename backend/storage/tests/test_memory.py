from collections.abc import AsyncIterator

import pytest

from backend.storage.memory import MemoryStore
from backend.storage.tests.metadata_contract import MetadataContract


class TestMemoryStore(MetadataContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[MemoryStore]:
        store = MemoryStore()
        yield store
        await store.close()
