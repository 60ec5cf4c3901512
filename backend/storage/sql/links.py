"""Links between artifacts, as functions over a connection."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from backend.domain.artifact import Link, Relation
from backend.storage.sql import records
from backend.storage.sql.dialect import in_lots
from backend.storage.sql.schema import links


def put(connection: Connection, artifact_id: str, stated: Sequence[Link]) -> None:
    """Replace the links of an artifact."""
    connection.execute(delete(links).where(links.c.artifact_id == artifact_id))
    if stated:
        connection.execute(insert(links), [records.link_values(artifact_id, link) for link in stated])


def stated_by(connection: Connection, artifact_ids: Sequence[str]) -> list[Link]:
    """Links of these artifacts in the order of their commits."""
    return _in_order(connection, [links.c.artifact_id.in_(lot) for lot in in_lots(artifact_ids)])


def pointing_at(connection: Connection, keys: Sequence[str], relations: Sequence[Relation]) -> list[Link]:
    """Links of these relations to these source keys in the order of their commits."""
    related = links.c.relation.in_(list(relations))
    return _in_order(connection, [links.c.target_key.in_(lot) & related for lot in in_lots(keys)])


def _in_order(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> list[Link]:
    rows = [row for condition in conditions for row in connection.execute(select(links).where(condition))]
    return [records.to_link(row) for row in sorted(rows, key=lambda row: int(row.seq))]
