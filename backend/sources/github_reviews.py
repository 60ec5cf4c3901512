"""Who looked at the newest changes of a repository: a sample of its commits, their pull requests and reviews."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from backend.domain.errors import RegistryError
from backend.domain.source import Source
from backend.sources import github_records
from backend.sources.budget import branch
from backend.sources.github import GitHub
from metrics.evidence import CodeCommit, ReviewedChange


@dataclass(frozen=True, slots=True)
class ReviewSample:
    """The changes that could be looked into, newest first, and how many were to be."""

    changes: tuple[ReviewedChange, ...]
    asked: int
    failure: RegistryError | None
    """Why changes are missing, None when none are."""

    @property
    def note(self) -> str:
        """How the sample was drawn."""
        cut = "" if self.failure is None else f"; {len(self.changes)} could be read"
        return f"the {self.asked} newest commits that are neither merges nor a bot's{cut}"


async def sample_reviews(github: GitHub, source: Source, commits: Sequence[CodeCommit]) -> ReviewSample:
    """Look into the newest commits, leaving out merges and bots; a commit that cannot be read is left out."""
    chosen = [commit for commit in commits if not commit.is_merge and not commit.is_bot][: github.review_sample]
    looks = [branch(_change(github, source, commit)) for commit in chosen]
    found = await asyncio.gather(*looks, return_exceptions=True)
    unexpected = next((e for e in found if isinstance(e, BaseException) and not isinstance(e, RegistryError)), None)
    if unexpected is not None:
        raise unexpected
    return ReviewSample(
        tuple(change for change in found if isinstance(change, ReviewedChange)),
        len(chosen),
        next((error for error in found if isinstance(error, RegistryError)), None),
    )


async def _change(github: GitHub, source: Source, commit: CodeCommit) -> ReviewedChange:
    base = f"{github.repo_url(source)}/commits/{commit.sha}"
    detail, pulls = await asyncio.gather(branch(github.json(base)), branch(github.json(f"{base}/pulls")))
    additions = github_records.added_lines(detail)
    pull = github_records.merged_pull(pulls)
    if pull is None:
        return ReviewedChange(commit.sha, commit.author, additions, None, ())
    number, author = pull
    reviews = await github.json(f"{github.repo_url(source)}/pulls/{number}/reviews?per_page=100")
    return ReviewedChange(
        commit.sha, commit.author, additions, number, github_records.reviewers(reviews, {author, commit.author})
    )
