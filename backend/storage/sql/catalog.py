"""Artifacts with their ratings and files, as functions over a connection inside a transaction."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, Connection, bindparam, delete, insert, select, update

from backend.domain.artifact import Artifact, FileEntry
from backend.domain.audit import AuditEntry
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage import rules
from backend.storage.base import Commit
from backend.storage.sql import audit, jobs, links, records, trigrams
from backend.storage.sql.dialect import in_lots
from backend.storage.sql.prepared import PreparedInsert, PreparedSelect
from backend.storage.sql.schema import artifacts, files, ratings
from backend.storage.sql.schema import scores as scores_table
from backend.storage.sql.visibility import VISIBLE, seen_by
from metrics.rating import Rating

# Built once, because building a statement costs more than running it.
_VISIBLE_ARTIFACTS = select(artifacts).where(VISIBLE)
_GET = PreparedSelect(
    _VISIBLE_ARTIFACTS.where(artifacts.c.type == bindparam("kind"), artifacts.c.id == bindparam("artifact_id"))
)
_BY_SOURCE = PreparedSelect(
    _VISIBLE_ARTIFACTS.where(artifacts.c.type == bindparam("kind"), artifacts.c.source_key == bindparam("key"))
)
_INSERT = PreparedInsert(artifacts)
_RATING = PreparedSelect(select(ratings).where(ratings.c.artifact_id == bindparam("artifact_id")))
_SCORES = PreparedSelect(select(ratings.c.rating).where(ratings.c.artifact_id == bindparam("artifact_id")))
_FILES = select(files).where(files.c.artifact_id == bindparam("artifact_id")).order_by(files.c.path)
_HOLDER = select(artifacts.c.id).where(
    artifacts.c.type == bindparam("kind"), artifacts.c.source_key == bindparam("key")
)
_STORED = (
    select(artifacts.c.source_key, artifacts.c.name, artifacts.c.readme)
    .where(
        artifacts.c.id == bindparam("artifact_id"),
        artifacts.c.type == bindparam("kind"),
        artifacts.c.version == bindparam("version"),
    )
    .with_for_update()
)


def commit(connection: Connection, change: Commit) -> None:
    """Apply a change; the caller undoes all of it when this raises."""
    artifact = change.artifact
    if change.closes is not None:
        jobs.finish(connection, change.closes, error=None, now=artifact.updated_at)
    net_score = {} if change.rating is None else {"net_score": change.rating.rating.net_score}
    if change.expected_version is None:
        _insert(connection, artifact, net_score)
    else:
        _replace(connection, artifact, change.expected_version, net_score)
    if change.rating is not None:
        _put_rating(connection, artifact.id, change.rating)
    is_new = change.expected_version is None
    if change.links or (change.links is not None and not is_new):
        links.put(connection, artifact.id, change.links)
    if change.files or (change.files is not None and not is_new):
        _put_files(connection, artifact.id, change.files)
    audit.append(connection, change.audit)
    jobs.enqueue(connection, change.jobs)


def _insert(connection: Connection, artifact: Artifact, net_score: Mapping[str, float]) -> None:
    if _INSERT.run(connection, [{"net_score": None, **records.artifact_values(artifact), **net_score}]) == 0:
        raise rules.already_exists(artifact, _holder(connection, artifact) or artifact.id)
    trigrams.add(connection, artifact.id)


def _replace(connection: Connection, artifact: Artifact, version: int, net_score: Mapping[str, float]) -> None:
    wanted = {"artifact_id": artifact.id, "kind": artifact.type, "version": version}
    stored = connection.execute(_STORED, wanted).one_or_none()
    if stored is None:
        raise rules.conflict(artifact)
    if stored.source_key != artifact.source.key and (holder := _holder(connection, artifact)) is not None:
        raise rules.already_exists(artifact, holder)
    values = {**records.artifact_values(artifact), **net_score}
    connection.execute(update(artifacts).where(artifacts.c.id == artifact.id), values)
    trigrams.change(connection, artifact.id, (stored.name, stored.readme), (artifact.name, artifact.readme))


def _holder(connection: Connection, artifact: Artifact) -> str | None:
    """The id that has the type and source key of `artifact`."""
    return connection.execute(_HOLDER, {"kind": artifact.type, "key": artifact.source.key}).scalar_one_or_none()


def _put_rating(connection: Connection, artifact_id: str, stored: StoredRating) -> None:
    connection.execute(delete(ratings).where(ratings.c.artifact_id == artifact_id))
    connection.execute(insert(ratings), {"artifact_id": artifact_id, **records.rating_values(stored)})
    connection.execute(delete(scores_table).where(scores_table.c.artifact_id == artifact_id))
    rows = [{"artifact_id": artifact_id, "metric": name, "score": score} for name, score in stored.scores.items()]
    connection.execute(insert(scores_table), rows)


def _put_files(connection: Connection, artifact_id: str, entries: Sequence[FileEntry]) -> None:
    connection.execute(delete(files).where(files.c.artifact_id == artifact_id))
    rows = {entry.path: records.file_values(artifact_id, entry) for entry in entries}
    if rows:
        connection.execute(insert(files), list(rows.values()))


def remove(connection: Connection, viewer: User, kind: ArtifactType, artifact_id: str, entry: AuditEntry) -> bool:
    """Delete an artifact; what belongs to it goes by the foreign keys."""
    found = _GET.row(connection, {"kind": kind, "artifact_id": artifact_id, **seen_by(viewer)})
    if found is None:
        return False
    trigrams.remove(connection, artifact_id, (found.name, found.readme))
    connection.execute(delete(artifacts).where(artifacts.c.id == artifact_id))
    jobs.drop_unfinished(connection, artifact_id)
    audit.append(connection, [entry])
    return True


def get(connection: Connection, viewer: User, kind: ArtifactType, artifact_id: str) -> Artifact | None:
    """One artifact by type and id."""
    row = _GET.row(connection, {"kind": kind, "artifact_id": artifact_id, **seen_by(viewer)})
    return None if row is None else records.to_artifact(row)


def by_source(connection: Connection, viewer: User, kind: ArtifactType, key: str) -> Artifact | None:
    """One artifact by type and source key."""
    row = _BY_SOURCE.row(connection, {"kind": kind, "key": key, **seen_by(viewer)})
    return None if row is None else records.to_artifact(row)


def by_keys(connection: Connection, viewer: User, keys: Sequence[str]) -> list[Artifact]:
    """Artifacts by source key."""
    return _among(connection, viewer, artifacts.c.source_key, keys)


def by_ids(connection: Connection, viewer: User, ids: Sequence[str]) -> list[Artifact]:
    """Artifacts by id."""
    return _among(connection, viewer, artifacts.c.id, ids)


def _among(connection: Connection, viewer: User, column: Column[str], values: Sequence[str]) -> list[Artifact]:
    found: list[Artifact] = []
    for lot in in_lots(values):
        rows = connection.execute(_VISIBLE_ARTIFACTS.where(column.in_(lot)), seen_by(viewer))
        found.extend(map(records.to_artifact, rows))
    return sorted(found, key=lambda artifact: artifact.id)


def rating(connection: Connection, artifact_id: str) -> StoredRating | None:
    """The rating of a model."""
    row = _RATING.row(connection, {"artifact_id": artifact_id})
    return None if row is None else records.to_rating(row)


def scores(connection: Connection, artifact_id: str) -> Rating | None:
    """The rating of a model without its evidence, which is most of it."""
    row = _SCORES.row(connection, {"artifact_id": artifact_id})
    return None if row is None else records.to_scores(row)


def files_of(connection: Connection, artifact_id: str) -> list[FileEntry]:
    """The files of an artifact by path."""
    rows = connection.execute(_FILES, {"artifact_id": artifact_id})
    return [records.to_file(row) for row in rows]


def held_digests(connection: Connection, digests: Sequence[str]) -> set[str]:
    """Which digests some file refers to."""
    held: set[str] = set()
    for lot in in_lots(digests):
        held.update(connection.execute(select(files.c.digest).where(files.c.digest.in_(lot)).distinct()).scalars())
    return held
