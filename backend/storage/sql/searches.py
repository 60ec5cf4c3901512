"""Searches of names and READMEs, as functions over a connection."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, LargeBinary, bindparam, cast, func, literal, select

from backend.domain.artifact import ArtifactSummary
from backend.domain.needs import Search
from backend.domain.page import Page
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage.sql import trigrams
from backend.storage.sql.records import AnyRow
from backend.storage.sql.schema import artifacts
from backend.storage.sql.visibility import VISIBLE, seen_by

FIRST_LOT, LARGEST_LOT = 128, 512
"""Rows read at a time: few where the first ones may do, then about a megabyte of READMEs."""
MOST_CANDIDATES = 5_000
"""Where the index names more artifacts than this, walking all of them in order of id finds a page sooner."""

_TEXTS = select(artifacts.c.id, artifacts.c.name, artifacts.c.type, artifacts.c.readme).where(VISIBLE)
_FOLLOWING = _TEXTS.where(artifacts.c.id > bindparam("after")).order_by(artifacts.c.id).limit(bindparam("rows"))
_THESE = _TEXTS.where(artifacts.c.id.in_(bindparam("ids", expanding=True))).order_by(artifacts.c.id)
_LOT = _FOLLOWING.subquery()
_NEWLINE = literal("\n")
_LOT_TEXT = _LOT.c.name + _NEWLINE + func.coalesce(_LOT.c.readme, "")
_JOINED = select(cast(func.group_concat(_LOT_TEXT, _NEWLINE), LargeBinary), func.max(_LOT.c.id), func.count())
"""One lot as a single text: for the engine this takes a third of the time that its rows would take."""

Lots = Iterator[Sequence[AnyRow]]


def search(
    connection: Connection, viewer: User, wanted: Search, *, after: str | None, limit: int
) -> Page[ArtifactSummary]:
    """Artifacts that match, by ascending id."""
    ids = trigrams.candidates(connection, wanted.needs, MOST_CANDIDATES)
    if ids is None:
        lots = _walk(connection, viewer, wanted, after or "")
    else:
        lots = _these(connection, viewer, sorted(each for each in ids if each > (after or "")))
    hits = (_summary(row) for lot in lots for row in lot if wanted.matches(row.name, row.readme))
    found = list(islice(hits, limit + 1))
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def _walk(connection: Connection, viewer: User, wanted: Search, after: str) -> Lots:
    """All artifacts, but for lots that are ruled out as a whole."""
    size = FIRST_LOT
    while True:
        lot = {"after": after, "rows": size, **seen_by(viewer)}
        # The first lot is not tried as a whole, because most searches find something at once.
        if (
            size == FIRST_LOT
            or wanted.rules_out is None
            or not (skipped := _skipped(connection, wanted.rules_out, lot))
        ):
            rows = connection.execute(_FOLLOWING, lot).all()
            yield rows
            count, last = len(rows), rows[-1].id if rows else after
        else:
            count, last = skipped
        if count < size:
            return
        after, size = last, LARGEST_LOT


def _skipped(
    connection: Connection, rules_out: Callable[[bytes], bool], lot: dict[str, object]
) -> tuple[int, str] | None:
    """How many artifacts a lot has, and its last id, where nothing in it matches; None where something may."""
    joined, last, count = connection.execute(_JOINED, lot).one()
    return (count, last) if rules_out(joined or b"") else None


def _these(connection: Connection, viewer: User, ids: Sequence[str]) -> Lots:
    for start in range(0, len(ids), FIRST_LOT):
        lot = ids[start : start + FIRST_LOT]
        yield connection.execute(_THESE, {"ids": lot, **seen_by(viewer)}).all()


def _summary(row: AnyRow) -> ArtifactSummary:
    return ArtifactSummary(row.id, row.name, ArtifactType(row.type))
