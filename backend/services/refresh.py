"""Keep ratings true as the registry grows: rate again what a new artifact, a new score or a healed outage touches."""

from collections.abc import AsyncIterator, Sequence

import re2

from backend.domain.artifact import Artifact, Relation
from backend.domain.errors import LeaseLost
from backend.domain.job import Job, JobKind, JobState, Progress, new_job
from backend.domain.needs import Search, any_of, in_any_case
from backend.domain.page import MAX_LIMIT
from backend.domain.source import ArtifactType
from backend.domain.user import SYSTEM
from backend.services.clock import Clock
from backend.services.evidence.links import is_telling, mentions
from backend.services.jobs import JobBoard, Report
from backend.services.rating import Ratings
from backend.storage.base import MetadataStore

BATCH = 100
MAX_TOGETHER = 2_000
"""Artifacts that one job looks for besides its own: what a busy second registers."""
NAMES_A_SEARCH = 40
"""Names looked for in one search: with more, the condition outgrows what the store's index is asked."""


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

        Whatever else waits to be looked for is looked for together: a thousand artifacts registered in a second cost
        as many searches as a few do.

        Raises:
            LeaseLost: the artifact is gone.
        """
        others = await self._store.claim_alike(job.claim, most=MAX_TOGETHER, now=self._now())
        artifacts = await self._store.by_ids(SYSTEM, [each.artifact_id for each in (job, *others)])
        await report(Progress("relinking", message=f"looking for models that name {_named(artifacts)}"))
        touched = await self._linking(artifacts)
        names = sorted({found.name for found in artifacts if found.type is not ArtifactType.MODEL})
        telling = [name for name in names if is_telling(name)]
        for start in range(0, len(telling), NAMES_A_SEARCH):
            touched |= {found async for found in self._mentioning(telling[start : start + NAMES_A_SEARCH])}
        ordered = sorted(touched)
        for start in range(0, len(ordered), BATCH):
            await self._queue(ordered[start : start + BATCH])
        await self._store.finish_all([each.claim for each in others], now=self._now())
        if job.artifact_id not in {found.id for found in artifacts}:
            raise LeaseLost(f"{job.artifact_type} {job.artifact_id} is gone")

    async def _linking(self, artifacts: Sequence[Artifact]) -> set[str]:
        """Ids of artifacts that state a link to one of these, other than to themselves."""
        keys = {artifact.id: artifact.source.key for artifact in artifacts}
        linked = await self._store.links_to(sorted(keys.values()), list(Relation))
        return {link.artifact_id for link in linked if keys.get(link.artifact_id) != link.target_key}

    async def _mentioning(self, names: Sequence[str]) -> AsyncIterator[str]:
        """Ids of models whose card mentions one of these names."""
        wanted = _naming(names)
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


def _naming(names: Sequence[str]) -> Search:
    """What finds the cards that mention one of these names: all of them at once before each by itself."""
    some = re2.compile(f"(?i){'|'.join(map(re2.escape, names))}")

    def mentioned(_name: str, card: str | None) -> bool:
        return bool(card and some.search(card) and any(mentions(card, name) for name in names))

    need = any_of(in_any_case(name) for name in names)
    return Search(mentioned, need, rules_out=lambda joined: some.search(joined) is None)


def _named(artifacts: Sequence[Artifact]) -> str:
    first = artifacts[0].name if artifacts else "what is gone"
    return first if len(artifacts) <= 1 else f"{first} and {len(artifacts) - 1} more"
