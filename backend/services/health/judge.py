"""What the figures of each part mean: pure functions from measurements to a status and its issues."""

from collections.abc import Mapping
from datetime import datetime

from backend.domain.job import JobState
from backend.services.health.probes import Queue, Room
from backend.services.health.pulse import Pulse
from backend.services.health.report import Finding, Issue, Severity, Status
from backend.services.health.thresholds import Thresholds
from backend.services.health.traffic import Traffic
from backend.sources.hub_watch import Seen

Figure = float | int | str | bool


def judge_api(shown: Traffic, lately: Traffic, limits: Thresholds, memory: int | None) -> Finding:
    """Judge the API by its own failures `lately`; what a hub failed at is told of the hub."""
    figures = _some(
        {
            "requests": shown.total,
            "client_errors": shown.client_errors,
            "server_errors": shown.server_errors,
            "unique_clients": shown.clients,
            "latency_p50_ms": shown.latency_ms(0.5),
            "latency_p95_ms": shown.latency_ms(0.95),
            "latency_p99_ms": shown.latency_ms(0.99),
            "memory_bytes": memory,
        }
    )
    own = lately.server_errors - lately.upstream_errors
    if lately.total < limits.least_requests or own < limits.error_share_degraded * lately.total:
        return Finding(Status.OK, figures)
    critical = own >= limits.error_share_critical * lately.total
    issue = Issue(
        "many-errors",
        Severity.ERROR if critical else Severity.WARNING,
        f"{own} of the last {lately.total} requests failed in the registry",
        f"Counted over {limits.error_window_minutes} minutes. The api log has each failure under its correlation id; "
        "look at the metadata and blobs components first.",
    )
    return Finding(Status.CRITICAL if critical else Status.DEGRADED, figures, (issue,))


REMEDIES = {
    "metadata": "Requests that need it get 503 until it is back. Check that METADATA_URL names a database that is up, "
    "that its disk has room, and that this user may write to it.",
    "blobs": "Downloads and mirroring fail until it is back. Check that the folder of BLOB_URL exists, "
    "is mounted, may be written to by this user, and has room.",
}


def judge_storage(part: str, name: str, ping_ms: float | None, failure: Exception | None) -> Finding:
    """Judge a store by whether it answered; `part` is `metadata` or `blobs`."""
    if failure is None:
        return Finding(Status.OK, _some({"ping_ms": ping_ms}))
    why = "it took too long" if isinstance(failure, TimeoutError) else type(failure).__name__
    issue = Issue(
        f"{part}-unreachable", Severity.ERROR, f"the {name.lower()} does not answer", f"{why}. {REMEDIES[part]}"
    )
    return Finding(Status.CRITICAL, {}, (issue,))


def judge_worker(
    queue: Queue | None, pulse: Pulse, limits: Thresholds, *, inside: bool, now: datetime, silent_after_s: float
) -> Finding:
    """Judge the worker by its signs of life, where it is in this process, and by what happens to the queue."""
    figures: dict[str, Figure | None] = {"in_this_process": inside}
    silent_s = (now - pulse.last_beat).total_seconds() if pulse.last_beat else None
    if inside:
        figures["seconds_since_heartbeat"] = None if silent_s is None else round(silent_s, 1)
    if queue is None:
        details = "The metadata store holds it: see the metadata component."
        issue = Issue("jobs-unreachable", Severity.ERROR, "the job table does not answer", details)
        return Finding(Status.UNKNOWN, _some(figures), (issue,))
    figures |= {state.value: count for state, count in queue.counts.items()}
    figures["oldest_queued_s"] = round(queue.waited_s, 1)
    stopped = _silent(silent_s, silent_after_s) if inside else ()
    stuck = _stuck(queue, limits)
    issues = (*stopped, *stuck, *_dead(queue))
    critical = any(issue.severity is Severity.ERROR for issue in issues)
    status = Status.CRITICAL if critical else Status.DEGRADED if issues else Status.OK
    return Finding(status, _some(figures), issues, pulse.last_job)


def _silent(silent_s: float | None, after_s: float) -> tuple[Issue, ...]:
    if silent_s is None or silent_s <= after_s:
        return ()
    details = (
        f"No sign of life for {silent_s:.0f} s. Its log says why it ended; restarting the registry starts it again."
    )
    return (Issue("worker-silent", Severity.ERROR, "the worker has stopped", details),)


def _stuck(queue: Queue, limits: Thresholds) -> tuple[Issue, ...]:
    waited = f"{queue.counts[JobState.QUEUED]} jobs are queued, one of them due for {queue.waited_s:.0f} s"
    if queue.counts[JobState.RUNNING] == 0 and queue.waited_s > limits.queue_stuck_s:
        details = f"{waited}, and none is under way. Start a worker: WORKER=1, or python -m backend.worker beside it."
        return (Issue("queue-stuck", Severity.ERROR, "nobody takes jobs", details),)
    if queue.waited_s > limits.queue_slow_s:
        details = f"{waited}. Raise WORKER_CONCURRENCY, or add a worker process where the store is not SQLite."
        return (Issue("queue-slow", Severity.WARNING, "jobs come in faster than they are done", details),)
    return ()


def _dead(queue: Queue) -> tuple[Issue, ...]:
    dead = queue.counts[JobState.DEAD]
    if not dead:
        return ()
    details = (
        "GET /ingest/jobs?state=dead lists them with their last error; register or rate again what is still wanted."
    )
    return (Issue("dead-jobs", Severity.WARNING, f"{dead} jobs were given up", details),)


def judge_hub(name: str, setting: str, seen: Seen, limits: Thresholds, now: datetime) -> Finding:
    """Judge a hub by what it answered; nothing is known of one that nobody asked within the last hour."""
    figures = _some(
        {
            "requests": seen.asked,
            "failures": seen.failed,
            "last_success_at": seen.last_success.isoformat() if seen.last_success else None,
            "last_failure_at": seen.last_failure.isoformat() if seen.last_failure else None,
            "last_latency_ms": seen.latency_ms,
            "rate_limit_remaining": seen.limit_left,
        }
    )
    last = max((at for at in (seen.last_success, seen.last_failure) if at is not None), default=None)
    if seen.limited_until is not None and seen.limited_until > now:
        wait = (seen.limited_until - now).total_seconds()
        details = f"It may be asked again in {wait:.0f} s. Set {setting}: a token raises the limit."
        issue = Issue(f"{name}-rate-limited", Severity.WARNING, f"{name} limits how often it may be asked", details)
        return Finding(Status.DEGRADED, figures, (issue,), last)
    if last is None or (now - last).total_seconds() > limits.hub_memory_s:
        return Finding(Status.UNKNOWN, figures, (), last)
    if seen.failing < limits.hub_failures:
        return Finding(Status.OK, figures, (), last)
    details = (
        f"{seen.failing} requests in a row failed; the last one {seen.reason}. What is registered is served on; new "
        "artifacts from there cannot be taken in. Check the way out of this machine, and the hub's own status page."
    )
    issue = Issue(f"{name}-unreachable", Severity.ERROR, f"{name} does not answer", details)
    return Finding(Status.DEGRADED, figures, (issue,), last)


def judge_disk(room: Room | None, limits: Thresholds) -> Finding:
    """Judge the disk that DATA_DIR is on."""
    if room is None:
        details = "The system does not tell. Check that DATA_DIR is on a disk that is mounted."
        return Finding(
            Status.UNKNOWN, {}, (Issue("disk-unknown", Severity.WARNING, "free space is not known", details),)
        )
    figures: dict[str, Figure] = {
        "free_bytes": room.free,
        "total_bytes": room.total,
        "free_percent": room.free_percent,
    }
    full = room.free < min(limits.disk_full_bytes, limits.disk_full_share * room.total)
    if not full and room.free >= min(limits.disk_low_bytes, limits.disk_low_share * room.total):
        return Finding(Status.OK, figures)
    issue = Issue(
        "disk-full" if full else "disk-low",
        Severity.ERROR if full else Severity.WARNING,
        f"{room.free / 1e6:.0f} MB are free where DATA_DIR is",
        "Make room or move DATA_DIR; lower MIRROR_MAX_BYTES or set MIRROR=none so that less is copied; "
        "remove artifacts that are not needed, whose files are swept within the hour.",
    )
    return Finding(Status.CRITICAL if full else Status.DEGRADED, figures, (issue,))


def _some(figures: Mapping[str, Figure | None]) -> dict[str, Figure]:
    """Only what is known."""
    return {name: value for name, value in figures.items() if value is not None}
