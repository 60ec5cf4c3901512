"""Rate a model: every metric of the catalogue over one evidence record, the net score, and the gate's verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from metrics.metric import MetricResult


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
