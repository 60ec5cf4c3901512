"""Gather everything known about an artifact: one record, from requests that run in waves."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from backend.domain.errors import NotFound
from backend.domain.source import Host, Source
from backend.domain.user import User
from backend.services.evidence.linked import LinkedReader
from backend.services.evidence.links import LinkDraft, Named
from backend.services.evidence.model import ModelFacts, read_model
from backend.services.evidence.parents import Ancestry
from backend.services.evidence.scrutiny import Scrutiny
from backend.services.evidence.surroundings import given, links, look_around
from backend.sources.budget import Budget, branch, spending
from backend.sources.github import GitHub
from backend.sources.huggingface import HuggingFace
from backend.storage.base import Catalog
from metrics.evidence import (
    NO_CODE,
    NO_DATASET,
    CodeEvidence,
    DatasetEvidence,
    Evidence,
    Fact,
    LinkedBy,
    Missing,
    ParentEvidence,
    RepoFile,
)
from metrics.license import model_license
from metrics.licenses import normalise, stated_license

MAX_REQUESTS = 200
"""Upstream requests for one model with all its ancestors; what comes after is left out, and says so."""
_STATED_TRIED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was found of an artifact: where it is now, the commit looked at, its text, licence and files.

    `source` has the id that its host uses now, `license` is an SPDX expression, None where none is stated.
    """

    source: Source
    commit: str | None = None
    readme: str | None = None
    license: str | None = None
    files: tuple[RepoFile, ...] = ()
    links: tuple[LinkDraft, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredModel(Gathered):
    """What was found of a model, with the evidence its rating rests on."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _Errand:
    """What a model and all its ancestors are gathered under."""

    viewer: User
    at: datetime
    ancestry: Ancestry


@dataclass(frozen=True, slots=True)
class _Subject:
    """One model to gather: how it is called, where it is, the links given, and how many generations back it is."""

    source: Source
    name: str
    url: str
    dataset: tuple[Named, ...] = ()
    code: tuple[Named, ...] = ()
    depth: int = 0


class Gatherer:
    """Reads models, datasets and code from their hosts.

    What cannot be had of a thing itself is an error: `NotFound`, `UpstreamRefused` or `UpstreamFailed`. What cannot be
    had of the things it links is a missing fact. `rate` turns an ancestor's evidence into its net score. `scrutiny` is
    for the model asked for, not for its ancestors.
    """

    def __init__(
        self,
        huggingface: HuggingFace,
        github: GitHub,
        catalog: Catalog,
        *,
        rate: Callable[[Evidence], float],
        now: Callable[[], datetime],
        scrutiny: Scrutiny | None = None,
    ) -> None:
        self._scrutiny = scrutiny or Scrutiny()
        self._huggingface = huggingface
        self._github = github
        self._catalog = catalog
        self._rate = rate
        self._now = now
        self._linked = LinkedReader(huggingface, github)

    async def model(
        self,
        source: Source,
        *,
        name: str,
        url: str,
        dataset: Source | None = None,
        code: Source | None = None,
        viewer: User,
        budget: Budget | None = None,
    ) -> GatheredModel:
        """Gather a model; `dataset` and `code` are links given at its registration.

        `budget` lets the caller watch the requests while they are made; without one MAX_REQUESTS are allowed.
        """
        started, at = time.perf_counter(), self._now()
        subject = _Subject(source, name, url, given(dataset), given(code))
        with spending(budget or Budget(MAX_REQUESTS)) as spent:
            errand = self._errand(viewer, at)
            try:
                found = await self._model(subject, errand)
            finally:
                errand.ancestry.cancel()
        run = await self._scrutiny.demonstration(found.evidence)
        took = time.perf_counter() - started
        counted = replace(found.evidence, demonstration=run, upstream_requests=spent.requests, gather_seconds=took)
        return replace(found, evidence=counted)

    async def dataset(self, source: Source) -> Gathered:
        """Gather a dataset; a plain link is never contacted, so nothing is known of it."""
        match source.host:
            case Host.HUGGINGFACE:
                return await self._hub_dataset(source)
            case Host.GITHUB:
                return await self._repository(source)
            case Host.LINK:
                return Gathered(source=source)

    async def code(self, source: Source) -> Gathered:
        """Gather a code repository; a plain link is never contacted, so nothing is known of it."""
        return await self._repository(source) if source.host is Host.GITHUB else Gathered(source=source)

    async def close(self) -> None:
        """Give up what scrutiny has under way; the hubs' clients belong to whoever made them."""
        await self._scrutiny.close()

    def _errand(self, viewer: User, at: datetime) -> _Errand:
        async def gather_ancestor(place: Source, depth: int) -> tuple[Source, Evidence]:
            page = self._huggingface.page_url(place)
            found = await self._model(_Subject(place, place.short_name, page, depth=depth), errand)
            return found.source, found.evidence

        errand = _Errand(viewer, at, Ancestry(self._catalog, viewer, gather_ancestor, self._rate, at))
        return errand

    async def _model(self, subject: _Subject, errand: _Errand) -> GatheredModel:
        facts = await read_model(self._huggingface, subject.source, errand.at)
        errand.ancestry.met(subject.source.key, facts.model.source.key)
        around = await look_around(self._catalog, errand.viewer, facts, subject.dataset, subject.code)
        found, depth = facts.model, subject.depth
        scrutiny = Scrutiny() if depth else self._scrutiny
        (chosen, dataset), code, parents, reading = await asyncio.gather(
            branch(self._dataset(around.datasets, errand.at)),
            branch(self._code(around.code, errand.at, depth)),
            branch(errand.ancestry.parents(subject.source.key, around.parents, around.registered, depth)),
            branch(scrutiny.second_reading(facts.card, errand.at)),
        )
        evidence = replace(_evidence(subject, facts, errand.at, dataset, code, parents), second_reading=reading)
        moved = {chosen: dataset.key or chosen}
        if around.code:
            moved[around.code[0].source.key] = code.key or around.code[0].source.key
        return GatheredModel(
            source=found.source,
            commit=found.record.sha,
            readme=facts.readme.value,
            license=model_license(evidence),
            files=found.files,
            links=links(around, parents, moved),
            evidence=evidence,
        )

    async def _dataset(self, candidates: Sequence[Named], at: datetime) -> tuple[str, DatasetEvidence]:
        """The first candidate that exists, with the key it was stated by; the first of all where none does.

        A dataset given at registration is taken at its word, even where it cannot be found.
        """
        seen: list[tuple[str, DatasetEvidence]] = []
        for named in _worth_trying(candidates):
            found = await self._linked.dataset(named, at)
            seen.append((named.source.key, found))
            if found.record.missing is not Missing.NOT_FOUND or named.linked_by is LinkedBy.REGISTRATION:
                return seen[-1]
        return seen[0] if seen else ("", NO_DATASET)

    async def _code(self, candidates: Sequence[Named], at: datetime, depth: int) -> CodeEvidence:
        """The likeliest candidate; of an ancestor further back than a parent without what costs its host most."""
        return await self._linked.code(candidates[0], at, thorough=depth <= 1) if candidates else NO_CODE

    async def _hub_dataset(self, source: Source) -> Gathered:
        if "/" in source.repo:
            found, readme = await asyncio.gather(self._huggingface.dataset(source), self._readme(source))
        else:
            found = await self._huggingface.dataset(source)
            readme = await self._readme(found.source)
        return Gathered(
            source=found.source,
            commit=found.record.sha,
            readme=readme,
            license=stated_license(found.record.licenses),
            files=found.files,
        )

    async def _repository(self, source: Source) -> Gathered:
        found, commits, tree, readme = await asyncio.gather(
            self._github.repository(source),
            self._github.commits(source),
            self._github.tree(source),
            self._readme(source),
        )
        return Gathered(
            source=found.source,
            commit=commits[0].sha if commits else None,
            readme=readme,
            license=normalise(found.record.license_spdx),
            files=tree.files,
        )

    async def _readme(self, source: Source) -> str | None:
        reader = self._github if source.host is Host.GITHUB else self._huggingface
        try:
            return await reader.readme(source)
        except NotFound:
            return None


def _worth_trying(candidates: Sequence[Named]) -> list[Named]:
    """The first stated ones, and the first that is only mentioned; a card may list dozens that are long gone."""
    mentioned = [named for named in candidates if named.linked_by is LinkedBy.NAME_MENTION]
    stated = [named for named in candidates if named.linked_by is not LinkedBy.NAME_MENTION]
    return [*stated[:_STATED_TRIED], *mentioned[:1]]


def _evidence(
    subject: _Subject,
    facts: ModelFacts,
    at: datetime,
    dataset: DatasetEvidence,
    code: CodeEvidence,
    parents: tuple[ParentEvidence, ...],
) -> Evidence:
    return Evidence(
        name=subject.name,
        url=subject.url,
        gathered_at=at,
        model=Fact(facts.model.record, source=facts.record_url, at=at),
        card=facts.card,
        files=Fact(facts.model.files, source=facts.record_url, at=at),
        config=facts.config,
        commits=facts.commits,
        dataset=dataset,
        code=code,
        parents=parents,
    )
