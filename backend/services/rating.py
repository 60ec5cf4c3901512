"""Rate models, keep the rating with its evidence, and hold it against the gate."""

import time
from collections.abc import Mapping
from dataclasses import replace

import anyio.to_thread

from backend.domain.artifact import Artifact
from backend.domain.audit import Action, AuditEntry
from backend.domain.errors import NotFound, RatingIncomplete, Refused
from backend.domain.ids import new_id
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.services.clock import Clock
from backend.services.evidence import Gatherer
from backend.storage.base import Commit, MetadataStore
from metrics.evidence import Evidence
from metrics.rating import GatePolicy, judge, rate


class Judge:
    """The organisation's terms: weights of the net score, the gate's policy and its threshold in [0, 1]."""

    def __init__(self, *, weights: Mapping[str, float] | None, policy: GatePolicy, threshold: float) -> None:
        self._weights = weights
        self._policy = policy
        self._threshold = threshold

    def net_score(self, evidence: Evidence) -> float:
        """Rate by the same rules and keep only the net score, as lineage asks for an unregistered parent."""
        return rate(evidence, timer=time.perf_counter, weights=self._weights).net_score

    async def rate(self, artifact_id: str, evidence: Evidence) -> StoredRating:
        """Score the evidence off the event loop and pass the gate's verdict on it."""
        rating = await anyio.to_thread.run_sync(lambda: rate(evidence, timer=time.perf_counter, weights=self._weights))
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
        model = await self._store.get(viewer, ArtifactType.MODEL, artifact_id)
        stored = await self._store.rating(artifact_id) if model else None
        if model is None or (stored is None and not refresh):
            raise NotFound(f"there is no model with id {artifact_id}")
        if refresh or stored is None:
            model, stored = await self._rate_again(viewer, model)
        if stored.rating.failed:
            named = "; ".join(f"{name}: {why}" for name, why in sorted(stored.rating.failed.items()))
            raise RatingIncomplete(f"some metrics could not be computed: {named}")
        return model, stored

    async def _rate_again(self, viewer: User, model: Artifact) -> tuple[Artifact, StoredRating]:
        gathered = await self._gatherer.model(model.source, name=model.name, url=model.url, viewer=viewer)
        rated = await self._judge.rate(model.id, gathered.evidence)
        renewed = replace(model, version=model.version + 1, license=gathered.license, updated_at=self._now())
        entry = AuditEntry(new_id(), viewer, self._now(), model.summary, Action.RATE)
        await self._store.commit(
            Commit(
                renewed,
                model.version,
                rating=rated,
                links=[draft.of(model.id) for draft in gathered.links],
                audit=[entry],
            )
        )
        return renewed, rated
