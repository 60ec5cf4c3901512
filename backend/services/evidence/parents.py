"""The net scores of a model's ancestors: the stored ones, and for the rest by gathering and rating them alike."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import anyio.to_thread

from backend.domain.artifact import Artifact
from backend.domain.errors import NotFound, UpstreamFailed, UpstreamRefused
from backend.domain.source import ArtifactType, Source
from backend.domain.user import User
from backend.services.evidence.facts import failed
from backend.services.evidence.links import NamedParent
from backend.sources.budget import branch
from backend.storage.base import Catalog
from metrics.evidence import Evidence, Fact, Missing, ParentEvidence

MAX_DEPTH = 3
MAX_PARENTS = 4

Gather = Callable[[Source, int], Awaitable[tuple[Source, Evidence]]]
"""Gathers an unregistered ancestor at a depth, and says what its source turned out to be."""


class Ancestry:
    """One gathering's ancestors: each is rated once, however many of its descendants name it.

    Two models that name each other would wait for each other for ever; who waits for whom is kept, and a wait that
    would close a circle is not begun.
    """

    def __init__(
        self, catalog: Catalog, viewer: User, gather: Gather, rate: Callable[[Evidence], float], at: datetime
    ) -> None:
        self._catalog = catalog
        self._viewer = viewer
        self._gather = gather
        self._rate = rate
        self._at = at
        self._ratings: dict[str, asyncio.Task[tuple[str, Fact[float]]]] = {}
        self._waits: dict[str, set[str]] = defaultdict(set)
        self._known_as: dict[str, str] = {}

    def met(self, stated: str, present: str) -> None:
        """Learn that the model asked for under the key `stated` goes by `present` now."""
        self._known_as.setdefault(present, stated)

    async def parents(
        self, child: str, stated: Sequence[NamedParent], registered: Sequence[Artifact], depth: int
    ) -> tuple[ParentEvidence, ...]:
        """Each parent with its net score; `child` is the key that the model naming them was asked for under."""
        known = {artifact.source.key: artifact for artifact in registered if artifact.type is ArtifactType.MODEL}
        looks = [branch(self._parent(child, parent, known, depth + 1)) for parent in stated[:MAX_PARENTS]]
        return tuple(await asyncio.gather(*looks))

    def cancel(self) -> None:
        """Give up what is still being gathered."""
        for task in self._ratings.values():
            task.cancel()

    async def _parent(self, child: str, parent: NamedParent, known: dict[str, Artifact], depth: int) -> ParentEvidence:
        named = parent.named
        key, score = await self._score(child, named.source, known.get(named.source.key), depth)
        return ParentEvidence(named.name, key, parent.relation, named.linked_by, score)

    async def _score(
        self, child: str, source: Source, registered: Artifact | None, depth: int
    ) -> tuple[str, Fact[float]]:
        key = self._known_as.get(source.key, source.key)
        if key == child or self._leads_to(key, child):
            why = "it names this model as its own ancestor"
            return key, Fact.lacking(Missing.NOT_ASKED, why, at=self._at)
        if key not in self._ratings:
            if depth > MAX_DEPTH:
                why = f"more than {MAX_DEPTH} generations back"
                return key, Fact.lacking(Missing.NOT_ASKED, why, at=self._at)
            self._ratings[key] = asyncio.create_task(self._rated(source, registered, depth))
        self._waits[child].add(key)
        return await asyncio.shield(self._ratings[key])

    def _leads_to(self, start: str, goal: str) -> bool:
        """Whether `start` waits for `goal`, directly or through others."""
        seen, ahead = set[str](), [start]
        while ahead:
            key = ahead.pop()
            if key == goal:
                return True
            if key not in seen:
                seen.add(key)
                ahead.extend(self._waits.get(key, ()))
        return False

    async def _rated(self, source: Source, registered: Artifact | None, depth: int) -> tuple[str, Fact[float]]:
        stored = await self._catalog.rating(registered.id) if registered else None
        if stored is not None:
            rating = stored.rating
            note = "the rating this registry keeps of it"
            return source.key, Fact(rating.net_score, None, note, stored.evidence.model.source, rating.rated_at)
        try:
            found, evidence = await self._gather(source, depth)
        except (NotFound, UpstreamRefused, UpstreamFailed) as error:
            return source.key, failed(error, "", self._at)
        score = await anyio.to_thread.run_sync(self._rate, evidence)
        note = "not registered; gathered and rated for this" + ("" if depth == 1 else ", without reviews and analysis")
        return found.key, Fact(score, None, note, evidence.model.source, self._at)
