"""Take artifacts in: identify, gather, rate, gate, and one commit that makes everything visible together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from pydantic import TypeAdapter

from backend.domain.artifact import Artifact, FileEntry
from backend.domain.audit import Action, AuditEntry
from backend.domain.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from backend.domain.ids import new_id
from backend.domain.job import Job, JobKind, JobState, Progress, new_job
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType, Host, Source
from backend.domain.user import SYSTEM, User
from backend.services.clock import Clock
from backend.services.crash import CrashPoint
from backend.services.evidence.gatherer import Gathered, GatheredModel, Gatherer
from backend.services.jobs import JobBoard, Report, raise_again
from backend.services.mirror import MirrorPlan, mirror_job
from backend.services.rating import Judge, wait_for_the_rest
from backend.sources.identify import identify
from backend.storage.base import Commit, MetadataStore


@dataclass(frozen=True, slots=True)
class Request:
    """What someone asks to be taken in. `name` None takes the source's own; `dataset_url` and `code_url` link."""

    kind: ArtifactType
    url: str
    name: str | None = None
    dataset_url: str | None = None
    code_url: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """An ingest that goes on after its caller stopped waiting: the artifact as it will be, and the job to watch."""

    artifact: Artifact
    job_id: str


@dataclass(frozen=True, slots=True)
class Order:
    """One ingest as its job records it.

    `draft` is the artifact before its source was read; `replaces` the version it takes the place of, None when new.
    """

    caller: User
    draft: Artifact
    dataset_url: str | None
    code_url: str | None
    replaces: int | None


@cache
def _orders() -> TypeAdapter[Order]:
    return TypeAdapter(Order)


class Ingest:
    """Registration, replacement and removal of artifacts."""

    def __init__(
        self,
        store: MetadataStore,
        board: JobBoard,
        gatherer: Gatherer,
        judge: Judge,
        *,
        mirror: MirrorPlan,
        wait_s: float,
        now: Clock,
        crash: CrashPoint,
    ) -> None:
        self._store = store
        self._board = board
        self._gatherer = gatherer
        self._judge = judge
        self._mirror = mirror
        self._wait_s = wait_s
        self._now = now
        self._crash = crash

    # -- what a caller asks for ------------------------------------------------------------------------------------

    async def register(self, caller: User, request: Request) -> Artifact | Pending:
        """Take a new artifact in; waits for the outcome, and answers `Pending` when that takes too long.

        Raises:
            InvalidInput: the URL is not one this registry accepts for the type.
            AlreadyExists: the same place is registered under this type.
            NotFound, UpstreamRefused, UpstreamFailed: what its source answered.
            Refused: the gate turned the model away; nothing is left behind.
        """
        draft = self._draft(caller, request)
        await self._refuse_known(caller, draft)
        if draft.source.host is Host.LINK:
            entry = self._entry(caller, draft, Action.CREATE)
            await self._store.commit(
                Commit(draft, links=(), files=(), audit=[entry], jobs=self._followed_by(draft, (), None))
            )
            self._board.wake(JobKind.RELINK)
            return draft
        return await self._run_as_job(caller, draft, request, replaces=None)

    async def replace(self, caller: User, artifact_id: str, request: Request) -> Artifact | Pending:
        """Replace an artifact's source; the old content stays until the new one has passed everything.

        Raises:
            InvalidInput: the name is not the artifact's.
            NotFound: there is no such artifact, or no such source.
            AlreadyExists: another artifact has that source.
            Refused: the gate turned the new content away.
        """
        current = await self._store.get(caller, request.kind, artifact_id)
        if current is None:
            raise NotFound(f"there is no {request.kind} with id {artifact_id}")
        if request.name != current.name:
            raise InvalidInput.field("metadata.name", f"must be the artifact's own name, {current.name!r}")
        draft = replace(
            current,
            url=request.url,
            source=identify(request.kind, request.url),
            updated_at=self._now(),
            version=current.version + 1,
        )
        if draft.source.host is Host.LINK:
            emptied = replace(draft, commit=None, readme=None, license=None, size_bytes=None)
            entry = self._entry(caller, emptied, Action.UPDATE)
            await self._store.commit(Commit(emptied, current.version, links=(), files=(), audit=[entry]))
            return emptied
        return await self._run_as_job(caller, draft, request, replaces=current.version)

    async def remove(self, caller: User, kind: ArtifactType, artifact_id: str) -> None:
        """Remove an artifact; its audit trail stays.

        Raises:
            NotFound: there is no such artifact.
        """
        artifact = await self._store.get(caller, kind, artifact_id)
        gone = artifact is not None and await self._store.delete(
            caller, kind, artifact_id, self._entry(caller, artifact, Action.DELETE)
        )
        if not gone:
            raise NotFound(f"there is no {kind} with id {artifact_id}")

    # -- what the worker runs --------------------------------------------------------------------------------------

    async def run(self, job: Job, report: Report) -> None:
        """Carry out one ingest job up to its commit, which also closes the job."""
        order = _orders().validate_python(job.payload, strict=False)
        self._crash("ingest.claimed", order.draft.name)
        await report(Progress("gathering", message=f"reading {order.draft.url}"))
        try:
            gathered = await self._gather(order)
        except NotFound as missing:
            raise NotFound(f"{order.draft.url} does not exist at its host, or is private ({missing})") from missing
        self._crash("ingest.gathered", order.draft.name)
        artifact = replace(
            order.draft,
            source=gathered.source,
            updated_at=self._now(),
            commit=gathered.commit,
            readme=gathered.readme,
            license=gathered.license,
            size_bytes=sum(file.size_bytes for file in gathered.files) if gathered.files else None,
        )
        rating = await self._rate(artifact, gathered, report)
        self._crash("ingest.rated", order.draft.name)
        files = [FileEntry.of(file) for file in gathered.files]
        action = Action.CREATE if order.replaces is None else Action.UPDATE
        change = Commit(
            artifact,
            order.replaces,
            rating=rating,
            links=[draft_link.of(artifact.id) for draft_link in gathered.links],
            files=files,
            audit=[self._entry(order.caller, artifact, action, entry_id=job.id)],
            jobs=self._followed_by(artifact, files, rating),
            closes=job.claim,
        )
        await report(Progress("committing"))
        await self._store.commit(change)
        self._crash("ingest.committed", order.draft.name)

    async def _gather(self, order: Order) -> Gathered:
        draft = order.draft
        match draft.type:
            case ArtifactType.MODEL:
                return await self._gatherer.model(
                    draft.source,
                    name=draft.name,
                    url=draft.url,
                    dataset=_linked(ArtifactType.DATASET, order.dataset_url),
                    code=_linked(ArtifactType.CODE, order.code_url),
                    viewer=order.caller,
                )
            case ArtifactType.DATASET:
                return await self._gatherer.dataset(draft.source)
            case ArtifactType.CODE:
                return await self._gatherer.code(draft.source)

    async def _rate(self, artifact: Artifact, gathered: Gathered, report: Report) -> StoredRating | None:
        """Rate a model and hold it against the gate; datasets and code are not rated and need none.

        Raises:
            Refused: some score falls short.
        """
        if not isinstance(gathered, GatheredModel):
            return None
        await report(Progress("rating"))
        rated = await self._judge.rate(artifact.id, gathered.evidence)
        if not rated.verdict.admitted:
            raise self._judge.refusal(rated)
        return rated

    def _followed_by(self, artifact: Artifact, files: Sequence[FileEntry], rating: StoredRating | None) -> list[Job]:
        """What is to be done once the artifact is there: copy its files, rate anew whoever names it, ask again."""
        now = self._now()
        return [
            *mirror_job(artifact, files, self._mirror, now=now),
            new_job(JobKind.RELINK, artifact, owner=SYSTEM.name, now=now),
            *(wait_for_the_rest(artifact, rating.evidence, now=now) if rating else ()),
        ]

    # -- the pieces ------------------------------------------------------------------------------------------------

    def _draft(self, caller: User, request: Request) -> Artifact:
        source = identify(request.kind, request.url)
        _linked(ArtifactType.DATASET, request.dataset_url)
        _linked(ArtifactType.CODE, request.code_url)
        now = self._now()
        return Artifact(
            id=new_id(),
            name=source.short_name if request.name is None else request.name,
            type=request.kind,
            url=request.url,
            source=source,
            owner=caller.name,
            created_at=now,
            updated_at=now,
        )

    async def _refuse_known(self, caller: User, draft: Artifact) -> None:
        known = await self._store.by_source(caller, draft.type, draft.source.key)
        if known is not None:
            raise AlreadyExists(f"{draft.url} is registered already, as {known.id}", known.id, known.type)

    async def _run_as_job(
        self, caller: User, draft: Artifact, request: Request, replaces: int | None
    ) -> Artifact | Pending:
        order = Order(caller, draft, request.dataset_url, request.code_url, replaces)
        payload = _orders().dump_python(order, mode="json")
        job = new_job(JobKind.INGEST, draft, owner=caller.name, now=self._now(), payload=payload)
        await self._board.submit(job)
        self._crash("register.enqueued", draft.name)
        ended = await self._board.wait(job.id, seconds=self._wait_s)
        if ended is None:
            return Pending(draft, job.id)
        if ended.state is not JobState.DONE and ended.error is not None:
            raise_again(ended.error)
        stored = await self._store.get(caller, draft.type, draft.id)
        if stored is None:
            raise Conflict(f"{draft.url} was taken in and removed again before it could be shown")
        return stored

    def _entry(self, caller: User, artifact: Artifact, action: Action, entry_id: str | None = None) -> AuditEntry:
        return AuditEntry(entry_id or new_id(), caller, self._now(), artifact.summary, action)


def _linked(kind: ArtifactType, url: str | None) -> Source | None:
    return identify(kind, url) if url else None
