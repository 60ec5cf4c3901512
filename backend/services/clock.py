"""The one place that reads the clock; everything below takes the time as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment as an aware UTC time."""


def utc_now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)
