"""Pages, scans and counts of artifacts, as functions over a connection."""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select

from backend.domain.artifact import ArtifactSummary
from backend.domain.page import NameQuery, Page
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage.sql import records
from backend.storage.sql.dialect import in_lots
from backend.storage.sql.schema import artifacts
from backend.storage.sql.visibility import VISIBLE, seen_by

SCAN_BATCH = 500
"""Rows that a scan holds at a time: about a megabyte of READMEs."""

ANYTHING = NameQuery(None)

_LISTING = (
    select(artifacts.c.id, artifacts.c.name, artifacts.c.type)
    .where(artifacts.c.id > bindparam("after"), VISIBLE)
    .order_by(artifacts.c.id)
    .limit(bindparam("rows"))
)
_SCAN = _LISTING.add_columns(artifacts.c.readme)
_COUNTS = select(artifacts.c.type, func.count()).where(VISIBLE).group_by(artifacts.c.type)


def page(
    connection: Connection, viewer: User, queries: Sequence[NameQuery], *, after: str | None, limit: int
) -> Page[ArtifactSummary]:
    """Artifacts that match any query; one statement, unless there are more names than one statement takes."""
    wanted = [ANYTHING] if ANYTHING in queries else queries
    parameters = {"after": after or "", "rows": limit + 1, **seen_by(viewer)}
    found: dict[str, ArtifactSummary] = {}
    for lot in in_lots(wanted):
        statement = _LISTING if lot == [ANYTHING] else _LISTING.where(_matching(lot))
        found.update((row[0], records.to_summary(row)) for row in connection.execute(statement, parameters))
    items = [found[artifact_id] for artifact_id in sorted(found)[: limit + 1]]
    return Page(items[:limit], items[limit - 1].id if len(items) > limit else None)


def _matching(queries: Iterable[NameQuery]) -> ColumnElement[bool]:
    """One condition for all queries: names under the same types share one list."""
    names: dict[frozenset[ArtifactType], set[str] | None] = {}
    for query in queries:
        so_far = names.setdefault(query.types, set())
        names[query.types] = None if query.name is None or so_far is None else so_far | {query.name}
    return or_(*(_one_of(types, wanted) for types, wanted in names.items()))


def _one_of(types: frozenset[ArtifactType], names: set[str] | None) -> ColumnElement[bool]:
    terms: list[ColumnElement[bool]] = []
    if names is not None:
        terms.append(artifacts.c.name.in_(sorted(names)))
    if len(types) == 1:
        terms.append(artifacts.c.type == min(types))  # equality lets an index on type and id give the order
    elif types:
        terms.append(artifacts.c.type.in_(sorted(types)))
    return and_(*terms)


def scan(
    connection: Connection,
    viewer: User,
    matches: Callable[[str, str | None], bool],
    *,
    after: str | None,
    limit: int,
) -> Page[ArtifactSummary]:
    """Artifacts that `matches` says yes to, read in batches."""
    found: list[ArtifactSummary] = []
    at = after or ""
    while True:
        rows = connection.execute(_SCAN, {"after": at, "rows": SCAN_BATCH, **seen_by(viewer)}).all()
        for row in rows:
            if len(found) == limit:
                return Page(found, found[-1].id)
            if matches(row.name, row.readme):
                found.append(records.to_summary(row))
        if len(rows) < SCAN_BATCH:
            return Page(found, None)
        at = rows[-1].id


def counts(connection: Connection, viewer: User) -> dict[ArtifactType, int]:
    """How many artifacts of each type there are."""
    stored = {ArtifactType(kind): number for kind, number in connection.execute(_COUNTS, seen_by(viewer))}
    return dict.fromkeys(ArtifactType, 0) | stored
