# ruff: noqa: D102 - the protocols in base.py carry the docstrings
"""Artifacts with their ratings, links and files, in memory."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from backend.domain.artifact import Artifact, ArtifactSummary, FileEntry, Link, Relation
from backend.domain.audit import AuditEntry
from backend.domain.listing import Listing, Place
from backend.domain.needs import Search
from backend.domain.page import NameQuery, Page
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage import rules
from backend.storage.base import Commit
from backend.storage.memory.tables import Tables
from metrics.rating import Rating


class MemoryCatalog:
    """`Catalog` over dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def commit(self, change: Commit) -> None:
        self._refuse(change)
        self._apply(change)

    def _refuse(self, change: Commit) -> None:
        """Raise what stands against `change`, before any of it is done."""
        tables, artifact = self._tables, change.artifact
        if change.closes and not rules.is_held(tables.jobs.get(change.closes.job_id), change.closes):
            raise rules.lease_lost(change.closes)
        stored = tables.artifacts.get(artifact.id)
        if change.expected_version is not None and (
            stored is None or stored.type is not artifact.type or stored.version != change.expected_version
        ):
            raise rules.conflict(artifact)
        taken_by = tables.sources.get((artifact.type, artifact.source.key))
        if taken_by is not None and (taken_by != artifact.id or change.expected_version is None):
            raise rules.already_exists(artifact, taken_by)
        if change.expected_version is None and stored is not None:
            raise rules.already_exists(artifact, artifact.id)

    def _apply(self, change: Commit) -> None:
        tables, artifact = self._tables, change.artifact
        tables.put_artifact(artifact)
        if change.rating is not None:
            tables.ratings[artifact.id] = change.rating
        if change.links is not None:
            tables.put_links(artifact.id, change.links)
        if change.files is not None:
            tables.files[artifact.id] = {entry.path: entry for entry in change.files}
        tables.append(change.audit)
        tables.enqueue(change.jobs)
        if change.closes:
            job = tables.jobs[change.closes.job_id]
            tables.jobs[job.id] = rules.finished(job, None, artifact.updated_at)

    async def delete(self, viewer: User, kind: ArtifactType, artifact_id: str, entry: AuditEntry) -> bool:
        artifact = self._visible(viewer, kind, artifact_id)
        if artifact is None:
            return False
        self._tables.drop_artifact(artifact)
        self._tables.append([entry])
        return True

    def _visible_by_id(self, viewer: User, artifact_id: str) -> Artifact | None:
        artifact = self._tables.artifacts.get(artifact_id)
        return artifact if artifact and artifact.visible_to(viewer) else None

    def _visible(self, viewer: User, kind: ArtifactType, artifact_id: str) -> Artifact | None:
        artifact = self._visible_by_id(viewer, artifact_id)
        return artifact if artifact and artifact.type is kind else None

    async def get(self, viewer: User, kind: ArtifactType, artifact_id: str) -> Artifact | None:
        return self._visible(viewer, kind, artifact_id)

    async def by_source(self, viewer: User, kind: ArtifactType, key: str) -> Artifact | None:
        artifact_id = self._tables.sources.get((kind, key))
        return None if artifact_id is None else self._visible_by_id(viewer, artifact_id)

    async def by_keys(self, viewer: User, keys: Sequence[str]) -> Sequence[Artifact]:
        sources = self._tables.sources
        ids = [sources[kind, key] for kind in ArtifactType for key in keys if (kind, key) in sources]
        return await self.by_ids(viewer, ids)

    async def by_ids(self, viewer: User, ids: Sequence[str]) -> Sequence[Artifact]:
        found = (self._visible_by_id(viewer, artifact_id) for artifact_id in sorted(set(ids)))
        return [artifact for artifact in found if artifact is not None]

    async def page(
        self, viewer: User, queries: Sequence[NameQuery], *, after: str | None, limit: int
    ) -> Page[ArtifactSummary]:
        hits = (
            artifact.summary
            for artifact in self._tables.artifacts_after(after)
            if artifact.visible_to(viewer) and any(query.matches(artifact.name, artifact.type) for query in queries)
        )
        items = list(islice(hits, limit + 1))
        return Page(items[:limit], items[limit - 1].id if len(items) > limit else None)

    async def listed(self, viewer: User, listing: Listing, *, after: str | None, limit: int) -> Page[ArtifactSummary]:
        place = listing.marked(after)
        known = [
            (listing.place_of(artifact, scores), artifact.summary)
            for artifact in self._tables.artifacts_after(None)
            for scores in [self._scores_of(artifact.id)]
            if artifact.visible_to(viewer) and listing.selects(artifact, scores)
        ]
        ordered = sorted(known, key=lambda each: _rank(each[0]), reverse=listing.descending)
        lasting = [each for each in ordered if each[0].value is not None]
        lasting += [each for each in ordered if each[0].value is None]
        behind = [each for each in lasting if place is None or _follows(each[0], place, descending=listing.descending)]
        last = listing.mark(behind[limit - 1][0]) if len(behind) > limit else None
        return Page([summary for _, summary in behind[:limit]], last)

    def _scores_of(self, artifact_id: str) -> dict[str, float]:
        stored = self._tables.ratings.get(artifact_id)
        return stored.scores if stored else {}

    async def search(self, viewer: User, wanted: Search, *, after: str | None, limit: int) -> Page[ArtifactSummary]:
        visible = [artifact for artifact in self._tables.artifacts_after(after) if artifact.visible_to(viewer)]
        return await asyncio.to_thread(_first_matches, visible, wanted, limit)

    async def rating(self, artifact_id: str) -> StoredRating | None:
        return self._tables.ratings.get(artifact_id)

    async def scores(self, artifact_id: str) -> Rating | None:
        stored = self._tables.ratings.get(artifact_id)
        return stored.rating if stored else None

    async def files(self, artifact_id: str) -> Sequence[FileEntry]:
        entries = self._tables.files.get(artifact_id, {})
        return [entries[path] for path in sorted(entries)]

    async def links_from(self, artifact_ids: Sequence[str]) -> Sequence[Link]:
        wanted = set(artifact_ids)
        return [link for owner, links in self._tables.links.items() if owner in wanted for link in links]

    async def links_to(self, keys: Sequence[str], relations: Sequence[Relation]) -> Sequence[Link]:
        wanted = set(keys)
        every = (link for links in self._tables.links.values() for link in links)
        return [link for link in every if link.target_key in wanted and link.relation in relations]

    async def counts(self, viewer: User) -> dict[ArtifactType, int]:
        counts = dict.fromkeys(ArtifactType, 0)
        for artifact in self._tables.artifacts.values():
            counts[artifact.type] += artifact.visible_to(viewer)
        return counts

    async def held_digests(self, digests: Sequence[str]) -> set[str]:
        every = (entry.digest for files in self._tables.files.values() for entry in files.values())
        return {digest for digest in every if digest is not None} & set(digests)


def _rank(place: Place) -> tuple[bool, Any, str]:
    return (place.value is None, 0 if place.value is None else place.value, place.id)


def _follows(place: Place, other: Place, *, descending: bool) -> bool:
    """Whether `place` comes behind `other`; what has no value comes last in either direction."""
    if (place.value is None) != (other.value is None):
        return place.value is None
    return _rank(place) < _rank(other) if descending else _rank(place) > _rank(other)


def _first_matches(artifacts: Iterable[Artifact], wanted: Search, limit: int) -> Page[ArtifactSummary]:
    hits = (artifact.summary for artifact in artifacts if wanted.matches(artifact.name, artifact.readme))
    found = list(islice(hits, limit + 1))
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)
