"""Signs of life from a worker in the same process, and what it got done."""

from datetime import datetime

from backend.services.clock import Clock
from backend.services.health.tally import WorkTally


class Pulse:
    """When the worker last showed that it is alive, and a tally of its work."""

    def __init__(self, *, now: Clock) -> None:
        self._now = now
        self.last_beat: datetime | None = None
        self.last_job: datetime | None = None
        self.tally = WorkTally()

    def beat(self) -> None:
        """Give a sign of life."""
        self.last_beat = self._now()

    def job_ended(self, kind: str, outcome: str) -> None:
        """Note that a job ended, and how: `done`, `lost`, or the error's class name."""
        self.last_job = self._now()
        self.tally.job_ended(kind, outcome)
