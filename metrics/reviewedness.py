"""Reviewedness: how much of the code was looked at by somebody else before it came in?"""

from metrics.evidence import Evidence, ReviewedChange
from metrics.metric import Finding, Kind, Metric, MetricResult
from metrics.points import could_not_judge, note, unjudged, why_missing

NOT_APPLICABLE = -1.0
"""The score where no repository is linked, as the contract wants it."""


def measure(evidence: Evidence) -> MetricResult:
    """Divide the added lines that came in through a reviewed pull request by all added lines of the sample.

    A review counts when somebody other than the author, and no bot, submitted it. The sample is the most recent
    changes of the default branch; weights, data, lock and generated files are left out when it is gathered.
    """
    code = evidence.code
    if not code.url:
        remedy = "Link the code repository in the card."
        finding = Finding(Kind.NOTES, "No code repository is linked, so there is nothing to review", 0.0, remedy)
        return MetricResult(NOT_APPLICABLE, (finding,))
    if unjudged(code.changes):
        return could_not_judge(code.changes, "Recent changes and their reviews")
    changes = code.changes.value
    if changes is None:
        saw = f"The repository shows no history ({why_missing(code.changes)})"
        return MetricResult(0.0, (Finding(Kind.COSTS, saw, 0.0, "Link a repository that can be opened.", code.url),))
    return _over(changes, code.changes.source or code.url)


def _over(changes: tuple[ReviewedChange, ...], source: str) -> MetricResult:
    total = sum(max(0, change.additions) for change in changes)
    if not total:
        saw = f"The last {len(changes)} change(s) add no line that counts"
        return MetricResult(0.0, (Finding(Kind.MISSING, saw, source=source),), confidence=0.0)
    reviewed = sum(max(0, change.additions) for change in changes if is_reviewed(change))
    score = reviewed / total
    kind = Kind.GIVES if reviewed else Kind.COSTS
    saw = f"{reviewed:,} of {total:,} added lines in the last {len(changes)} change(s) were reviewed by somebody else"
    remedy = "" if score == 1 else "Bring changes in through pull requests and have them reviewed."
    direct = sum(change.pull is None for change in changes)
    finding = Finding(kind, saw, score, remedy, source)
    return MetricResult(score, (finding, note(f"{direct} of the sampled changes were pushed directly")))


def is_reviewed(change: ReviewedChange) -> bool:
    """Whether a change came through a pull request that a person other than its author reviewed."""
    author = change.author.casefold()
    others = [name for name in change.reviewers if name.casefold() != author and not name.casefold().endswith("[bot]")]
    return change.pull is not None and bool(others)


METRIC = Metric(
    name="reviewedness",
    question="Was the code reviewed?",
    weight=0.03,
    measure=measure,
    reads=("code.changes",),
    scale=(
        "reviewed lines / all lines added, over the sampled changes of the default branch",
        "-1: no repository is linked; the net score leaves it out",
    ),
)
