import asyncio
import time
from pathlib import Path

import pytest

from backend.domain.job import JobKind
from backend.services.health import (
    MAX_CLIENTS_A_MINUTE,
    MAX_WINDOW_MINUTES,
    Component,
    Health,
    Status,
    TrafficLog,
    worst,
)
from backend.storage.base import BlobStore, MetadataStore
from backend.storage.factory import open_metadata
from backend.storage.memory import MemoryBlobs, MemoryStore
from backend.tests.factories import NOON, SetClock, make_job


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def traffic(clock: SetClock) -> TrafficLog:
    return TrafficLog(now=clock)


def _health(store: MetadataStore, blobs: BlobStore, clock: SetClock) -> Health:
    return Health(store, blobs, TrafficLog(now=clock), worker_inside=True, now=clock)


async def _by_id(health: Health) -> dict[str, Component]:
    return {component.id: component for component in await health.components(60)}


def test_requests_are_counted_by_route_type_and_client(traffic: TrafficLog) -> None:
    traffic.count("GET /a", "model", "1.1.1.1", failed=False)
    traffic.count("GET /a", "model", "2.2.2.2", failed=False)
    traffic.count("GET /b", None, "1.1.1.1", failed=True)

    seen = traffic.within(60)

    assert (seen.total, seen.errors, seen.clients) == (3, 1, 2)
    assert (seen.routes, seen.types) == ({"GET /a": 2, "GET /b": 1}, {"model": 2})


def test_what_is_older_than_the_window_is_not_counted(traffic: TrafficLog, clock: SetClock) -> None:
    traffic.count("GET /old", None, "x", failed=False)
    clock.advance(minutes=30)
    traffic.count("GET /new", None, "x", failed=False)

    assert traffic.within(60).total == 2
    assert traffic.within(10).routes == {"GET /new": 1}


def test_the_timeline_has_a_bucket_for_each_minute_that_had_any(traffic: TrafficLog, clock: SetClock) -> None:
    for minutes, requests in ((0, 2), (3, 1)):
        clock.at = NOON
        clock.advance(minutes=minutes)
        for _ in range(requests):
            traffic.count("GET /a", None, "x", failed=False)

    assert [count for _, count in traffic.per_minute(60)] == [2, 1]


def test_a_day_of_requests_takes_no_more_room_than_a_day(traffic: TrafficLog, clock: SetClock) -> None:
    for _ in range(MAX_WINDOW_MINUTES + 500):
        clock.advance(minutes=1)
        traffic.count("GET /a", None, "x", failed=False)

    assert len(traffic._minutes) == MAX_WINDOW_MINUTES
    assert traffic.within(MAX_WINDOW_MINUTES).total == MAX_WINDOW_MINUTES


def test_a_minute_remembers_a_bounded_number_of_clients(traffic: TrafficLog) -> None:
    for n in range(MAX_CLIENTS_A_MINUTE + 50):
        traffic.count("GET /a", None, f"client-{n}", failed=False)

    assert traffic.within(5).clients == MAX_CLIENTS_A_MINUTE


def test_counting_costs_the_same_when_a_million_were_counted_before(traffic: TrafficLog) -> None:
    def thousand() -> float:
        began = time.process_time()
        for _ in range(1_000):
            traffic.count("GET /a", "model", "x", failed=False)
        return time.process_time() - began

    first = min(thousand() for _ in range(3))
    for _ in range(100):
        thousand()

    assert min(thousand() for _ in range(3)) < first * 5 + 0.01


def test_a_clock_that_is_set_back_disturbs_nothing(traffic: TrafficLog, clock: SetClock) -> None:
    traffic.count("GET /a", None, "x", failed=False)
    clock.advance(minutes=-10)
    traffic.count("GET /a", None, "x", failed=False)

    assert traffic.within(60).total == 2


async def test_everything_is_well_while_all_parts_answer(clock: SetClock) -> None:
    found = await _by_id(_health(MemoryStore(), MemoryBlobs(), clock))

    assert {component.status for component in found.values()} == {Status.OK}
    assert set(found) == {"api", "metadata", "blobs", "ingest-worker"}
    assert all(component.observed_at == clock.at for component in found.values())


async def test_a_job_that_was_given_up_degrades_the_worker(clock: SetClock) -> None:
    store = MemoryStore()
    await store.enqueue(make_job(tries=3, max_tries=3))
    await store.claim([JobKind.MIRROR], worker="w", now=NOON, lease_until=NOON)

    worker = (await _by_id(_health(store, MemoryBlobs(), clock)))["ingest-worker"]

    assert worker.status is Status.DEGRADED
    assert worker.metrics["dead"] == 1
    assert "state=dead" in worker.issues[0].details


async def test_a_store_that_is_closed_is_critical_and_comes_first(clock: SetClock, tmp_path: Path) -> None:
    store = open_metadata(f"sqlite:///{tmp_path}/registry.db")
    await store.close()

    components = await _health(store, MemoryBlobs(), clock).components(60)

    assert (components[0].id, components[0].status) == ("metadata", Status.CRITICAL)
    assert components[0].issues[0].code == "metadata-unreachable"
    assert {each.id: each.status for each in components}["ingest-worker"] is Status.UNKNOWN
    assert worst(components) is Status.CRITICAL


async def test_a_store_that_never_answers_is_critical_after_a_moment(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SilentBlobs(MemoryBlobs):
        async def ping(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr("backend.services.health.PING_SECONDS", 0.01)

    found = await _by_id(_health(MemoryStore(), SilentBlobs(), clock))

    assert found["blobs"].status is Status.CRITICAL
    assert found["metadata"].status is Status.OK


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        ([Status.OK], Status.OK),
        ([Status.OK, Status.UNKNOWN], Status.UNKNOWN),
        ([Status.DEGRADED, Status.UNKNOWN], Status.DEGRADED),
        ([Status.OK, Status.CRITICAL, Status.DEGRADED], Status.CRITICAL),
        ([], Status.UNKNOWN),
    ],
)
def test_the_whole_is_as_well_as_its_worst_part(statuses: list[Status], whole: Status) -> None:
    assert worst([Component(str(n), "", "", status, NOON, {}) for n, status in enumerate(statuses)]) is whole
