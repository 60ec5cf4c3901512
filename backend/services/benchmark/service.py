"""Start download benchmarks, carry them out one at a time, and tell how they went."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.domain.artifact import Artifact, FileEntry
from backend.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotOffered, Unavailable, UpstreamFailed
from backend.domain.ids import new_id
from backend.domain.job import Job, JobKind, JobState, Progress
from backend.domain.page import MAX_LIMIT, NameQuery
from backend.domain.source import ArtifactType
from backend.domain.user import SYSTEM, User
from backend.services.benchmark.clients import Measured, Order
from backend.services.benchmark.process import measure
from backend.services.benchmark.report import make_report, written
from backend.services.clock import Clock
from backend.services.jobs import JobBoard, Report
from backend.sources.origins import origin_of
from backend.storage.base import MetadataStore

MAX_CLIENTS = 200
MAX_ROUNDS = 10
MAX_SECONDS = 120.0
MAX_BYTES = 50_000_000_000
"""All downloads of one benchmark together; with the time it bounds what one start can cost."""
SHOWN_RUNS = 20
PREFERRED = "Tiny-LLM"
"""The model that published figures were measured with; taken when it is registered and nothing else is asked for."""
TRIED_MODELS = 50
SUBJECT = "download-benchmark"
"""What benchmark jobs are about, instead of an artifact: it finds them among all jobs without reading those."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller asks for: a model by id or name or neither, and optionally another registry to aim at."""

    artifact_id: str | None = None
    name: str | None = None
    clients: int = 100
    rounds: int = 1
    target_url: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who starts a benchmark: `credential` is the header to download with, None on a registry that runs open.

    `here` is the address that the server itself listens on, as its socket knows it and not as a header says.
    """

    user: User
    credential: str | None
    here: str | None


class Benchmark:
    """Download benchmarks. The credential of a start stays in memory and never gets into the job table."""

    def __init__(
        self, store: MetadataStore, board: JobBoard, *, base_url: str | None, targets: Sequence[str], now: Clock
    ) -> None:
        self._store = store
        self._board = board
        self._base_url = base_url
        self._targets = frozenset(targets)
        self._now = now
        self._credentials: dict[str, str] = {}
        self._starting = asyncio.Lock()

    async def start(self, caller: Caller, wanted: Wanted) -> Job:
        """Queue a benchmark.

        Raises:
            NotAllowed: the caller is not an administrator.
            InvalidInput: the target is not allowed, or the downloads would come to too many bytes.
            NotFound: there is no such model, or none that can be measured.
            Conflict: another benchmark is queued or under way; or the model's files are not all held here.
            NotOffered: the registry does not know an address of its own.
        """
        _only_administrators(caller.user)
        base, ours = self._target(caller, wanted)
        model, size = await self._model(caller.user, wanted)
        total = size * wanted.clients * wanted.rounds
        if total > MAX_BYTES:
            raise InvalidInput.field(
                "clients", f"and rounds come to {total} bytes of {model.name}; at most {MAX_BYTES} are downloaded"
            )
        payload = {
            "model": model.id,
            "name": model.name,
            "clients": wanted.clients,
            "rounds": wanted.rounds,
            "url": f"{base}/artifact/{ArtifactType.MODEL}/{model.id}/download",
            "bytes": total,
            "signed_in": ours and caller.credential is not None,
        }
        job = _job(payload, caller.user, self._now())
        async with self._starting:
            await self._refuse_a_second()
            if payload["signed_in"] and caller.credential:
                self._credentials[job.id] = caller.credential
            await self._board.submit(job)
        return job

    async def get(self, viewer: User, job_id: str) -> Job:
        """One benchmark's job; its report is in the progress message once it is done.

        Raises:
            NotAllowed: the viewer is not an administrator.
            NotFound: there is no such benchmark.
        """
        _only_administrators(viewer)
        job = await self._store.job(job_id)
        if job is None or job.kind is not JobKind.BENCHMARK:
            raise NotFound(f"there is no download benchmark {job_id}")
        return job

    async def recent(self, viewer: User) -> list[Job]:
        """The last benchmarks, the newest first.

        Raises:
            NotAllowed: the viewer is not an administrator.
        """
        _only_administrators(viewer)
        latest: list[Job] = []
        async for job in self._jobs():
            latest = [*latest, job][-SHOWN_RUNS:]
        return latest[::-1]

    async def run(self, job: Job, report: Report) -> None:
        """Carry out one benchmark in a process of its own, and record its report.

        Raises:
            Unavailable: the credential is gone with the process it was given to, or the clients did not run.
        """
        ordered = job.payload
        credential = self._credentials.pop(job.id, None)
        if ordered["signed_in"] and credential is None:
            raise Unavailable("the registry was restarted, or another process took the job; start it again")
        headers = {"X-Authorization": credential} if credential else {}
        clients, rounds = int(ordered["clients"]), int(ordered["rounds"])
        # What surrounds the files in a zip, and the headers, come on top of their bytes.
        limit = int(ordered["bytes"] * 1.1) + 1_000_000 * clients * rounds
        order = Order(str(ordered["url"]), headers, clients, rounds, MAX_SECONDS, limit)
        total = int(ordered["bytes"])

        async def tell(finished: int, bytes_read: int) -> None:
            message = f"{finished} of {clients * rounds} downloads"
            await report(Progress("downloading", min(bytes_read, total), total, message))

        await tell(0, 0)
        measured: Measured = await measure(order, tell)
        models = (await self._store.counts(SYSTEM))[ArtifactType.MODEL]
        result = make_report(measured, clients=clients, rounds=rounds, models=models)
        await report(Progress("measured", total, total, written(result)))

    # -- the pieces ------------------------------------------------------------------------------------------------

    def _target(self, caller: Caller, wanted: Wanted) -> tuple[str, bool]:
        """The base URL to download from, and whether it is this registry, which the credential is for."""
        ours = [url.rstrip("/") for url in (caller.here, self._base_url) if url is not None]
        if wanted.target_url is None:
            if not ours:
                raise NotOffered("the registry does not know its own address: set BASE_URL, or name a target_url")
            return ours[0], True
        origin = _origin(wanted.target_url)
        if origin in {origin_of(url) for url in ours}:
            return wanted.target_url.rstrip("/"), True
        if origin in self._targets:
            return wanted.target_url.rstrip("/"), False
        raise InvalidInput.field("target_url", f"names {origin}, which is neither here nor in BENCHMARK_TARGETS")

    async def _model(self, viewer: User, wanted: Wanted) -> tuple[Artifact, int]:
        """The model to download, and the bytes of its files."""
        if wanted.artifact_id is not None:
            model = await self._store.get(viewer, ArtifactType.MODEL, wanted.artifact_id)
            return await self._held(model, f"there is no model with id {wanted.artifact_id}")
        if wanted.name is not None:
            return await self._held(await self._named(viewer, wanted.name), f"there is no model named {wanted.name!r}")
        preferred = await self._named(viewer, PREFERRED)
        for model in [*([preferred] if preferred else []), *await self._smallest(viewer)]:
            size = _size_if_held(await self._store.files(model.id))
            if size is not None:
                return model, size
        raise NotFound("no model here has all its files held; mirror one (see MIRROR), or name one that is")

    async def _held(self, model: Artifact | None, missing: str) -> tuple[Artifact, int]:
        if model is None:
            raise NotFound(missing)
        size = _size_if_held(await self._store.files(model.id))
        if size is None:  # it would be the hub that is measured, and made to serve every one of the downloads
            raise Conflict(f"{model.name} is not a model whose files are all held here; mirror it first")
        return model, size

    async def _named(self, viewer: User, name: str) -> Artifact | None:
        query = NameQuery(name, frozenset({ArtifactType.MODEL}))
        page = await self._store.page(viewer, [query], after=None, limit=1)
        return await self._store.get(viewer, ArtifactType.MODEL, page.items[0].id) if page.items else None

    async def _smallest(self, viewer: User) -> list[Artifact]:
        """The smallest of the first thousand models."""
        page = await self._store.page(
            viewer, [NameQuery(None, frozenset({ArtifactType.MODEL}))], after=None, limit=MAX_LIMIT
        )
        models = await self._store.by_ids(viewer, [found.id for found in page.items])
        sized = sorted((model.size_bytes, model.id, model) for model in models if model.size_bytes)
        return [model for _, _, model in sized[:TRIED_MODELS]]

    async def _refuse_a_second(self) -> None:
        active = [job async for job in self._jobs(JobState.QUEUED, JobState.RUNNING)]
        if active:
            raise Conflict(f"a benchmark is under way already, as {active[0].id}; one is run at a time")

    async def _jobs(self, *states: JobState) -> AsyncIterator[Job]:
        after: str | None = None
        while True:
            page = await self._store.jobs(artifact_id=SUBJECT, states=states, after=after, limit=MAX_LIMIT)
            for job in page.items:
                yield job
            after = page.after
            if after is None:
                return


def _only_administrators(user: User) -> None:
    if not user.is_admin:
        raise NotAllowed("only an administrator may run download benchmarks, or read them")


def _origin(url: str) -> str:
    """Scheme, host and port of a base URL.

    Raises:
        InvalidInput: it is not one that a path can be added to.
    """
    try:
        origin = origin_of(url)
    except UpstreamFailed:
        origin = None
    if origin is None or {"?", "#"} & set(url):
        raise InvalidInput.field("target_url", "is not a plain http or https address to start from")
    return origin


def _size_if_held(files: Sequence[FileEntry]) -> int | None:
    """Bytes of an artifact's files; None when some are not held, or there are none."""
    return sum(file.size_bytes for file in files) if files and all(file.held for file in files) else None


def _job(payload: Mapping[str, Any], owner: User, now: datetime) -> Job:
    return Job(
        id=new_id(),
        kind=JobKind.BENCHMARK,
        artifact_id=SUBJECT,
        artifact_type=ArtifactType.MODEL,
        owner=owner.name,
        payload=payload,
        created_at=now,
        updated_at=now,
        not_before=now,
        max_tries=2,
    )
