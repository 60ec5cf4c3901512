"""Ages, counted from the moment the evidence was gathered."""

from datetime import datetime

_SECONDS_PER_YEAR = 365.25 * 24 * 3600


def years_between(earlier: datetime | None, later: datetime) -> float | None:
    """Years from `earlier` to `later`, at least 0; None where the start is not known."""
    if earlier is None:
        return None
    return max(0.0, (later - earlier).total_seconds() / _SECONDS_PER_YEAR)
