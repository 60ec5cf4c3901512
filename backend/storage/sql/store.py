# ruff: noqa: D102 - the protocols in base.py carry the docstrings
"""The relational store: each method names the function that does it and how it is to be run."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, delete, select

from backend.domain.artifact import Artifact, ArtifactSummary, FileEntry, Link, Relation
from backend.domain.audit import AuditEntry, Reset
from backend.domain.audit_chain import Head, Sealed
from backend.domain.job import Claim, Job, JobError, JobKind, JobState, Progress
from backend.domain.listing import Listing
from backend.domain.needs import Search
from backend.domain.page import NameQuery, Page
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage.base import Commit, MetadataStore
from backend.storage.sql import audit, catalog, jobs, links, listings, orders, searches, trigrams
from backend.storage.sql.schema import metadata
from metrics.rating import Rating

P = ParamSpec("P")
T = TypeVar("T")

Work = Callable[Concatenate[Connection, P], T]

FEW = 100
"""Up to this many keys a lookup is a bounded read; above, it is a scan."""


class Executor(Protocol):
    """How one engine runs work over a connection; every failure to reach the database is `Unavailable`."""

    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a point read or a bounded page."""
        ...

    async def scan(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a read that may take long, out of everybody's way."""
        ...

    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run in a transaction that is durable on return, and undone when `work` raises."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...


class SqlStore(MetadataStore):
    """`MetadataStore` over any engine that has an executor."""

    def __init__(self, executor: Executor) -> None:
        self._run = executor

    async def commit(self, change: Commit) -> None:
        await self._run.write(catalog.commit, change)

    async def delete(self, viewer: User, kind: ArtifactType, artifact_id: str, entry: AuditEntry) -> bool:
        return await self._run.write(catalog.remove, viewer, kind, artifact_id, entry)

    async def get(self, viewer: User, kind: ArtifactType, artifact_id: str) -> Artifact | None:
        return await self._run.read(catalog.get, viewer, kind, artifact_id)

    async def by_source(self, viewer: User, kind: ArtifactType, key: str) -> Artifact | None:
        return await self._run.read(catalog.by_source, viewer, kind, key)

    async def by_keys(self, viewer: User, keys: Sequence[str]) -> Sequence[Artifact]:
        run = self._run.read if len(keys) <= FEW else self._run.scan
        return await run(catalog.by_keys, viewer, keys)

    async def by_ids(self, viewer: User, ids: Sequence[str]) -> Sequence[Artifact]:
        run = self._run.read if len(ids) <= FEW else self._run.scan
        return await run(catalog.by_ids, viewer, ids)

    async def page(
        self, viewer: User, queries: Sequence[NameQuery], *, after: str | None, limit: int
    ) -> Page[ArtifactSummary]:
        run = self._run.read if len(queries) <= FEW else self._run.scan
        return await run(listings.page, viewer, queries, after=after, limit=limit)

    async def listed(self, viewer: User, listing: Listing, *, after: str | None, limit: int) -> Page[ArtifactSummary]:
        return await self._run.scan(orders.page, viewer, listing, after=after, limit=limit)

    async def search(self, viewer: User, wanted: Search, *, after: str | None, limit: int) -> Page[ArtifactSummary]:
        return await self._run.scan(searches.search, viewer, wanted, after=after, limit=limit)

    async def rating(self, artifact_id: str) -> StoredRating | None:
        return await self._run.read(catalog.rating, artifact_id)

    async def scores(self, artifact_id: str) -> Rating | None:
        return await self._run.read(catalog.scores, artifact_id)

    async def files(self, artifact_id: str) -> Sequence[FileEntry]:
        return await self._run.read(catalog.files_of, artifact_id)

    async def links_from(self, artifact_ids: Sequence[str]) -> Sequence[Link]:
        run = self._run.read if len(artifact_ids) <= FEW else self._run.scan
        return await run(links.stated_by, artifact_ids)

    async def links_to(self, keys: Sequence[str], relations: Sequence[Relation]) -> Sequence[Link]:
        # A popular dataset is the target of any number of links, so even one key may be many rows.
        return await self._run.scan(links.pointing_at, keys, relations)

    async def counts(self, viewer: User) -> dict[ArtifactType, int]:
        return await self._run.scan(listings.counts, viewer)

    async def held_digests(self, digests: Sequence[str]) -> set[str]:
        return await self._run.scan(catalog.held_digests, digests)

    async def append(self, entries: Sequence[AuditEntry]) -> None:
        await self._run.write(audit.append, entries)

    async def trail(self, artifact_id: str) -> Sequence[AuditEntry]:
        return await self._run.scan(audit.trail, artifact_id)

    async def chain(self, *, after: int, limit: int) -> Sequence[Sealed]:
        return await self._run.scan(audit.chain, after, limit)

    async def head(self) -> Head:
        return await self._run.read(audit.head)

    async def enqueue(self, job: Job) -> None:
        await self._run.write(jobs.enqueue, [job])

    async def claim(self, kinds: Sequence[JobKind], *, worker: str, now: datetime, lease_until: datetime) -> Job | None:
        return await self._run.write(jobs.claim, kinds, worker=worker, now=now, lease_until=lease_until)

    async def claim_alike(self, claim: Claim, *, most: int, now: datetime) -> Sequence[Job]:
        return await self._run.write(jobs.claim_alike, claim, most=most, now=now)

    async def finish_all(self, claims: Sequence[Claim], *, now: datetime) -> set[str]:
        return await self._run.write(jobs.finish_all, claims, now=now)

    async def renew(self, claims: Sequence[Claim], *, lease_until: datetime) -> set[str]:
        return await self._run.write(jobs.renew, claims, lease_until=lease_until)

    async def report(self, claim: Claim, progress: Progress, *, now: datetime) -> None:
        await self._run.write(jobs.report, claim, progress, now=now)

    async def hold(
        self, claim: Claim, artifact_id: str, entry: FileEntry, progress: Progress, *, now: datetime
    ) -> None:
        await self._run.write(jobs.hold, claim, artifact_id, entry, progress, now=now)

    async def finish(self, claim: Claim, *, error: JobError | None, now: datetime) -> None:
        await self._run.write(jobs.finish, claim, error=error, now=now)

    async def retry(self, claim: Claim, *, not_before: datetime, error: JobError, now: datetime) -> None:
        await self._run.write(jobs.retry, claim, not_before=not_before, error=error, now=now)

    async def job(self, job_id: str) -> Job | None:
        return await self._run.read(jobs.get, job_id)

    async def jobs(
        self, *, artifact_id: str | None = None, states: Sequence[JobState] = (), after: str | None, limit: int
    ) -> Page[Job]:
        return await self._run.scan(jobs.page, artifact_id=artifact_id, states=states, after=after, limit=limit)

    async def job_counts(self) -> dict[JobState, int]:
        return await self._run.scan(jobs.counts)

    async def reset(self, record: Reset | None = None) -> None:
        await self._run.write(_empty, record)

    async def ping(self) -> None:
        await self._run.read(_answer)

    async def close(self) -> None:
        await self._run.close()


def _empty(connection: Connection, record: Reset | None) -> None:
    ended = audit.head(connection)
    trigrams.clear(connection)
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table))
    if record is not None:
        audit.open_after_reset(connection, record, ended)


def _answer(connection: Connection) -> None:
    connection.execute(select(1))
