import time

import pytest

from backend.services.health.gauge import Gauge
from backend.services.health.latency import BOUNDS_MS, BUCKETS, bucket_of, percentile
from backend.services.health.traffic import MAX_CLIENTS, MAX_WINDOW_MINUTES, TrafficLog
from backend.tests.factories import NOON, SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def traffic(clock: SetClock) -> TrafficLog:
    return TrafficLog(now=clock)


def ask(
    traffic: TrafficLog,
    route: str = "/a",
    *,
    method: str = "GET",
    kind: str | None = None,
    client: str = "1.1.1.1",
    status: int = 200,
    seconds: float = 0.001,
) -> None:
    traffic.count(method, route, kind, client, status=status, seconds=seconds)


def test_requests_are_counted_by_route_type_and_client(traffic: TrafficLog) -> None:
    ask(traffic, kind="model", client="1.1.1.1")
    ask(traffic, kind="model", client="2.2.2.2")
    ask(traffic, "/b", client="1.1.1.1")

    seen = traffic.within(60)

    assert (seen.total, seen.clients) == (3, 2)
    assert (seen.routes, seen.types) == ({"GET /a": 2, "GET /b": 1}, {"model": 2})


@pytest.mark.parametrize(
    ("status", "client_errors", "server_errors", "upstream_errors"),
    [(200, 0, 0, 0), (302, 0, 0, 0), (404, 1, 0, 0), (499, 1, 0, 0), (500, 0, 1, 0), (502, 0, 1, 1), (503, 0, 1, 0)],
)
def test_errors_of_clients_servers_and_hubs_are_told_apart(
    traffic: TrafficLog, status: int, client_errors: int, server_errors: int, upstream_errors: int
) -> None:
    ask(traffic, status=status)

    seen = traffic.within(60)

    assert (seen.client_errors, seen.server_errors, seen.upstream_errors) == (
        client_errors,
        server_errors,
        upstream_errors,
    )


def test_a_method_that_nobody_knows_makes_no_label_of_its_own(traffic: TrafficLog) -> None:
    for n in range(50):
        ask(traffic, method=f"BREW{n}")

    assert traffic.within(60).routes == {"OTHER /a": 50}
    assert list(traffic.tally.requests) == [("OTHER", "/a", "2xx")]


def test_what_is_older_than_the_window_is_not_counted(traffic: TrafficLog, clock: SetClock) -> None:
    ask(traffic, "/old", client="old")
    clock.advance(minutes=30)
    ask(traffic, "/new", client="new")

    assert (traffic.within(60).total, traffic.within(60).clients) == (2, 2)
    assert (traffic.within(10).routes, traffic.within(10).clients) == ({"GET /new": 1}, 1)


def test_the_longest_window_holds_all_its_minutes(traffic: TrafficLog, clock: SetClock) -> None:
    clock.advance(seconds=30)
    for _ in range(MAX_WINDOW_MINUTES + 500):
        clock.advance(minutes=1)
        ask(traffic)

    assert len(traffic._minutes) == MAX_WINDOW_MINUTES + 1
    assert traffic.within(MAX_WINDOW_MINUTES).total == MAX_WINDOW_MINUTES + 1
    assert traffic.within(5).total == 6


def test_clients_are_remembered_up_to_a_bound_and_the_most_silent_goes_first(
    traffic: TrafficLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_CLIENTS < 100_000, "at some 150 bytes each"
    monkeypatch.setattr("backend.services.health.traffic.MAX_CLIENTS", 3)
    for client in ("a", "b", "c", "a", "d"):
        ask(traffic, client=client)

    assert traffic.within(5).clients == 3
    assert list(traffic._last_seen) == ["c", "a", "d"]


def test_the_timeline_has_a_bucket_for_each_minute_that_had_any(traffic: TrafficLog, clock: SetClock) -> None:
    for minutes, requests in ((0, 2), (3, 1)):
        clock.at = NOON
        clock.advance(minutes=minutes)
        for _ in range(requests):
            ask(traffic, status=500)

    timeline = traffic.timeline(60)

    assert [point.value for point in timeline if point.unit == "requests/min"] == [2, 1]
    assert [point.value for point in timeline if point.unit == "errors/min"] == [2, 1]
    assert [point.value for point in timeline if point.unit == "p95 ms"] == [pytest.approx(1, rel=0.25)] * 2
    assert {point.bucket for point in timeline} == {NOON, clock.at}


def test_counting_costs_the_same_when_many_were_counted_before(traffic: TrafficLog) -> None:
    def thousand(first: int) -> float:
        began = time.process_time()
        for n in range(1_000):
            ask(traffic, kind="model", client=str(first + n))
        return time.process_time() - began

    early = min(thousand(0) for _ in range(3))
    for n in range(100):
        thousand(n * 1_000)

    assert min(thousand(0) for _ in range(3)) < early * 5 + 0.01


def test_a_clock_that_is_set_back_disturbs_nothing(traffic: TrafficLog, clock: SetClock) -> None:
    ask(traffic)
    clock.advance(minutes=-10)
    ask(traffic)

    assert traffic.within(60).total == 2


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("scale_ms", [1, 40, 900])
def test_percentiles_are_right_within_a_bucket(share: float, scale_ms: float) -> None:
    latencies = [scale_ms * (1 + n / 100) for n in range(1_000)]
    counts = [0] * BUCKETS
    for latency in latencies:
        counts[bucket_of(latency)] += 1

    exact = sorted(latencies)[int(share * len(latencies)) - 1]

    assert percentile(counts, share) == pytest.approx(exact, rel=0.125)


def test_percentiles_of_nothing_are_unknown_and_of_the_endless_are_the_last_bound() -> None:
    counts = [0] * BUCKETS
    assert percentile(counts, 0.5) is None

    counts[bucket_of(10**9)] += 1

    assert percentile(counts, 0.5) == BOUNDS_MS[-1]


def test_a_gauge_keeps_the_last_value_of_each_minute_for_a_day(clock: SetClock) -> None:
    gauge = Gauge("jobs", now=clock)
    for value in (1, 2):
        gauge.record(value)
    clock.advance(minutes=2)
    gauge.record(3)

    assert [(point.bucket, point.value, point.unit) for point in gauge.timeline(60)] == [
        (NOON, 2, "jobs"),
        (clock.at, 3, "jobs"),
    ]
    for _ in range(MAX_WINDOW_MINUTES + 10):
        clock.advance(minutes=1)
        gauge.record(0)
    assert len(gauge._values) == MAX_WINDOW_MINUTES
