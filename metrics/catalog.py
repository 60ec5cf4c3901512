"""Every metric the registry judges by, in the order they are shown."""

from metrics import (
    bus_factor,
    code_quality,
    dataset_and_code_score,
    dataset_quality,
    license,
    performance_claims,
    ramp_up_time,
    reproducibility,
    reviewedness,
    size_score,
    tree_score,
)
from metrics.metric import Metric

CATALOG: tuple[Metric, ...] = (
    ramp_up_time.METRIC,
    bus_factor.METRIC,
    performance_claims.METRIC,
    license.METRIC,
    dataset_and_code_score.METRIC,
    dataset_quality.METRIC,
    code_quality.METRIC,
    reproducibility.METRIC,
    reviewedness.METRIC,
    tree_score.METRIC,
    size_score.METRIC,
)
