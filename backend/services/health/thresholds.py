"""Where well ends: every figure that turns a component degraded or critical, with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits of what counts as well; the defaults are the registry's own."""

    error_window_minutes: int = 5
    """Errors are judged over these last minutes, whatever window is shown: an outage that is over is over."""
    least_requests: int = 20
    """With fewer requests than this a single failure would look like an outage."""
    error_share_degraded: float = 0.05
    error_share_critical: float = 0.5

    queue_stuck_s: float = 120
    """A job that is due is taken within a second; two minutes without anybody at work means that nobody works."""
    queue_slow_s: float = 900
    """With others at work, a quarter of an hour means that more comes in than gets done."""
    worker_silent_s: float = 30
    """A worker gives a sign of life every second or so, and at least three times a lease."""

    hub_failures: int = 3
    """Failures in a row that make an outage: one call with its retries comes to four."""
    hub_memory_s: float = 3600
    """What a hub answered longer ago than this says nothing about it now."""

    disk_low_bytes: int = 2_000_000_000
    """What mirroring a single artifact may take by default."""
    disk_low_share: float = 0.1
    """On a disk so small that `disk_low_bytes` is most of it, a share of it counts instead."""
    disk_full_bytes: int = 200_000_000
    """Room for the database to go on for a while, and for little else."""
    disk_full_share: float = 0.02
