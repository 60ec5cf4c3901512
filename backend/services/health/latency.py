"""Latencies in a histogram of fixed size, from which percentiles are read."""

from bisect import bisect_left
from collections.abc import Sequence

GROWTH = 1.25
"""Each bound is a quarter above the one before, so a percentile is off by a quarter at most, and mostly by far less."""
FIRST_MS = 0.1
BOUNDS_MS: tuple[float, ...] = tuple(round(FIRST_MS * GROWTH**n, 3) for n in range(63))
"""Upper bounds in milliseconds, from 0.1 ms to beyond a minute and a half; whatever takes longer has a bucket too."""
BUCKETS = len(BOUNDS_MS) + 1


def bucket_of(milliseconds: float) -> int:
    """Which bucket a latency falls into."""
    return bisect_left(BOUNDS_MS, milliseconds)


def percentile(counts: Sequence[int], share: float) -> float | None:
    """The latency in milliseconds that `share` (0 to 1) of all counted stay within; None when none were counted.

    Within a bucket the latencies are taken to lie evenly.
    """
    total = sum(counts)
    if not total:
        return None
    rank = share * total
    below = 0
    for at, count in enumerate(counts):
        if count and below + count >= rank:
            low = BOUNDS_MS[at - 1] if at else 0.0
            high = BOUNDS_MS[at] if at < len(BOUNDS_MS) else low
            return round(low + (high - low) * (rank - below) / count, 3)
        below += count
    return BOUNDS_MS[-1]
