"""The audit trail, as functions over a connection."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from backend.domain.audit import AuditEntry
from backend.storage.sql import records
from backend.storage.sql.prepared import PreparedInsert
from backend.storage.sql.schema import audit

_INSERT = PreparedInsert(audit)
_TRAIL = select(audit).where(audit.c.artifact_id == bindparam("artifact_id")).order_by(audit.c.date, audit.c.id)


def append(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Add entries; one whose id is there already is left as it is."""
    if entries:
        _INSERT.run(connection, [records.audit_values(entry) for entry in entries])


def trail(connection: Connection, artifact_id: str) -> list[AuditEntry]:
    """All entries of an artifact, oldest first."""
    return [records.to_audit_entry(row) for row in connection.execute(_TRAIL, {"artifact_id": artifact_id})]
