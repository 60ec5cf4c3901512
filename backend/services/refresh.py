"""Keep ratings true as the registry grows: rate again what a new artifact, a new score or a healed outage touches."""

from collections.abc import AsyncIterator

from backend.domain.artifact import Artifact, Relation
from backend.domain.errors import LeaseLost
from backend.domain.job import Job, JobKind, JobState, Progress, new_job
from backend.domain.needs import Search, in_any_case
from backend.domain.page import MAX_LIMIT
from backend.domain.source import ArtifactType
from backend.domain.user import SYSTEM
from backend.services.clock import Clock
from backend.services.evidence.links import is_telling, mentions
from backend.services.jobs import JobBoard, Report
from backend.services.rating import Ratings
from backend.storage.base import MetadataStore

BATCH = 100


class Rerating:
    """Carries out RATE jobs."""

    def __init__(self, store: MetadataStore, ratings: Ratings) -> None:
        self._store = store
        self._ratings = ratings

    async def run(self, job: Job, report: Report) -> None:
        """Rate one model anew; its commit closes the job.

        Raises:
            LeaseLost: the model is gone.
            Conflict: the model was changed meanwhile.
            UpstreamFailed: its source cannot be read just now.
        """
        model = await self._store.get(SYSTEM, ArtifactType.MODEL, job.artifact_id)
        if model is None:
            raise LeaseLost(f"model {job.artifact_id} is gone")
        await report(Progress("gathering", message=f"reading {model.url} again"))
        tried = int(job.payload.get("tried", 0))
        await self._ratings.rate_again(SYSTEM, model, closes=job.claim, tried=tried)


class Relinking:
    """Carries out RELINK jobs: whoever names this artifact is rated again."""

    def __init__(self, store: MetadataStore, board: JobBoard, *, now: Clock) -> None:
        self._store = store
        self._board = board
        self._now = now

    async def run(self, job: Job, report: Report) -> None:
        """Queue a rating for each model that links the artifact, or whose card mentions its name.

        Raises:
            LeaseLost: the artifact is gone.
        """
        artifact = await self._store.get(SYSTEM, job.artifact_type, job.artifact_id)
        if artifact is None:
            raise LeaseLost(f"{job.artifact_type} {job.artifact_id} is gone")
        await report(Progress("relinking", message=f"looking for models that name {artifact.name}"))
        linked = await self._store.links_to([artifact.source.key], list(Relation))
        touched = {link.artifact_id for link in linked}
        if artifact.type is not ArtifactType.MODEL:
            touched |= {found async for found in self._mentioning(artifact)}
        touched.discard(artifact.id)
        ordered = sorted(touched)
        for start in range(0, len(ordered), BATCH):
            await self._queue(ordered[start : start + BATCH])

    async def _mentioning(self, artifact: Artifact) -> AsyncIterator[str]:
        """Ids of models whose card mentions the artifact by name."""
        if not is_telling(artifact.name):
            return
        wanted = Search(lambda _name, card: bool(card and mentions(card, artifact.name)), in_any_case(artifact.name))
        after: str | None = None
        while True:
            page = await self._store.search(SYSTEM, wanted, after=after, limit=MAX_LIMIT)
            for found in page.items:
                if found.type is ArtifactType.MODEL:
                    yield found.id
            after = page.after
            if after is None:
                return

    async def _queue(self, ids: list[str]) -> None:
        for model in await self._store.by_ids(SYSTEM, ids):
            waiting = await self._store.jobs(artifact_id=model.id, states=[JobState.QUEUED], after=None, limit=BATCH)
            if any(job.kind is JobKind.RATE and job.not_before <= self._now() for job in waiting.items):
                continue
            await self._board.submit(new_job(JobKind.RATE, model, owner=SYSTEM.name, now=self._now()))
