"""Bus factor: does the model survive a maintainer leaving?"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from metrics.evidence import CodeRepo, Contributor, Evidence, Fact
from metrics.metric import Finding, Kind, Metric, MetricResult
from metrics.points import could_not_judge, note, unjudged, why_missing
from metrics.time_spans import years_between

HALF_LIFE_YEARS = 1.0
"""A commit counts half as much as one a year younger: knowledge fades, and people move on."""

RISK_LEFT_PER_AUTHOR = 2 / 3
"""Each further effective author takes a third of the remaining risk.

Avelino, Passos, Hora and Valente ("A novel approach for estimating truck factors", ICPC 2016) found that most popular
projects have a truck factor of one or two, so one has to be a bad but common case (0.33) and two an ordinary one
(0.56); the curve reaches 0.8 at four and never quite 1, as no number of people makes a project immortal.
"""

ORGANISATION_AUTHORS = 1.0
"""What an organisation counts: others hold its keys and can appoint a successor, as good as one more author."""

MOST_COUNTED = 1_000
"""Commits of one contributor that are counted where only totals are known."""

_SYSTEM_ACCOUNTS = frozenset({"system", "hf-staff", "web-flow", "github", "unknown", ""})
_BOT_MARKS = ("[bot]", "-bot", "_bot", " bot")


@dataclass(frozen=True, slots=True)
class _Community:
    """The people behind one repository; `effective` is 1/sum(p²) over their shares of the weighted commits."""

    where: str
    authors: int
    commits: int
    effective: float
    is_organisation: bool
    source: str

    @property
    def strength(self) -> float:
        return self.effective + (ORGANISATION_AUTHORS if self.is_organisation else 0.0)


def survival(effective_authors: float) -> float:
    """Map an effective number of authors to [0, 1): 0 for none, 0.33 for one, 0.56 for two, 0.80 for four."""
    return 1.0 - math.pow(RISK_LEFT_PER_AUTHOR, max(0.0, effective_authors))


def effective_authors(commits: Iterable[tuple[str, float]]) -> float:
    """The number of equally busy authors that would be as concentrated: 1/sum(p²), the inverse Simpson index.

    `commits` holds an author and an age in years each. Weights are relative to the youngest commit, so a project that
    ended long ago is judged by who carried it at its end, and none of its weights vanish.
    """
    listed = list(commits)
    youngest = min((age for _, age in listed), default=0.0)
    weights: defaultdict[str, float] = defaultdict(float)
    for author, age in sorted(listed):
        weights[author] += 0.5 ** ((age - youngest) / HALF_LIFE_YEARS)
    total = sum(weights.values())
    return total**2 / sum(weight**2 for weight in weights.values()) if total else 0.0


def measure(evidence: Evidence) -> MetricResult:
    """Grade the stronger of two communities, the code repository's and the model repository's.

    The stronger one is taken since either could carry the model on. Bots are left out.
    """
    communities = [found for found in (_code_community(evidence), _hub_community(evidence)) if found]
    lost = [fact for fact in (evidence.code.commits, evidence.commits) if unjudged(fact)]
    if not communities and lost:
        return could_not_judge(lost[0], "The commit history")
    missing = [_missing(fact) for fact in lost]
    confidence = 1.0 - 0.5 * len(lost)
    if not communities:
        finding = Finding(Kind.COSTS, "No commit by a person is known", 0.0, _REMEDY, evidence.url)
        return MetricResult(0.0, (finding, *missing), confidence)
    best = max(communities, key=lambda community: community.strength)
    others = [note(_described(community), source=community.source) for community in communities if community != best]
    return MetricResult(survival(best.strength), (*_findings(best), *others, *missing), confidence)


_REMEDY = "Let more people commit and share the ownership, best in an organisation."


def _findings(best: _Community) -> list[Finding]:
    alone = survival(best.effective)
    remedy = _REMEDY if alone < 1 / 2 else ""
    kind = Kind.GIVES if alone else Kind.COSTS
    findings = [Finding(kind, _described(best), alone, remedy, best.source)]
    if best.is_organisation:
        more = survival(best.strength) - alone
        findings.append(Finding(Kind.GIVES, "Owned by an organisation rather than one account", more, "", best.source))
    return findings


def _described(community: _Community) -> str:
    return (
        f"{community.where}: {community.authors} author(s) over {community.commits} commit(s), weighted by age as good"
        f" as {community.effective:.1f} equally busy"
    )


def _missing(fact: Fact[Any]) -> Finding:
    return Finding(Kind.MISSING, f"A commit history could not be read ({why_missing(fact)})", source=fact.source)


def _code_community(evidence: Evidence) -> _Community | None:
    code = evidence.code
    listed = [(commit.author, commit.date) for commit in code.commits.otherwise(()) if not commit.is_bot]
    source = code.commits.source or code.url
    if not any(_is_person(author) for author, _ in listed):  # a list of contributors still tells who did how much
        listed = _undated_commits(code.contributors.otherwise(()))
        source = code.contributors.source or code.url
    return _community("Code repository", listed, evidence.gathered_at, _owned_together(code.repo.value, listed), source)


def _undated_commits(contributors: Iterable[Contributor]) -> list[tuple[str, datetime | None]]:
    people = [person for person in contributors if not person.is_bot]
    return [(person.login, None) for person in people for _ in range(min(person.contributions, MOST_COUNTED))]


def _owned_together(repo: CodeRepo | None, listed: list[tuple[str, datetime | None]]) -> bool:
    """Whether an organisation owns the repository, by its host's word or because the owner never commits."""
    if repo is None or repo.owner_is_organisation:
        return repo is not None
    return not repo.is_fork and _never_commits(repo.full_name.partition("/")[0], listed)


def _never_commits(owner: str | None, listed: list[tuple[str, datetime | None]]) -> bool:
    """Only people can commit: where an owner never does while others do, the owner is an organisation."""
    return bool(owner and listed) and all(author.casefold() != str(owner).casefold() for author, _ in listed)


def _hub_community(evidence: Evidence) -> _Community | None:
    listed = [(author, commit.date) for commit in evidence.commits.otherwise(()) for author in commit.authors]
    owner = evidence.model.value.author if evidence.model.value else None
    owned = _never_commits(owner, listed)
    return _community("Model repository", listed, evidence.gathered_at, owned, evidence.commits.source)


def _community(
    where: str, listed: list[tuple[str, datetime | None]], now: datetime, is_organisation: bool, source: str
) -> _Community | None:
    ages = [(author.casefold(), years_between(date, now)) for author, date in listed if _is_person(author)]
    if not ages:
        return None
    oldest = max((age for _, age in ages if age is not None), default=0.0)
    effective = effective_authors((author, oldest if age is None else age) for author, age in ages)
    return _Community(where, len({author for author, _ in ages}), len(ages), effective, is_organisation, source)


def _is_person(author: str) -> bool:
    name = author.strip().casefold()
    return name not in _SYSTEM_ACCOUNTS and not name.endswith(_BOT_MARKS)


METRIC = Metric(
    name="bus_factor",
    question="Does it survive a maintainer leaving?",
    weight=0.10,
    measure=measure,
    reads=("code.commits", "code.contributors", "code.repo", "commits", "model"),
    scale=(
        "n = 1 / sum(p^2) over the authors' shares of commits, weighted by age with a half-life of one year",
        f"n + {ORGANISATION_AUTHORS:g} for a repository owned by an organisation",
        "score = 1 - (2/3)^n for the stronger of code and model repository: 0.33 for one, 0.56 for two, 0.80 for four",
    ),
)
