"""Net score: should the model be taken in?"""

from collections.abc import Mapping

from metrics.metric import MetricResult


def net_score(results: Mapping[str, MetricResult], weights: Mapping[str, float]) -> float:
    """Take the weighted mean of the scores that say something, in [0, 1]; 0 where none does.

    A score of -1 does not apply, and one with confidence 0 rests on nothing: both are left out and the other weights
    stretched to the whole. `size_score` is the mean over its devices already.
    """
    counted = [name for name in sorted(results) if counts(results[name]) and weights.get(name, 0.0) > 0]
    total = sum(weights[name] for name in counted)
    if not total:
        return 0.0
    return min(1.0, sum(weights[name] * results[name].score for name in counted) / total)


def counts(result: MetricResult) -> bool:
    """Whether a result takes part in the net score."""
    return result.score >= 0 and result.confidence > 0
