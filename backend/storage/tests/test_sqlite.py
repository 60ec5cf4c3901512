from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.storage.base import MetadataStore
from backend.storage.factory import open_metadata
from backend.storage.tests.metadata_contract import MetadataContract


class TestSqliteStore(MetadataContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[MetadataStore]:
        store = open_metadata(f"sqlite:///{tmp_path / 'registry.db'}")
        yield store
        await store.close()
