"""What a metric is: a named question, a weight, and a pure function from evidence to a result that explains itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from metrics.evidence import Evidence


class Kind(StrEnum):
    """What a finding does to its score."""

    GIVES = "gives"
    COSTS = "costs"
    NOTES = "notes"
    MISSING = "missing"
    """Evidence could not be had: the score rests on less, and says so."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was seen, the points it moved, and what would raise them.

    `points` are on the scale of the metric's own score, positive or negative; 0 for a note.
    `source` is the URL the fact came from, or empty.
    """

    kind: Kind
    summary: str
    points: float = 0.0
    remedy: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class MetricResult:
    """A score with its reasons.

    `score` lies in [0, 1], or is -1 where the metric does not apply. `parts` holds the scores that `score` is the mean
    of, where a metric has several (the devices of `size_score`). `confidence` in [0, 1] is the share of the evidence
    the metric wanted that it had.
    """

    score: float
    findings: tuple[Finding, ...]
    confidence: float = 1.0
    parts: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """One question about a model and the pure function that answers it.

    `name` is the field of the contract; `weight` its default share of the net score; `scale` the table of points, a
    line each, from which the reference page is generated.
    """

    name: str
    question: str
    weight: float
    measure: Callable[[Evidence], MetricResult]
    reads: tuple[str, ...]
    scale: tuple[str, ...]
