# ruff: noqa: D102 - the protocols in base.py carry the docstrings
"""The memory store put together."""

from collections.abc import Sequence

from backend.domain.audit import AuditEntry, Reset
from backend.domain.audit_chain import Head, Sealed, seal_reset
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

    async def chain(self, *, after: int, limit: int) -> Sequence[Sealed]:
        return self._tables.chain[after : after + limit]

    async def head(self) -> Head:
        return self._tables.head

    async def reset(self, record: Reset | None = None) -> None:
        ended = self._tables.head
        self._tables.clear()
        if record is not None:
            self._tables.chain.append(seal_reset(record, ended))

    async def ping(self) -> None:
        return

    async def close(self) -> None:
        return
