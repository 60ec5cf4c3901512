"""Listings with filters and an order of their own, as functions over a connection."""

from collections.abc import Iterator

from sqlalchemy import Column, ColumnElement, Connection, Select, func, select, tuple_

from backend.domain.artifact import ArtifactSummary
from backend.domain.instants import instant
from backend.domain.listing import Listing, Place, ScoreRange, Sort, folded
from backend.domain.page import Page
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage.sql.records import AnyRow
from backend.storage.sql.schema import artifacts, scores
from backend.storage.sql.visibility import VISIBLE, seen_by

_COLUMNS: dict[Sort, Column[object]] = {
    Sort.ID: artifacts.c.id,
    Sort.NAME: artifacts.c.name,
    Sort.CREATED_AT: artifacts.c.created_at,
    Sort.NET_SCORE: artifacts.c.net_score,
    Sort.SIZE: artifacts.c.size_bytes,
}


def page(
    connection: Connection, viewer: User, listing: Listing, *, after: str | None, limit: int
) -> Page[ArtifactSummary]:
    """The artifacts of a listing, in its order."""
    place, rows = listing.marked(after), list[AnyRow]()
    for strand in _strands(listing, place):
        wanted = strand.where(VISIBLE, *_conditions(listing)).limit(limit + 1 - len(rows))
        rows += connection.execute(wanted, seen_by(viewer))
    items = [ArtifactSummary(row.id, row.name, ArtifactType(row.type)) for row in rows[:limit]]
    last = Place(rows[limit - 1].value, rows[limit - 1].id) if len(rows) > limit else None
    return Page(items, None if last is None else listing.mark(last))


def _strands(listing: Listing, after: Place | None) -> Iterator[Select[tuple[object, ...]]]:
    """Those that have a value and then those that have none, each read in the order of an index."""
    value, ident = _COLUMNS[listing.sort], artifacts.c.id
    every = select(ident, artifacts.c.name, artifacts.c.type, value.label("value"))
    if after is None or after.value is not None:
        keys = [ident] if listing.sort is Sort.ID else [value, ident]
        here = every.where(value.is_not(None)).order_by(*(key.desc() if listing.descending else key for key in keys))
        if after is not None:
            place = tuple_(*keys), tuple_(*([after.id] if len(keys) == 1 else [after.value, after.id]))
            here = here.where(place[0] < place[1] if listing.descending else place[0] > place[1])
        yield here
    if value.nullable:
        rest = every.where(value.is_(None)).order_by(ident.desc() if listing.descending else ident)
        if after is not None and after.value is None:
            rest = rest.where(ident < after.id if listing.descending else ident > after.id)
        yield rest


def _conditions(listing: Listing) -> Iterator[ColumnElement[bool]]:
    wanted = artifacts.c
    if len(listing.types) == 1:
        yield wanted.type == next(iter(listing.types))
    elif listing.types:
        yield wanted.type.in_(sorted(listing.types))
    if listing.name is not None:
        yield wanted.name == listing.name
    if listing.text is not None:
        yield func.instr(wanted.folded_name, folded(listing.text)) > 0
    if listing.license is not None:
        yield func.lower(wanted.license) == listing.license.lower()
    if listing.owner is not None:
        yield wanted.owner == listing.owner
    if listing.created_from is not None:
        yield wanted.created_at >= instant(listing.created_from)
    if listing.created_before is not None:
        yield wanted.created_at < instant(listing.created_before)
    yield from map(_within, listing.scores)


def _within(bounds: ScoreRange) -> ColumnElement[bool]:
    rated = select(scores.c.score).where(scores.c.artifact_id == artifacts.c.id, scores.c.metric == bounds.metric)
    if bounds.least is not None:
        rated = rated.where(scores.c.score >= bounds.least)
    if bounds.most is not None:
        rated = rated.where(scores.c.score <= bounds.most)
    return rated.exists()
