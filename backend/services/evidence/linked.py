"""Gathers what the hosts of a model's dataset and of its code say about them."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from backend.domain.source import Host, Source
from backend.services.evidence.analysis import Analyses
from backend.services.evidence.facts import attempt, failed, part, same_gap
from backend.services.evidence.links import Named
from backend.sources.budget import branch
from backend.sources.cards import split_card
from backend.sources.github import GitHub, GitHubRepo
from backend.sources.github_reviews import sample_reviews
from backend.sources.huggingface import HuggingFace
from backend.sources.static_analysis import AnalyserMissing
from metrics.evidence import (
    NO_CODE,
    NO_DATASET,
    CodeAnalysis,
    CodeCommit,
    CodeEvidence,
    DatasetEvidence,
    Fact,
    Missing,
    ReviewedChange,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LinkedReader:
    """Reads linked datasets and repositories; a failure becomes a missing fact, never an error."""

    huggingface: HuggingFace
    github: GitHub
    analyses: Analyses = field(default_factory=Analyses)

    async def dataset(self, named: Named, at: datetime) -> DatasetEvidence:
        """The dataset's record, card and files."""
        match named.source.host:
            case Host.HUGGINGFACE:
                return await self._hub_dataset(named, at)
            case Host.GITHUB:
                return await self._github_dataset(named, at)
            case Host.LINK:
                return replace(
                    NO_DATASET,
                    name=named.name,
                    linked_by=named.linked_by,
                    key=named.source.key,
                    record=_link_only(named, at),
                    card=_link_only(named, at),
                    files=_link_only(named, at),
                )

    async def _hub_dataset(self, named: Named, at: datetime) -> DatasetEvidence:
        """With an owner in the name record and card are asked at once, else the record first: a bare name redirects."""
        hub, source = self.huggingface, named.source
        record = attempt(hub.dataset(source), hub.record_url(source), at)
        if "/" in source.repo:
            found, card = await asyncio.gather(record, self._hub_card(named, at))
        else:
            found = await record
            resolved = replace(named, source=found.value.source) if found.value else named
            card = await self._hub_card(resolved, at) if found.value else same_gap(found)
        return DatasetEvidence(
            name=found.value.record.id if found.value else named.name,
            linked_by=named.linked_by,
            key=found.value.source.key if found.value else source.key,
            record=part(found, lambda hub: hub.record),
            card=same_gap(found) if found.missing is Missing.NOT_FOUND else card,
            files=part(found, lambda hub: hub.files),
        )

    async def _hub_card(self, named: Named, at: datetime) -> Fact[str]:
        url = self.huggingface.file_url(named.source, "README.md")
        readme = await attempt(self.huggingface.readme(named.source), url, at, absent=Missing.NOT_STATED)
        return part(readme, lambda text: split_card(text)[1])

    async def _github_dataset(self, named: Named, at: datetime) -> DatasetEvidence:
        github, source = self.github, named.source
        found, tree, readme = await asyncio.gather(
            attempt(github.repository(source), github.repo_url(source), at),
            attempt(github.tree(source), github.tree_url(source), at),
            attempt(github.readme(source), github.readme_url(source), at, absent=Missing.NOT_STATED),
        )
        return DatasetEvidence(
            name=named.name,
            linked_by=named.linked_by,
            key=found.value.source.key if found.value else source.key,
            record=part(found, lambda hub: hub.as_dataset),
            card=readme,
            files=part(tree, lambda listed: listed.files),
        )

    async def code(self, named: Named, at: datetime, *, thorough: bool) -> CodeEvidence:
        """The repository's record, people, history, files and README.

        With `thorough` also a sample of its reviews and a static analysis, which cost tens of requests and a download.
        """
        if named.source.host is not Host.GITHUB:
            gap: Fact[object] = _link_only(named, at)
            return replace(NO_CODE, url=named.source.repo, linked_by=named.linked_by, key=named.source.key,
                           repo=same_gap(gap), tree=same_gap(gap), readme=same_gap(gap), commits=same_gap(gap),
                           contributors=same_gap(gap), changes=same_gap(gap), analysis=same_gap(gap))  # fmt: skip
        github, source = self.github, named.source
        (found, commits, changes, analysis), contributors, tree, readme = await asyncio.gather(
            branch(self._history(named, at, thorough=thorough)),
            attempt(github.contributors(source), github.contributors_url(source), at),
            attempt(github.tree(source), github.tree_url(source), at),
            attempt(github.readme(source), github.readme_url(source), at, absent=Missing.NOT_STATED),
        )
        note = "GitHub listed only a part of the files" if tree.value and tree.value.truncated else ""
        return CodeEvidence(
            url=github.page_url(found.value.source if found.value else source),
            linked_by=named.linked_by,
            key=found.value.source.key if found.value else source.key,
            repo=part(found, lambda hub: hub.record),
            contributors=contributors,
            commits=commits,
            changes=changes,
            tree=replace(part(tree, lambda listed: listed.files), note=note or tree.note),
            readme=readme,
            analysis=analysis,
        )

    async def _history(
        self, named: Named, at: datetime, *, thorough: bool
    ) -> tuple[Fact[GitHubRepo], Fact[tuple[CodeCommit, ...]], Fact[tuple[ReviewedChange, ...]], Fact[CodeAnalysis]]:
        """The record and the commits, and what hangs on knowing them.

        That is asked under the name the repository has now: under an earlier one each request would be redirected,
        which costs a second one of an hourly limit, and a wave.
        """
        github, url = self.github, self.github.commits_url(named.source)
        found, commits = await asyncio.gather(
            attempt(github.repository(named.source), github.repo_url(named.source), at),
            attempt(github.commits(named.source), url, at),
        )
        if commits.value is None:
            return found, commits, same_gap(commits), same_gap(commits)
        if not thorough:
            why = "left out for an ancestor this far back, to spare its host"
            return found, commits, Fact.lacking(Missing.NOT_ASKED, why), Fact.lacking(Missing.NOT_ASKED, why)
        if not commits.value:
            why = "the repository has no commits"
            return found, commits, Fact(()), Fact.lacking(Missing.NOT_STATED, why, url, at)
        source = found.value.source if found.value else named.source
        changes, analysis = await asyncio.gather(
            branch(self._changes(source, commits.value, at)), branch(self._analysis(source, commits.value[0].sha, at))
        )
        return found, commits, changes, analysis

    async def _changes(
        self, source: Source, commits: tuple[CodeCommit, ...], at: datetime
    ) -> Fact[tuple[ReviewedChange, ...]]:
        sample = await sample_reviews(self.github, source, commits)
        url = self.github.commits_url(source)
        if sample.failure is not None and not sample.changes:
            return failed(sample.failure, url, at)
        return Fact(sample.changes, note=sample.note, source=url, at=at)

    async def _analysis(self, source: Source, commit: str, at: datetime) -> Fact[CodeAnalysis]:
        url = f"{self.github.page_url(source)}/tree/{commit}"
        try:
            return await attempt(self.analyses.of(self.github, source, commit), url, at)
        except AnalyserMissing as missing:
            return Fact.lacking(Missing.NOT_ASKED, str(missing), url, at)


def _link_only(named: Named, at: datetime) -> Fact[T]:
    why = "kept as a link; this registry reads Hugging Face and GitHub only"
    return Fact.lacking(Missing.NOT_ASKED, why, named.source.repo, at)
