"""Every metric the registry judges by, in the order they are shown."""

from metrics.bus_factor import METRIC as BUS_FACTOR
from metrics.code_quality import METRIC as CODE_QUALITY
from metrics.dataset_and_code_score import METRIC as DATASET_AND_CODE_SCORE
from metrics.dataset_quality import METRIC as DATASET_QUALITY
from metrics.license import METRIC as LICENSE
from metrics.metric import Metric
from metrics.performance_claims import METRIC as PERFORMANCE_CLAIMS
from metrics.ramp_up_time import METRIC as RAMP_UP_TIME
from metrics.reproducibility import METRIC as REPRODUCIBILITY
from metrics.reviewedness import METRIC as REVIEWEDNESS
from metrics.size_score import METRIC as SIZE_SCORE
from metrics.tree_score import METRIC as TREE_SCORE

CATALOG: tuple[Metric, ...] = (
    RAMP_UP_TIME,
    BUS_FACTOR,
    PERFORMANCE_CLAIMS,
    LICENSE,
    SIZE_SCORE,
    DATASET_AND_CODE_SCORE,
    DATASET_QUALITY,
    CODE_QUALITY,
    REPRODUCIBILITY,
    REVIEWEDNESS,
    TREE_SCORE,
)
"""Their default weights sum to 1."""
