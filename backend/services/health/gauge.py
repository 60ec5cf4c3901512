"""A figure that goes up and down, remembered by the minute for a day."""

from collections import deque
from datetime import datetime, timedelta

from backend.services.clock import Clock
from backend.services.health.report import Point
from backend.services.health.traffic import MAX_WINDOW_MINUTES


class Gauge:
    """Keeps the last value of each minute."""

    def __init__(self, unit: str, *, now: Clock) -> None:
        self._unit = unit
        self._now = now
        self._values: deque[tuple[datetime, float]] = deque(maxlen=MAX_WINDOW_MINUTES)

    def record(self, value: float) -> None:
        """Note the present value."""
        minute = self._now().replace(second=0, microsecond=0)
        if self._values and self._values[-1][0] >= minute:
            minute = self._values.pop()[0]
        self._values.append((minute, value))

    def timeline(self, minutes: int) -> list[Point]:
        """The value in each minute of the window that it was looked at, oldest first."""
        start = self._now() - timedelta(minutes=minutes)
        return [Point(at, value, self._unit) for at, value in self._values if at >= start]
