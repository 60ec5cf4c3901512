"""A table of points, judged row by row: what a metric gives, withholds and could not look at."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.evidence import Fact, Missing
from metrics.metric import Finding, Kind, MetricResult

_NOT_OURS_TO_JUDGE = frozenset({Missing.FORBIDDEN, Missing.TOO_LARGE, Missing.NOT_ASKED})


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a metric's table as judged.

    `worth` is the most points the row can give; the worths of a table sum to 1. `share` in [0, 1] is how much of it
    was earned, None where the evidence could not be had and nothing is held against the model.
    """

    worth: float
    share: float | None
    saw: str
    remedy: str = ""
    source: str = ""


def unjudged(fact: Fact[Any]) -> bool:
    """Whether `fact` is missing for a reason that says nothing about the model.

    A passing failure of its host, credentials this registry lacks and this registry's own limits are such reasons;
    a thing that is not linked, not stated or not found is evidence, and bad.
    """
    return fact.missing is not None and (fact.missing.passing or fact.missing in _NOT_OURS_TO_JUDGE)


def why_missing(fact: Fact[Any]) -> str:
    """Say in words why `fact` is not there."""
    reason = str(fact.missing).replace("_", " ") if fact.missing else "known"
    return f"{reason}: {fact.note}" if fact.note else reason


def log_share(count: float, full_at: float) -> float:
    """Map a count to [0, 1] on a logarithmic scale that reaches 1 at `full_at`.

    Adoption spans seven orders of magnitude, so a linear scale would only tell the famous few from the rest.
    """
    return min(1.0, math.log1p(max(0.0, count)) / math.log1p(full_at))


def tally(rows: Sequence[Row], notes: Iterable[Finding] = ()) -> MetricResult:
    """Add the rows up to a score.

    Rows that could not be judged are left out and the rest stretched to the whole scale, so that an outage neither
    costs nor gives; `confidence` falls by their worth. The points of the findings add up to the score.
    """
    wanted = sum(row.worth for row in rows)
    had = sum(row.worth for row in rows if row.share is not None)
    stretch = 1 / had if had else 0.0
    findings = tuple(_finding(row, stretch) for row in rows)
    score = min(1.0, sum(finding.points for finding in findings))
    return MetricResult(score, (*findings, *notes), confidence=had / wanted if wanted else 0.0)


def note(saw: str, remedy: str = "", source: str = "") -> Finding:
    """Tell something that moves no points."""
    return Finding(Kind.NOTES, saw, remedy=remedy, source=source)


def could_not_judge(fact: Fact[Any], what: str) -> MetricResult:
    """Answer for a metric whose one source could not be read: score 0 with confidence 0, which the net leaves out."""
    finding = Finding(Kind.MISSING, f"{what} could not be read ({why_missing(fact)})", source=fact.source)
    return MetricResult(0.0, (finding,), confidence=0.0)


def _finding(row: Row, stretch: float) -> Finding:
    if row.share is None:
        return Finding(Kind.MISSING, row.saw, source=row.source)
    points = row.worth * stretch * min(1.0, max(0.0, row.share))
    kind = Kind.GIVES if points > 0 else Kind.COSTS
    remedy = row.remedy if row.share < 1 else ""
    return Finding(kind, f"{row.saw} ({points:.2f} of {row.worth * stretch:.2f})", points, remedy, row.source)
