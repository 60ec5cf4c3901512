"""A rating as it is kept: the scores, the evidence they rest on, and the gate's verdict at the time."""

from dataclasses import dataclass

from metrics.evidence import Evidence
from metrics.rating import Rating, Verdict

NET_SCORE = "net_score"
"""The name that the net score has among those of the metrics."""


@dataclass(frozen=True, slots=True)
class StoredRating:
    """Everything needed to show, explain or recompute a rating without the network."""

    artifact_id: str
    rating: Rating
    verdict: Verdict
    evidence: Evidence

    @property
    def scores(self) -> dict[str, float]:
        """The net score and each metric's, by name; what could not be computed is not there."""
        measured = {name: each.result.score for name, each in self.rating.metrics.items()}
        return {NET_SCORE: self.rating.net_score} | measured
