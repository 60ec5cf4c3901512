"""The audit trail and its hash chain, as functions over a connection."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update

from backend.domain.audit import AuditEntry, Reset
from backend.domain.audit_chain import Head, Sealed, seal, seal_reset
from backend.storage.sql import records
from backend.storage.sql.prepared import PreparedChange, PreparedInsert, PreparedSelect
from backend.storage.sql.schema import audit, audit_head

_TRAIL = select(audit).where(audit.c.artifact_id == bindparam("artifact_id")).order_by(audit.c.date, audit.c.id)
_CHAIN = select(audit).where(audit.c.sequence > bindparam("after")).order_by(audit.c.sequence).limit(bindparam("rows"))
_HEAD = PreparedSelect(select(audit_head.c.count, audit_head.c.digest).with_for_update())
_MOVE_HEAD = PreparedChange(update(audit_head).values(count=bindparam("to"), digest=bindparam("sealed")))
_FIRST_HEAD = PreparedInsert(audit_head)
_INSERT = PreparedInsert(audit, "id")


def append(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Add entries; one whose id is there already is left as it is."""
    if not entries:
        return
    before = at = head(connection)
    for entry in entries:
        sealed = seal(entry, at)
        if _INSERT.run(connection, [records.sealed_values(sealed)]):
            at = sealed.head
    if at != before:
        _move_head(connection, at)


def open_after_reset(connection: Connection, reset: Reset, ended: Head) -> None:
    """Begin the new chain, once the store is empty."""
    sealed = seal_reset(reset, ended)
    _INSERT.run(connection, [records.sealed_values(sealed)])
    _move_head(connection, sealed.head)


def head(connection: Connection) -> Head:
    """Where the chain ends."""
    row = _HEAD.row(connection, {})
    return Head() if row is None else Head(row[0], row[1])


def _move_head(connection: Connection, at: Head) -> None:
    if not _MOVE_HEAD.run(connection, {"to": at.count, "sealed": at.digest}):
        _FIRST_HEAD.run(connection, [{"chain": 1, "count": at.count, "digest": at.digest}])


def chain(connection: Connection, after: int, limit: int) -> list[Sealed]:
    """Records in their order, from behind `after`."""
    return [records.to_sealed(row) for row in connection.execute(_CHAIN, {"after": after, "rows": limit})]


def trail(connection: Connection, artifact_id: str) -> list[AuditEntry]:
    """All entries of an artifact, oldest first."""
    return [records.to_audit_entry(row) for row in connection.execute(_TRAIL, {"artifact_id": artifact_id})]
