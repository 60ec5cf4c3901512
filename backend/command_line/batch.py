"""Rates the models of a URL file side by side and hands them over in the order they were asked for."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from backend.command_line.orders import Linked, Order
from backend.domain.artifact import Artifact
from backend.domain.errors import RatingIncomplete, RegistryError
from backend.domain.ids import new_id
from backend.domain.rating import StoredRating
from backend.domain.user import LOCAL
from backend.services.clock import Clock, utc_now
from backend.services.evidence.gatherer import MAX_REQUESTS
from backend.settings import Settings
from backend.sources.budget import Budget
from backend.storage.base import Commit, MetadataStore
from backend.storage.factory import open_metadata
from backend.wiring import build_rating, open_upstream


class Stage(StrEnum):
    """Where the work on one model stands."""

    WAITING = "waiting"
    GATHERING = "gathering evidence"
    SCORING = "scoring"
    RATED = "rated"
    FAILED = "failed"


@dataclass(slots=True)
class Work:
    """The work on one model as it goes on; `budget` counts the requests made for it so far."""

    order: Order
    stage: Stage = Stage.WAITING
    budget: Budget = field(default_factory=lambda: Budget(MAX_REQUESTS))

    @property
    def name(self) -> str:
        """What the model is called."""
        return self.order.source.short_name


@dataclass(frozen=True, slots=True)
class Rated:
    """A model with its rating."""

    order: Order
    name: str
    stored: StoredRating


@dataclass(frozen=True, slots=True)
class Failed:
    """A model that could not be rated, and why."""

    order: Order
    why: str


class Watcher(Protocol):
    """Is told whenever a model enters a stage."""

    def __call__(self, work: Work, /) -> None:
        """Show it."""
        ...


async def rate_all(
    orders: Sequence[Order], settings: Settings, watch: Watcher, *, now: Clock = utc_now
) -> AsyncIterator[Rated | Failed]:
    """Rate every model, a few at a time, and yield them in order, each as soon as those before it are there.

    The datasets and code of all lines count as registered, so that a card which mentions one by name is linked to it
    whatever line it is on. They are kept in memory for the length of the call.
    """
    store = open_metadata("memory://")
    upstream = open_upstream(settings)
    gatherer, judge = build_rating(settings, upstream, store, now=now)
    places = asyncio.Semaphore(settings.worker_concurrency)

    async def rated(order: Order) -> Rated | Failed:
        work = Work(order)
        watch(work)
        async with places:
            try:
                _enter(work, Stage.GATHERING, watch)
                found = await gatherer.model(
                    order.source,
                    name=work.name,
                    url=order.url,
                    dataset=order.dataset.source if order.dataset else None,
                    code=order.code.source if order.code else None,
                    viewer=LOCAL,
                    budget=work.budget,
                )
                _enter(work, Stage.SCORING, watch)
                stored = _complete(await judge.rate(found.source.key, found.evidence))
            except RegistryError as error:
                _enter(work, Stage.FAILED, watch)
                return Failed(order, str(error))
        _enter(work, Stage.RATED, watch)
        return Rated(order, work.name, stored)

    try:
        await _register(store, orders, now())
        async with asyncio.TaskGroup() as group:
            for task in [group.create_task(rated(order)) for order in orders]:
                yield await task
    finally:
        await gatherer.close()
        await upstream.close()
        await store.close()


def _enter(work: Work, stage: Stage, watch: Watcher) -> None:
    work.stage = stage
    watch(work)


def _complete(stored: StoredRating) -> StoredRating:
    """Pass a rating on that has all its scores: a line with some of them left out would read as a whole one."""
    if failed := stored.rating.failed:
        named = "; ".join(f"{name}: {why}" for name, why in sorted(failed.items()))
        raise RatingIncomplete(f"some metrics could not be computed: {named}")
    return stored


async def _register(store: MetadataStore, orders: Iterable[Order], now: datetime) -> None:
    """Make every dataset and repository known that a line names, each once."""
    linked = (each for order in orders for each in (order.dataset, order.code) if each)
    for each in {(one.kind, one.source.key): one for one in linked}.values():
        await store.commit(Commit(_artifact(each, now)))


def _artifact(linked: Linked, now: datetime) -> Artifact:
    return Artifact(
        id=new_id(),
        name=linked.source.short_name,
        type=linked.kind,
        url=linked.url,
        source=linked.source,
        owner=LOCAL.name,
        created_at=now,
        updated_at=now,
    )
