"""Rate a model: every metric of the catalogue over one evidence record, the net score, and the gate's verdict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from metrics.catalog import CATALOG
from metrics.evidence import Evidence
from metrics.metric import Metric, MetricResult
from metrics.net_score import net_score

DEFAULT_WEIGHTS: Mapping[str, float] = {metric.name: metric.weight for metric in CATALOG}
"""Each metric's share of the net score; they sum to 1."""

UNKNOWN_CATEGORY = "unknown"
"""The category of a model whose hub states no task."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric's result and the seconds it took to compute from evidence that was already there."""

    result: MetricResult
    latency_s: float


@dataclass(frozen=True, slots=True)
class Rating:
    """All scores of one model.

    `metrics` maps each catalogue name to its measurement; `failed` names those that could not be computed with the
    error's text, and is empty in a healthy rating. `net_latency_s` counts gathering and scoring together.
    """

    net_score: float
    net_latency_s: float
    metrics: Mapping[str, Measured]
    category: str
    rated_at: datetime
    weights: Mapping[str, float]
    failed: Mapping[str, str]


class GatePolicy(StrEnum):
    """Which scores decide whether a model is taken in."""

    OFF = "off"
    NET = "net"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A score under the gate's threshold."""

    metric: str
    score: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's decision and the terms it was made on."""

    policy: GatePolicy
    threshold: float
    admitted: bool
    shortfalls: tuple[Shortfall, ...]


def rate(evidence: Evidence, *, timer: Callable[[], float], weights: Mapping[str, float] | None = None) -> Rating:
    """Compute every metric of the catalogue and the net score.

    `timer` returns seconds on any scale that does not run backwards; it is an argument so that this module has no
    clock. A metric that raises is recorded in `failed` and the others go on. `weights` replace the defaults, by name.
    """
    shares = DEFAULT_WEIGHTS if weights is None else weights
    started = timer()
    measured: dict[str, Measured] = {}
    failed: dict[str, str] = {}
    for metric in CATALOG:
        try:
            measured[metric.name] = _timed(metric, evidence, timer)
        except Exception as error:  # noqa: BLE001 - one broken metric must not cost the other ten
            failed[metric.name] = f"{type(error).__name__}: {error}"
    net = net_score({name: each.result for name, each in measured.items()}, shares)
    record = evidence.model.value
    return Rating(
        net_score=net,
        net_latency_s=evidence.gather_seconds + (timer() - started),
        metrics=measured,
        category=(record.pipeline_tag if record else None) or UNKNOWN_CATEGORY,
        rated_at=evidence.gathered_at,
        weights=dict(shares),
        failed=failed,
    )


def judge(rating: Rating, policy: GatePolicy, threshold: float) -> Verdict:
    """Decide whether a rated model is taken in.

    Under `all` every score counts, each device of `size_score` by itself; a `reviewedness` of -1 does not apply. A
    metric that failed counts as a score of 0. A score equal to the threshold passes.
    """
    match policy:
        case GatePolicy.OFF:
            scores: dict[str, float] = {}
        case GatePolicy.NET:
            scores = {"net_score": rating.net_score}
        case GatePolicy.ALL:
            scores = _every_score(rating)
    short = tuple(Shortfall(name, score) for name, score in scores.items() if score < threshold)
    return Verdict(policy, threshold, not short, short)


def _timed(metric: Metric, evidence: Evidence, timer: Callable[[], float]) -> Measured:
    started = timer()
    result = metric.measure(evidence)
    return Measured(result, timer() - started)


def _every_score(rating: Rating) -> dict[str, float]:
    scores = {"net_score": rating.net_score} | dict.fromkeys(rating.failed, 0.0)
    for name, measured in rating.metrics.items():
        result = measured.result
        if result.parts:
            scores |= {f"{name}.{part}": score for part, score in result.parts.items()}
        elif result.score >= 0:
            scores[name] = result.score
    return scores
