"""Counts that only ever grow, as a Prometheus server reads them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

LATENCY_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
RATING_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(slots=True)
class Histogram:
    """Durations by fixed upper bounds in seconds, with a last bucket for whatever took longer."""

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    sum_s: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum_s += seconds

    def cumulative(self) -> list[tuple[str, int]]:
        """Bounds as text and how many stayed within each, as the exposition format wants them."""
        total = 0
        found: list[tuple[str, int]] = []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, total))
        return found


class RequestTally:
    """Requests since the start by method, route template and class of status."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.latencies: dict[tuple[str, str], Histogram] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record one answered request."""
        self.requests[method, route, f"{status // 100}xx"] += 1
        histogram = self.latencies.get((method, route))
        if histogram is None:
            histogram = self.latencies[method, route] = Histogram(LATENCY_BOUNDS_S)
        histogram.observe(seconds)


class WorkTally:
    """Jobs that ended and ratings that were made since the start, in this process."""

    def __init__(self) -> None:
        self.jobs: Counter[tuple[str, str]] = Counter()
        self.ratings = Histogram(RATING_BOUNDS_S)

    def job_ended(self, kind: str, outcome: str) -> None:
        """Count a job by its kind and how it went: `done`, `lost`, or the error's class name."""
        self.jobs[kind, outcome] += 1

    def rated(self, seconds: float) -> None:
        """Count one rating and the time that scoring took."""
        self.ratings.observe(seconds)
