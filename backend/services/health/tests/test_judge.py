from datetime import timedelta

import pytest

from backend.domain.job import JobState
from backend.services.health import judge
from backend.services.health.probes import Queue, Room
from backend.services.health.pulse import Pulse
from backend.services.health.report import Finding, Severity, Status
from backend.services.health.thresholds import Thresholds
from backend.services.health.traffic import TrafficLog
from backend.sources.hub_watch import Seen
from backend.tests.factories import NOON, SetClock

LIMITS = Thresholds()
GB = 10**9


def codes(finding: Finding) -> list[str]:
    return [issue.code for issue in finding.issues]


def assert_says_what_to_do(finding: Finding) -> None:
    for issue in finding.issues:
        assert issue.summary
        assert len(issue.details.split()) > 5


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ({200: 1000}, Status.OK),
        ({500: LIMITS.least_requests - 1}, Status.OK),
        ({200: 96, 500: 4}, Status.OK),
        ({200: 95, 500: 5}, Status.DEGRADED),
        ({200: 50, 503: 50}, Status.CRITICAL),
        ({404: 1000}, Status.OK),
        ({502: 1000}, Status.OK),
    ],
    ids=["no errors", "too few", "under the share", "some", "half", "clients' own", "a hub's"],
)
def test_the_api_is_judged_by_the_share_of_its_own_failures(statuses: dict[int, int], status: Status) -> None:
    traffic = TrafficLog(now=SetClock())
    for answer, times in statuses.items():
        for _ in range(times):
            traffic.count("GET", "/a", None, "x", status=answer, seconds=0.01)
    seen = traffic.within(5)

    finding = judge.judge_api(seen, seen, LIMITS, 1)

    assert finding.status is status
    assert codes(finding) == ([] if status is Status.OK else ["many-errors"])
    assert_says_what_to_do(finding)


def queue(waited_s: float = 0, **counts: int) -> Queue:
    stated = {JobState(name): count for name, count in counts.items()}
    return Queue(dict.fromkeys(JobState, 0) | stated, waited_s)


@pytest.mark.parametrize(
    ("found", "status", "expected"),
    [
        (queue(), Status.OK, []),
        (queue(LIMITS.queue_stuck_s, queued=3), Status.OK, []),
        (queue(LIMITS.queue_stuck_s + 1, queued=3), Status.CRITICAL, ["queue-stuck"]),
        (queue(LIMITS.queue_stuck_s + 1, queued=3, running=2), Status.OK, []),
        (queue(LIMITS.queue_slow_s + 1, queued=3, running=2), Status.DEGRADED, ["queue-slow"]),
        (queue(dead=2), Status.DEGRADED, ["dead-jobs"]),
        (queue(LIMITS.queue_stuck_s + 1, queued=3, dead=1), Status.CRITICAL, ["queue-stuck", "dead-jobs"]),
        (None, Status.UNKNOWN, ["jobs-unreachable"]),
    ],
    ids=["empty", "at the limit", "stuck", "busy", "slow", "dead", "stuck and dead", "no job table"],
)
@pytest.mark.parametrize("inside", [True, False])
def test_the_worker_is_judged_by_its_queue(
    found: Queue | None, status: Status, expected: list[str], inside: bool
) -> None:
    pulse = Pulse(now=SetClock())
    pulse.beat()

    finding = judge.judge_worker(found, pulse, LIMITS, inside=inside, now=NOON, silent_after_s=30)

    assert (finding.status, codes(finding)) == (status, expected)
    assert_says_what_to_do(finding)


@pytest.mark.parametrize(
    ("inside", "silent_s", "expected"),
    [(True, 30, []), (True, 31, ["worker-silent"]), (False, 31, [])],
    ids=["alive", "silent", "elsewhere"],
)
def test_a_worker_without_a_sign_of_life_is_critical(inside: bool, silent_s: float, expected: list[str]) -> None:
    pulse = Pulse(now=SetClock())
    pulse.beat()
    now = NOON + timedelta(seconds=silent_s)

    finding = judge.judge_worker(queue(), pulse, LIMITS, inside=inside, now=now, silent_after_s=30)

    assert codes(finding) == expected
    assert finding.status is (Status.CRITICAL if expected else Status.OK)
    assert finding.metrics.get("seconds_since_heartbeat") == (silent_s if inside else None)


AGO = timedelta(seconds=LIMITS.hub_memory_s + 1)


@pytest.mark.parametrize(
    ("seen", "status", "expected"),
    [
        (Seen(), Status.UNKNOWN, []),
        (Seen(asked=1, last_success=NOON), Status.OK, []),
        (Seen(asked=1, last_success=NOON - AGO), Status.UNKNOWN, []),
        (Seen(asked=2, failing=2, last_failure=NOON), Status.OK, []),
        (Seen(asked=3, failing=3, last_failure=NOON), Status.DEGRADED, ["github-unreachable"]),
        (Seen(asked=3, failing=3, last_failure=NOON - AGO), Status.UNKNOWN, []),
        (
            Seen(asked=1, failing=1, last_failure=NOON, limited_until=NOON + timedelta(hours=1)),
            Status.DEGRADED,
            ["github-rate-limited"],
        ),
        (Seen(asked=1, last_success=NOON, limited_until=NOON), Status.OK, []),
    ],
    ids=["never asked", "fine", "long ago", "a hiccup", "down", "was down", "limited", "limited no more"],
)
def test_a_hub_is_judged_by_what_it_answered_last(seen: Seen, status: Status, expected: list[str]) -> None:
    finding = judge.judge_hub("github", "GITHUB_TOKEN", seen, LIMITS, NOON)

    assert (finding.status, codes(finding)) == (status, expected)
    assert_says_what_to_do(finding)


@pytest.mark.parametrize(
    ("free", "total", "status", "code"),
    [
        (50 * GB, 100 * GB, Status.OK, None),
        (2 * GB, 100 * GB, Status.OK, None),
        (2 * GB - 1, 100 * GB, Status.DEGRADED, "disk-low"),
        (199_999_999, 100 * GB, Status.CRITICAL, "disk-full"),
        (400_000_000, 500_000_000, Status.OK, None),
        (49_000_000, 500_000_000, Status.DEGRADED, "disk-low"),
        (9_000_000, 500_000_000, Status.CRITICAL, "disk-full"),
    ],
)
def test_a_disk_is_judged_by_its_room_and_a_small_one_by_its_share(
    free: int, total: int, status: Status, code: str | None
) -> None:
    finding = judge.judge_disk(Room(free, total), LIMITS)

    assert (finding.status, codes(finding)) == (status, [code] if code else [])
    assert finding.metrics["free_bytes"] == free
    assert_says_what_to_do(finding)


def test_a_disk_that_does_not_tell_is_unknown() -> None:
    assert judge.judge_disk(None, LIMITS).status is Status.UNKNOWN


def test_a_store_that_took_too_long_says_so_and_names_its_setting() -> None:
    finding = judge.judge_storage("blobs", "Blob store", None, TimeoutError())

    assert (finding.status, finding.issues[0].severity) == (Status.CRITICAL, Severity.ERROR)
    assert "too long" in finding.issues[0].details
    assert "BLOB_URL" in finding.issues[0].details
