# ruff: noqa: D102 - the protocols in base.py carry the docstrings
"""The memory store put together."""

from collections.abc import Sequence

from backend.domain.audit import AuditEntry
from backend.storage.base import MetadataStore
from backend.storage.memory.catalog import MemoryCatalog
from backend.storage.memory.jobs import MemoryJobs
from backend.storage.memory.tables import Tables


class MemoryStore(MemoryCatalog, MemoryJobs, MetadataStore):
    """`MetadataStore` over dictionaries, for one event loop; nothing survives the process."""

    def __init__(self) -> None:
        self._tables = Tables()

    async def append(self, entries: Sequence[AuditEntry]) -> None:
        self._tables.append(entries)

    async def trail(self, artifact_id: str) -> Sequence[AuditEntry]:
        entries = (entry for entry in self._tables.audit.values() if entry.artifact.id == artifact_id)
        return sorted(entries, key=lambda entry: (entry.date, entry.id))

    async def reset(self) -> None:
        self._tables.clear()

    async def ping(self) -> None:
        return

    async def close(self) -> None:
        return
