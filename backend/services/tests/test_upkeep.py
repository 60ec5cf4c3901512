from datetime import UTC, datetime, timedelta

import pytest

from backend.domain.artifact import FileEntry
from backend.domain.errors import MayNotReset
from backend.domain.page import NameQuery
from backend.domain.user import LOCAL, User
from backend.services.upkeep import BATCH, GRACE, Upkeep
from backend.storage.memory import MemoryBlobs, MemoryStore
from backend.tests.factories import SetClock, make_artifact, make_job, register, stream


@pytest.fixture
def clock() -> SetClock:
    """A clock that agrees with the blob store's, which dates what it stores itself."""
    return SetClock(datetime.now(UTC) + timedelta(seconds=1))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def upkeep(store: MemoryStore, blobs: MemoryBlobs, clock: SetClock) -> Upkeep:
    return Upkeep(store, blobs, now=clock)


async def _kept(blobs: MemoryBlobs) -> set[str]:
    return {blob.digest async for blob in blobs.list()}


async def test_a_sweep_keeps_what_a_file_refers_to_and_drops_the_rest(
    store: MemoryStore, blobs: MemoryBlobs, upkeep: Upkeep, clock: SetClock
) -> None:
    held, _orphan = [await blobs.put(stream(content)) for content in (b"held", b"orphan")]
    await register(store, make_artifact(), files=[FileEntry("weights.bin", 4, digest=held.digest)])
    clock.advance(hours=2)

    assert await upkeep.sweep() == 1

    assert await _kept(blobs) == {held.digest}


async def test_a_young_blob_is_left_to_the_job_that_may_be_about_to_refer_to_it(
    blobs: MemoryBlobs, upkeep: Upkeep, clock: SetClock
) -> None:
    await blobs.put(stream(b"young"))
    clock.at += GRACE - timedelta(seconds=5)
    assert await upkeep.sweep() == 0

    clock.advance(seconds=10)

    assert await upkeep.sweep() == 1


async def test_a_sweep_goes_through_more_blobs_than_are_asked_about_at_once(
    store: MemoryStore, blobs: MemoryBlobs, upkeep: Upkeep, clock: SetClock
) -> None:
    made = [await blobs.put(stream(b"%d" % n)) for n in range(BATCH + 20)]
    held = made[::50]
    await register(store, make_artifact(), files=[FileEntry(b.digest, b.size_bytes, digest=b.digest) for b in held])
    clock.advance(hours=2)

    assert await upkeep.sweep() == len(made) - len(held)

    assert await _kept(blobs) == {blob.digest for blob in held}


async def test_a_reset_by_the_administrator_leaves_nothing(
    store: MemoryStore, blobs: MemoryBlobs, upkeep: Upkeep
) -> None:
    blob = await blobs.put(stream(b"held"))
    artifact = await register(store, make_artifact(), files=[FileEntry("x", 4, digest=blob.digest)])
    await store.enqueue(make_job(artifact=artifact))

    await upkeep.reset(LOCAL)

    assert (await store.page(LOCAL, [NameQuery(None)], after=None, limit=9)).items == []
    assert (await store.jobs(after=None, limit=9)).items == []
    assert await store.trail(artifact.id) == []
    assert await _kept(blobs) == set()


async def test_a_reset_by_anybody_else_is_refused_and_changes_nothing(store: MemoryStore, upkeep: Upkeep) -> None:
    artifact = await register(store, make_artifact())

    with pytest.raises(MayNotReset):
        await upkeep.reset(User("ann", is_admin=False))

    assert await store.get(LOCAL, artifact.type, artifact.id) == artifact
