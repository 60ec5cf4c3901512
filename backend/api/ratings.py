"""Ratings on the wire: the contract's flat record, and the explanation behind it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from backend.api.schemas import Double, SizeScore
from backend.domain.artifact import Artifact
from backend.domain.rating import StoredRating
from metrics.metric import MetricResult
from metrics.rating import Rating

DECIMALS = 2


class ModelRating(BaseModel):
    """Every score in [0, 1] (`reviewedness` may be -1), every latency in seconds.

    A metric that the catalogue has beyond the contract's adds its own pair of fields.
    """

    model_config = ConfigDict(extra="allow")

    name: str
    category: str
    net_score: Double
    net_score_latency: Double
    ramp_up_time: Double
    ramp_up_time_latency: Double
    bus_factor: Double
    bus_factor_latency: Double
    performance_claims: Double
    performance_claims_latency: Double
    license: Double
    license_latency: Double
    dataset_and_code_score: Double
    dataset_and_code_score_latency: Double
    dataset_quality: Double
    dataset_quality_latency: Double
    code_quality: Double
    code_quality_latency: Double
    reproducibility: Double
    reproducibility_latency: Double
    reviewedness: Double
    reviewedness_latency: Double
    tree_score: Double
    tree_score_latency: Double
    size_score: SizeScore
    size_score_latency: Double


class BatchEntry(BaseModel):
    """One model of a batch: its rating, or why there is none."""

    id: str
    rating: ModelRating | None = None
    problem: str | None = None
    status: int


class WireFinding(BaseModel):
    """One thing that was looked at."""

    kind: str
    summary: str
    points: float
    remedy: str
    source: str


class WireMetric(BaseModel):
    """One metric with its reasons."""

    score: float
    parts: dict[str, float] | None
    weight: float
    confidence: float
    latency: float
    findings: list[WireFinding]


class WireVerdict(BaseModel):
    """What the gate decided when the rating was made."""

    policy: str
    threshold: float
    admitted: bool
    shortfalls: dict[str, float]


class Explanation(BaseModel):
    """A rating with the findings behind each score."""

    name: str
    net_score: float
    rated_at: datetime
    source: str
    upstream_requests: int
    metrics: dict[str, WireMetric]
    verdict: WireVerdict


def show_rating(model: Artifact, rating: Rating) -> Mapping[str, Any]:
    """Lay a rating out as the contract's flat record."""
    flat: dict[str, Any] = {
        "name": model.name,
        "category": rating.category,
        "net_score": round(rating.net_score, DECIMALS),
        "net_score_latency": rating.net_latency_s,
    }
    for name, measured in rating.metrics.items():
        flat[name] = _score(measured.result)
        flat[f"{name}_latency"] = measured.latency_s
    return flat


def _score(result: MetricResult) -> float | dict[str, float]:
    if result.parts is None:
        return round(result.score, DECIMALS)
    return {part: round(score, DECIMALS) for part, score in result.parts.items()}


def explain(model: Artifact, stored: StoredRating) -> Explanation:
    """Lay a rating out with its reasons."""
    rating, verdict = stored.rating, stored.verdict
    return Explanation(
        name=model.name,
        net_score=round(rating.net_score, DECIMALS),
        rated_at=rating.rated_at,
        source=stored.evidence.url,
        upstream_requests=stored.evidence.upstream_requests,
        metrics={
            name: WireMetric(
                score=round(measured.result.score, DECIMALS),
                parts=dict(measured.result.parts) if measured.result.parts else None,
                weight=rating.weights.get(name, 0.0),
                confidence=round(measured.result.confidence, DECIMALS),
                latency=measured.latency_s,
                findings=[
                    WireFinding(
                        kind=f.kind, summary=f.summary, points=round(f.points, 4), remedy=f.remedy, source=f.source
                    )
                    for f in measured.result.findings
                ],
            )
            for name, measured in rating.metrics.items()
        },
        verdict=WireVerdict(
            policy=verdict.policy,
            threshold=verdict.threshold,
            admitted=verdict.admitted,
            shortfalls={fallen.metric: round(fallen.score, DECIMALS) for fallen in verdict.shortfalls},
        ),
    )
