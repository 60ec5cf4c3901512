"""Rate models, keep the rating with its evidence, and hold it against the gate."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import anyio.to_thread

from backend.domain.artifact import Artifact, Relation
from backend.domain.audit import Action, AuditEntry
from backend.domain.errors import NotFound, RatingIncomplete, Refused, RegistryError
from backend.domain.ids import new_id
from backend.domain.job import Claim, Job, JobKind, new_job
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType, Source
from backend.domain.user import SYSTEM, User
from backend.services.clock import Clock
from backend.services.evidence.gatherer import Gatherer
from backend.storage.base import Commit, MetadataStore
from metrics.evidence import Evidence, LinkedBy
from metrics.rating import GatePolicy, Rating, judge, rate

TELLING_CHANGE = 0.005
"""A net score that moved by less shows the same two decimals, and its descendants need no new tree score."""
AT_ONCE = 8
"""Ratings of one batch under way together; the source's own limits come after that."""
FIRST_REPEAT = timedelta(minutes=10)
MAX_REPEATS = 6
"""The pauses double, so the last repeat is some ten hours after the first try: longer than a rate limit lasts."""


class Judge:
    """The organisation's terms: weights of the net score, the gate's policy and its threshold in [0, 1].

    `timed` is told how many seconds each rating took.
    """

    def __init__(
        self,
        *,
        weights: Mapping[str, float] | None,
        policy: GatePolicy,
        threshold: float,
        timed: Callable[[float], None] | None = None,
    ) -> None:
        self._weights = weights
        self._policy = policy
        self._threshold = threshold
        self._timed = timed

    def net_score(self, evidence: Evidence) -> float:
        """Rate by the same rules and keep only the net score, as lineage asks for an unregistered parent."""
        return rate(evidence, timer=time.perf_counter, weights=self._weights).net_score

    async def rate(self, artifact_id: str, evidence: Evidence) -> StoredRating:
        """Score the evidence off the event loop and pass the gate's verdict on it."""
        began = time.perf_counter()
        rating = await anyio.to_thread.run_sync(lambda: rate(evidence, timer=time.perf_counter, weights=self._weights))
        if self._timed:
            self._timed(time.perf_counter() - began)
        return StoredRating(artifact_id, rating, judge(rating, self._policy, self._threshold), evidence)

    def refusal(self, rated: StoredRating) -> Refused:
        """The error for a model that the gate does not admit: each score that fell short, and why."""
        verdict = rated.verdict
        shortfalls = []
        for fallen in verdict.shortfalls:
            measured = rated.rating.metrics.get(fallen.metric.split(".")[0])
            findings = measured.result.findings if measured else ()
            shortfalls.append(
                {
                    "metric": fallen.metric,
                    "score": round(fallen.score, 2),
                    "threshold": verdict.threshold,
                    "findings": [finding.summary for finding in findings],
                    "remedies": [finding.remedy for finding in findings if finding.remedy],
                }
            )
        named = ", ".join(f"{fallen.metric} {fallen.score:.2f}" for fallen in verdict.shortfalls)
        return Refused(
            f"the gate (policy {verdict.policy}) asks for at least {verdict.threshold:.2f}; short of it: {named}",
            shortfalls,
        )


class Ratings:
    """Ratings as callers read them."""

    def __init__(self, store: MetadataStore, gatherer: Gatherer, judge: Judge, *, now: Clock) -> None:
        self._store = store
        self._gatherer = gatherer
        self._judge = judge
        self._now = now

    async def of(self, viewer: User, artifact_id: str, *, refresh: bool = False) -> tuple[Artifact, StoredRating]:
        """A model and its rating: the stored one, or with `refresh` a new one from evidence gathered now.

        Raises:
            NotFound: there is no such model.
            RatingIncomplete: some metrics could not be computed; names them.
            UpstreamFailed: `refresh` could not read the model's source; the stored rating stays.
        """
        model = await self._model(viewer, artifact_id)
        stored = await self.rate_again(viewer, model) if refresh else await self._store.rating(artifact_id)
        if stored is None:
            raise _unknown(artifact_id)
        _refuse_incomplete(stored.rating)
        return model, stored

    async def scores(self, viewer: User, artifact_id: str, *, refresh: bool = False) -> tuple[Artifact, Rating]:
        """What `of` gives, or raises, without the evidence, which is most of what is stored."""
        if refresh:
            model, stored = await self.of(viewer, artifact_id, refresh=True)
            return model, stored.rating
        model = await self._model(viewer, artifact_id)
        rating = await self._store.scores(artifact_id)
        if rating is None:
            raise _unknown(artifact_id)
        _refuse_incomplete(rating)
        return model, rating

    async def _model(self, viewer: User, artifact_id: str) -> Artifact:
        model = await self._store.get(viewer, ArtifactType.MODEL, artifact_id)
        if model is None:
            raise _unknown(artifact_id)
        return model

    async def of_many(
        self, viewer: User, artifact_ids: Sequence[str], *, refresh: bool = False
    ) -> list[tuple[Artifact, Rating] | RegistryError]:
        """What `scores` gives or raises for each id, in the same order; a few are under way at a time."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(artifact_id: str) -> tuple[Artifact, Rating] | RegistryError:
            async with places:
                try:
                    return await self.scores(viewer, artifact_id, refresh=refresh)
                except RegistryError as error:
                    return error

        return await asyncio.gather(*(one(artifact_id) for artifact_id in artifact_ids))

    async def rate_again(
        self, actor: User, model: Artifact, *, closes: Claim | None = None, tried: int = 0
    ) -> StoredRating:
        """Gather a model's evidence again, rate it, and keep the rating and the links that were found.

        `closes` is the job this is done for; `tried` counts earlier attempts to get facts that an outage kept back.

        Raises:
            NotFound, UpstreamRefused, UpstreamFailed: its source cannot be read; the stored rating stays.
            Conflict: the model was changed meanwhile.
        """
        before = await self._store.rating(model.id)
        linked = await self._given_links(model)
        gathered = await self._gatherer.model(
            model.source,
            name=model.name,
            url=model.url,
            dataset=linked.get("dataset"),
            code=linked.get("code"),
            viewer=actor,
        )
        rated = await self._judge.rate(model.id, gathered.evidence)
        jobs = wait_for_the_rest(model, gathered.evidence, now=self._now(), tried=tried)
        if before is None or abs(before.rating.net_score - rated.rating.net_score) >= TELLING_CHANGE:
            jobs.append(new_job(JobKind.RELINK, model, owner=SYSTEM.name, now=self._now()))
        # The version stays: what the artifact consists of has not changed, only what is known of it.
        change = Commit(
            replace(model, license=gathered.license),
            model.version,
            rating=rated,
            links=[draft.of(model.id) for draft in gathered.links],
            audit=[AuditEntry(new_id(), actor, self._now(), model.summary, Action.RATE)],
            jobs=jobs,
            closes=closes,
        )
        await self._store.commit(change)
        return rated

    async def _given_links(self, model: Artifact) -> dict[str, Source]:
        """The dataset and code that were named when the model was registered."""
        links = await self._store.links_from([model.id])
        given = [link for link in links if link.linked_by is LinkedBy.REGISTRATION]
        return {
            link.relation.value: Source.of_key(link.target_key)
            for link in given
            if link.relation in {Relation.DATASET, Relation.CODE}
        }


def _unknown(artifact_id: str) -> NotFound:
    return NotFound(f"there is no model with id {artifact_id}")


def _refuse_incomplete(rating: Rating) -> None:
    if rating.failed:
        named = "; ".join(f"{name}: {why}" for name, why in sorted(rating.failed.items()))
        raise RatingIncomplete(f"some metrics could not be computed: {named}")


def wait_for_the_rest(model: Artifact, evidence: Evidence, *, now: datetime, tried: int = 0) -> list[Job]:
    """The job that asks again for facts an outage or a rate limit kept back; none when nothing is awaited."""
    if not evidence.awaited or tried >= MAX_REPEATS:
        return []
    due = now + FIRST_REPEAT * 2**tried
    payload = {"tried": tried + 1, "awaited": list(evidence.awaited)}
    return [new_job(JobKind.RATE, model, owner=SYSTEM.name, now=now, payload=payload, not_before=due)]
