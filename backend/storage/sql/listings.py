"""Pages and counts of artifacts, as functions over a connection."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    bindparam,
    func,
    select,
    true,
    union_all,
)

from backend.domain.artifact import ArtifactSummary
from backend.domain.page import NameQuery, Page
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage.sql import records
from backend.storage.sql.dialect import in_lots
from backend.storage.sql.prepared import PreparedSelect
from backend.storage.sql.schema import artifacts
from backend.storage.sql.visibility import VISIBLE, seen_by

_LISTING = (
    select(artifacts.c.id, artifacts.c.name, artifacts.c.type)
    .where(artifacts.c.id > bindparam("after"), VISIBLE)
    .order_by(artifacts.c.id)
    .limit(bindparam("rows"))
)
_COUNTS = select(artifacts.c.type, func.count()).where(VISIBLE).group_by(artifacts.c.type)


def page(
    connection: Connection, viewer: User, queries: Sequence[NameQuery], *, after: str | None, limit: int
) -> Page[ArtifactSummary]:
    """Artifacts that match any query; one statement, unless there are more names than one statement takes."""
    parameters = {"after": after or "", "rows": limit + 1, **seen_by(viewer)}
    rows: list[tuple[Any, ...]] = []
    for lot in in_lots(queries):
        names = _names_by_types(lot)
        strands = tuple((tuple(sorted(types)), wanted is not None) for types, wanted in names.items())
        lists = {f"names_{at}": sorted(wanted) for at, wanted in enumerate(names.values()) if wanted is not None}
        rows += (
            connection.execute(_union(strands), parameters | lists)
            if lists
            else _every(strands).plain_rows(connection, parameters)
        )
    items = records.to_summaries(rows)[: limit + 1]
    return Page(items[:limit], items[limit - 1].id if len(items) > limit else None)


def _names_by_types(queries: Iterable[NameQuery]) -> dict[frozenset[ArtifactType], set[str] | None]:
    """The names that are asked for under the same types; None where one of the queries takes any name."""
    names: dict[frozenset[ArtifactType], set[str] | None] = {}
    for query in queries:
        wanted = names.setdefault(query.types, set())
        names[query.types] = None if query.name is None or wanted is None else wanted | {query.name}
    return names


Strand = tuple[tuple[ArtifactType, ...], bool]
"""The shape of one part of a listing: the types it is of, and whether it takes names."""


@lru_cache(maxsize=256)
def _union(strands: Sequence[Strand]) -> Select[Any] | CompoundSelect[Any]:
    """The statement for listings of this shape.

    Each strand reads no more rows than the page has, in the order of an index, where one condition with OR would have
    SQLite sort every match first.
    """
    parts = [_LISTING.where(condition) for at, strand in enumerate(strands) for condition in _conditions(at, strand)]
    return parts[0] if len(parts) == 1 else union_all(*(select(part.subquery()) for part in parts))


@lru_cache(maxsize=64)
def _every(strands: Sequence[Strand]) -> PreparedSelect:
    """The statement for listings of this shape where none of it takes names, as most listings are."""
    return PreparedSelect(_union(strands))


def _conditions(at: int, strand: Strand) -> Iterator[ColumnElement[bool]]:
    types, named = strand
    if named:
        wanted = artifacts.c.name.in_(bindparam(f"names_{at}", expanding=True))
        yield wanted & artifacts.c.type.in_(types) if types else wanted
    elif types:
        yield from (artifacts.c.type == kind for kind in types)
    else:
        yield true()


def counts(connection: Connection, viewer: User) -> dict[ArtifactType, int]:
    """How many artifacts of each type there are."""
    stored = {ArtifactType(kind): number for kind, number in connection.execute(_COUNTS, seen_by(viewer))}
    return dict.fromkeys(ArtifactType, 0) | stored
