import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from backend.domain.errors import NotAllowed
from backend.domain.ids import new_id
from backend.domain.job import JobKind
from backend.domain.user import LOCAL, User
from backend.services.health import (
    Component,
    Health,
    Logbook,
    Observers,
    Part,
    Pulse,
    Status,
    Thresholds,
    TrafficLog,
    worst,
)
from backend.services.health.check import SAMPLE_SECONDS
from backend.sources.hub_watch import HubWatch
from backend.storage.base import BlobStore, MetadataStore
from backend.storage.factory import open_blobs, open_metadata
from backend.storage.memory import MemoryBlobs, MemoryStore
from backend.tests.factories import NOON, SetClock, make_job, stream

PATIENCE_S = 10


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def make_health(
    clock: SetClock,
    store: MetadataStore | None = None,
    blobs: BlobStore | None = None,
    **more: Any,
) -> Health:
    observers = Observers(TrafficLog(now=clock), Pulse(now=clock), HubWatch(now=clock), Logbook())
    chosen = {"data_dir": Path.cwd(), "worker_inside": True, "lease_s": 5.0} | more
    return Health(store or MemoryStore(), blobs or MemoryBlobs(), observers, now=clock, **chosen)


async def by_id(health: Health) -> dict[str, Component]:
    return {component.id: component for component in await health.components(60)}


async def test_everything_is_well_while_all_parts_answer(clock: SetClock) -> None:
    health = make_health(clock, limits=Thresholds(disk_low_bytes=0, disk_full_bytes=0))

    found = await by_id(health)

    unknown = {"huggingface", "github"}
    assert set(found) == set(Part)
    assert {id_ for id_, component in found.items() if component.status is Status.UNKNOWN} == unknown
    assert {found[id_].status for id_ in set(Part) - unknown} == {Status.OK}
    assert worst(list(found.values())) is Status.OK
    assert all(component.observed_at == clock.at for component in found.values())


async def test_a_job_that_was_given_up_degrades_the_worker(clock: SetClock) -> None:
    store = MemoryStore()
    await store.enqueue(make_job(tries=3, max_tries=3))
    await store.claim([JobKind.MIRROR], worker="w", now=NOON, lease_until=NOON)

    worker = (await by_id(make_health(clock, store)))["ingest-worker"]

    assert worker.status is Status.DEGRADED
    assert worker.metrics["dead"] == 1
    assert "state=dead" in worker.issues[0].details


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
async def test_the_oldest_job_that_is_due_is_found_behind_those_that_are_not(
    clock: SetClock, tmp_path: Path, kind: str
) -> None:
    store = open_metadata({"sqlite": f"sqlite:///{tmp_path}/registry.db", "memory": "memory://"}[kind])
    for _ in range(150):
        await store.enqueue(make_job(not_before=NOON + timedelta(days=1)))
    await store.enqueue(make_job(id=new_id(), not_before=NOON - timedelta(seconds=300)))
    await store.enqueue(make_job(id=new_id(), not_before=NOON - timedelta(seconds=10)))

    worker = (await by_id(make_health(clock, store)))["ingest-worker"]
    await store.close()

    assert (worker.metrics["oldest_queued_s"], worker.metrics["queued"]) == (300, 152)
    assert [issue.code for issue in worker.issues] == ["queue-stuck"]


async def test_jobs_that_are_all_for_later_have_not_waited(clock: SetClock) -> None:
    store = MemoryStore()
    await store.enqueue(make_job(not_before=NOON + timedelta(hours=1)))

    worker = (await by_id(make_health(clock, store)))["ingest-worker"]

    assert (worker.metrics["oldest_queued_s"], worker.status) == (0, Status.OK)


async def test_a_store_that_is_closed_is_critical_and_comes_first(clock: SetClock, tmp_path: Path) -> None:
    store = open_metadata(f"sqlite:///{tmp_path}/registry.db")
    await store.close()

    components = await make_health(clock, store).components(60)

    assert (components[0].id, components[0].status) == ("metadata", Status.CRITICAL)
    assert components[0].issues[0].code == "metadata-unreachable"
    assert {each.id: each.status for each in components}["ingest-worker"] is Status.UNKNOWN
    assert worst(components) is Status.CRITICAL


async def test_a_blob_folder_that_is_gone_is_critical_until_it_is_back(clock: SetClock, tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    health = make_health(clock, blobs=open_blobs(f"file://{folder}"))
    assert (await by_id(health))["blobs"].status is Status.OK

    rmtree(folder)
    gone = (await by_id(health))["blobs"]
    (folder / "tmp").mkdir(parents=True)
    back = (await by_id(health))["blobs"]

    assert (gone.status, [issue.code for issue in gone.issues]) == (Status.CRITICAL, ["blobs-unreachable"])
    assert str(folder) not in str(gone), "anybody may read a health page"
    assert back.status is Status.OK


async def test_a_blob_folder_that_cannot_be_written_to_is_critical(clock: SetClock, tmp_path: Path) -> None:
    blobs = open_blobs(f"file://{tmp_path}/blobs")
    (tmp_path / "blobs" / "tmp").rmdir()
    (tmp_path / "blobs" / "tmp").touch()  # nobody can write into what is no folder, root included

    assert (await by_id(make_health(clock, blobs=blobs)))["blobs"].status is Status.CRITICAL


async def test_a_store_that_never_answers_is_critical_after_a_moment_and_is_asked_once(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SilentBlobs(MemoryBlobs):
        asked = 0

        async def ping(self) -> None:
            self.asked += 1
            await asyncio.Event().wait()

    monkeypatch.setattr("backend.services.health.probes.PING_SECONDS", 0.01)
    blobs = SilentBlobs()
    health = make_health(clock, blobs=blobs)

    found = [await by_id(health) for _ in range(3)]

    assert {each["blobs"].status for each in found} == {Status.CRITICAL}
    assert {each["metadata"].status for each in found} == {Status.OK}
    assert blobs.asked == 1


@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [
        (Thresholds(disk_low_bytes=10**18, disk_low_share=1.1), Status.DEGRADED, "disk-low"),
        (Thresholds(disk_full_bytes=10**18, disk_full_share=1.1), Status.CRITICAL, "disk-full"),
    ],
)
async def test_a_disk_that_is_nearly_full_shows(
    clock: SetClock, tmp_path: Path, limits: Thresholds, status: Status, code: str
) -> None:
    health = make_health(clock, data_dir=tmp_path / "not" / "made" / "yet", limits=limits)

    disk = (await by_id(health))["disk"]

    assert (disk.status, disk.issues[0].code) == (status, code)
    assert 0 < float(disk.metrics["free_percent"]) <= 100


async def test_what_was_seen_at_each_look_makes_the_timelines(clock: SetClock) -> None:
    store = MemoryStore()
    health = make_health(clock, store)
    for _ in range(2):
        await health.components(60)
        await store.enqueue(make_job())
        clock.advance(minutes=1)

    queued = [(point.bucket, point.value) for point in health.timeline("ingest-worker", 60)]

    assert queued == [(NOON, 0), (NOON + timedelta(minutes=1), 1)]
    assert {point.unit for part in Part for point in health.timeline(part, 60)} == {
        "ping ms",
        "queued jobs",
        "free %",
    }


async def test_the_watch_counts_stored_bytes_and_ends_when_told(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SAMPLE_SECONDS > 5
    monkeypatch.setattr("backend.services.health.check.SAMPLE_SECONDS", 0)
    again = asyncio.Event()

    class Watched(MemoryBlobs):
        async def ping(self) -> None:
            if health.blob_bytes is not None:
                again.set()

    blobs = Watched()
    await blobs.put(stream(b"12345"))
    health = make_health(clock, blobs=blobs)

    watching = asyncio.create_task(health.watch())
    async with asyncio.timeout(PATIENCE_S):
        await again.wait()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)

    assert health.blob_bytes == 5
    assert health.timeline("blobs", 5)


async def test_logs_are_for_administrators(clock: SetClock) -> None:
    health = make_health(clock)
    health._observers.logbook.keep("request", "{}")

    assert health.logs(LOCAL, Part.API, 10) == ["{}"]
    with pytest.raises(NotAllowed):
        health.logs(User("guest", is_admin=False), Part.API, 10)


def test_a_logbook_keeps_the_last_lines_of_each_component(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.health.logbook.MAX_LINES", 3)
    book = Logbook()
    for n in range(5):
        book.keep("request", str(n))
    book.keep("job.done", "job")

    assert book.tail(Part.API, 2) == ["3", "4"]
    assert book.tail(Part.API, 99) == ["2", "3", "4"]
    assert book.tail(Part.WORKER, 9) == ["job"]
    assert book.tail(Part.GITHUB, 9) == []
    assert book.updated_at(Part.GITHUB) is None
    assert book.updated_at(Part.API) >= datetime.now(UTC) - timedelta(seconds=PATIENCE_S)


def test_a_logbook_is_bounded_in_characters_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.health.logbook.MAX_CHARACTERS", 10)
    book = Logbook()
    for text in ("aaaa", "bbbb", "cccc"):
        book.keep("request", text)

    assert book.tail(Part.API, 9) == ["bbbb", "cccc"]


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        ([Status.OK], Status.OK),
        ([Status.OK, Status.UNKNOWN], Status.OK),
        ([Status.UNKNOWN], Status.UNKNOWN),
        ([Status.DEGRADED, Status.UNKNOWN], Status.DEGRADED),
        ([Status.OK, Status.CRITICAL, Status.DEGRADED], Status.CRITICAL),
        ([], Status.UNKNOWN),
    ],
)
def test_the_whole_is_as_well_as_its_worst_part_that_is_known(statuses: list[Status], whole: Status) -> None:
    assert worst([Component(str(n), "", "", status, NOON, {}) for n, status in enumerate(statuses)]) is whole
