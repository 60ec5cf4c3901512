"""A rating as it is kept: the scores, the evidence they rest on, and the gate's verdict at the time."""

from dataclasses import dataclass

from metrics.evidence import Evidence
from metrics.rating import Rating, Verdict


@dataclass(frozen=True, slots=True)
class StoredRating:
    """Everything needed to show, explain or recompute a rating without the network."""

    artifact_id: str
    rating: Rating
    verdict: Verdict
    evidence: Evidence
