from datetime import timedelta

import pytest

from backend.domain.artifact import Artifact
from backend.domain.errors import LeaseLost
from backend.domain.job import Job, JobKind, JobState, Progress
from backend.domain.source import ArtifactType
from backend.services.jobs import JobBoard
from backend.services.refresh import Relinking
from backend.storage.base import MetadataStore
from backend.storage.factory import open_metadata
from backend.tests.factories import NOON, SetClock, make_artifact, make_job, make_link, register

DATASET, CODE = ArtifactType.DATASET, ArtifactType.CODE


@pytest.fixture
def store() -> MetadataStore:
    return open_metadata("memory://")


async def _report(_progress: Progress) -> None:
    return None


async def _run_one(store: MetadataStore) -> Job:
    """Run the oldest RELINK job and end it, as the worker does."""
    until = NOON + timedelta(minutes=1)
    job = await store.claim([JobKind.RELINK], worker="w", now=NOON, lease_until=until)
    assert job is not None
    await Relinking(store, JobBoard(store), now=SetClock()).run(job, _report)
    await store.finish(job.claim, error=None, now=NOON)
    return job


async def _new(store: MetadataStore, artifact: Artifact, **parts: object) -> Artifact:
    return await register(store, artifact, jobs=[make_job(JobKind.RELINK, artifact)], **parts)


async def _rated_anew(store: MetadataStore) -> list[str]:
    jobs = (await store.jobs(after=None, limit=99)).items
    return sorted(job.artifact_id for job in jobs if job.kind is JobKind.RATE)


async def test_one_job_looks_for_everything_that_waits(store: MetadataStore) -> None:
    robin = await register(store, make_artifact("acme/robin", readme="Trained on harbour-sounds."))
    wren = await register(store, make_artifact("acme/wren", readme="Code: finch-training."))
    base = make_artifact("acme/base")
    child = make_artifact("acme/child")
    await register(store, child, links=[make_link(child, base)])
    await register(store, make_artifact("acme/other", readme="Names nothing."))
    await _new(store, make_artifact("acme/harbour-sounds", DATASET))
    await _new(store, make_artifact("acme/finch-training", CODE))
    await _new(store, base)

    await _run_one(store)

    assert await _rated_anew(store) == sorted([robin.id, wren.id, child.id])
    relinks = [job for job in (await store.jobs(after=None, limit=99)).items if job.kind is JobKind.RELINK]
    assert [job.state for job in relinks] == [JobState.DONE] * 3


async def test_models_that_came_together_are_held_against_each_other(store: MetadataStore) -> None:
    parent, child = make_artifact("acme/parent"), make_artifact("acme/child")
    await _new(store, child, links=[make_link(child, parent), make_link(child, child)])
    await _new(store, parent)

    await _run_one(store)

    assert await _rated_anew(store) == [child.id]


async def test_what_is_gone_keeps_nothing_else_from_being_looked_for(store: MetadataStore) -> None:
    robin = await register(store, make_artifact("acme/robin", readme="Trained on harbour-sounds."))
    await store.enqueue(make_job(JobKind.RELINK, make_artifact("acme/gone", DATASET), created_at=NOON.replace(hour=1)))
    await _new(store, make_artifact("acme/harbour-sounds", DATASET))

    with pytest.raises(LeaseLost, match="is gone"):
        await _run_one(store)

    assert await _rated_anew(store) == [robin.id]
