"""What every catalog does when it writes, and what it then reads."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from backend.domain.artifact import Artifact, Relation, Visibility
from backend.domain.errors import AlreadyExists, Conflict, LeaseLost
from backend.domain.ids import new_id
from backend.domain.job import Claim, Job, JobKind, JobState
from backend.domain.source import ArtifactType, Host, Source
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.factories import (
    ADMIN,
    MINUTE,
    NOW,
    OWNER,
    STRANGER,
    a_file,
    a_job,
    a_link,
    a_rating,
    an_artifact,
    an_entry,
)


async def stored(store: MetadataStore, **fields: object) -> Artifact:
    artifact = an_artifact(**fields)
    await store.commit(Commit(artifact))
    return artifact


async def running_job(store: MetadataStore, **fields: object) -> Job:
    await store.enqueue(a_job(**fields))
    job = await store.claim(list(JobKind), worker="w", now=NOW, lease_until=NOW + MINUTE)
    assert job is not None
    return job


class CommitContract:
    async def test_what_is_committed_is_read_back_field_by_field(self, store: MetadataStore) -> None:
        artifact = an_artifact(
            kind=ArtifactType.CODE,
            source=Source(Host.GITHUB, ArtifactType.CODE, "Acme/Tools", "v1", "src/лib"),
            team="red",
            visibility=Visibility.OWNER,
            commit="c" * 40,
            readme="# Tools\n\n«日本語» \N{ROCKET}",
            license="MIT OR Apache-2.0",
            size_bytes=5_000_000_000_000,
            version=7,
            updated_at=NOW + timedelta(microseconds=1),
        )
        await store.commit(Commit(artifact))
        assert await store.get(OWNER, ArtifactType.CODE, artifact.id) == artifact
        assert await store.by_source(OWNER, ArtifactType.CODE, artifact.source.key) == artifact

    async def test_all_parts_of_a_commit_become_visible(self, store: MetadataStore) -> None:
        artifact, mirror = an_artifact(), a_job(kind=JobKind.MIRROR)
        rating, link, file = a_rating(artifact), a_link(artifact, "huggingface:dataset:squad"), a_file("a")
        entry = an_entry(artifact)
        await store.commit(
            Commit(artifact, rating=rating, links=[link], files=[file], audit=[entry], jobs=[mirror]),
        )
        assert await store.rating(artifact.id) == rating
        assert await store.scores(artifact.id) == rating.rating
        assert list(await store.links_from([artifact.id])) == [link]
        assert list(await store.files(artifact.id)) == [file]
        assert list(await store.trail(artifact.id)) == [entry]
        assert await store.job(mirror.id) == mirror

    async def test_the_same_source_twice_is_refused_with_the_id_that_has_it(self, store: MetadataStore) -> None:
        first = await stored(store)
        with pytest.raises(AlreadyExists) as refusal:
            await store.commit(Commit(an_artifact(source=first.source)))
        assert (refusal.value.artifact_id, refusal.value.artifact_type) == (first.id, first.type)

    async def test_the_holder_of_a_source_is_named_even_to_who_may_not_see_it(self, store: MetadataStore) -> None:
        hidden = await stored(store, visibility=Visibility.OWNER)
        with pytest.raises(AlreadyExists) as refusal:
            await store.commit(Commit(an_artifact(source=hidden.source, owner=STRANGER.name)))
        assert refusal.value.artifact_id == hidden.id

    async def test_an_id_that_is_taken_is_refused(self, store: MetadataStore) -> None:
        first = await stored(store)
        with pytest.raises(AlreadyExists) as refusal:
            await store.commit(Commit(an_artifact(id=first.id)))
        assert refusal.value.artifact_id == first.id
        assert await store.get(ADMIN, first.type, first.id) == first

    async def test_the_same_source_under_two_types_is_two_artifacts(self, store: MetadataStore) -> None:
        place = Source(Host.GITHUB, ArtifactType.CODE, "acme/both")
        code = await stored(store, kind=ArtifactType.CODE, source=place)
        dataset = await stored(store, kind=ArtifactType.DATASET, source=place)
        assert list(await store.by_keys(ADMIN, [place.key])) == [code, dataset]

    async def test_of_fifty_that_register_one_source_at_once_one_wins(self, store: MetadataStore) -> None:
        place = an_artifact().source
        rivals = [an_artifact(source=place) for _ in range(50)]
        changes = [Commit(rival, audit=[an_entry(rival)]) for rival in rivals]
        outcomes = await asyncio.gather(*(store.commit(change) for change in changes), return_exceptions=True)
        winners = [rival for rival, outcome in zip(rivals, outcomes, strict=True) if outcome is None]
        refusals = [outcome for outcome in outcomes if isinstance(outcome, AlreadyExists)]
        assert (len(winners), len(refusals)) == (1, 49)
        assert {refusal.artifact_id for refusal in refusals} == {winners[0].id}
        assert sum([len(await store.trail(rival.id)) for rival in rivals]) == 1

    async def test_a_refused_commit_leaves_nothing_behind(self, store: MetadataStore) -> None:
        first, job, mirror = await stored(store), await running_job(store), a_job()
        rival = an_artifact(source=first.source)
        change = Commit(
            rival,
            rating=a_rating(rival),
            links=[a_link(rival, "k")],
            files=[a_file("a")],
            audit=[an_entry(rival)],
            jobs=[mirror],
            closes=job.claim,
        )
        with pytest.raises(AlreadyExists):
            await store.commit(change)
        assert await store.get(ADMIN, rival.type, rival.id) is None
        assert await store.rating(rival.id) is None
        assert await store.scores(rival.id) is None
        assert not await store.links_from([rival.id])
        assert not await store.links_to(["k"], list(Relation))
        assert not await store.files(rival.id)
        assert not await store.trail(rival.id)
        assert await store.job(mirror.id) is None
        assert await store.job(job.id) == job

    async def test_a_neighbours_refusal_does_not_undo_a_commit(self, store: MetadataStore) -> None:
        first = await stored(store)
        good = [an_artifact() for _ in range(5)]
        changes = [Commit(good[0]), Commit(an_artifact(source=first.source)), *(Commit(each) for each in good[1:])]
        await asyncio.gather(*(store.commit(change) for change in changes), return_exceptions=True)
        assert list(await store.by_ids(ADMIN, [each.id for each in good])) == good


class UpdateContract:
    async def test_an_update_replaces_the_expected_version(self, store: MetadataStore) -> None:
        first = await stored(store)
        second = replace(first, name="renamed", version=2, readme="new", updated_at=NOW + MINUTE)
        await store.commit(Commit(second, expected_version=1))
        assert await store.get(OWNER, first.type, first.id) == second

    @pytest.mark.parametrize("expected", [0, 1, 3], ids=lambda version: f"expecting-{version}")
    async def test_an_update_of_another_version_is_a_conflict(self, store: MetadataStore, expected: int) -> None:
        first = await stored(store, version=2)
        with pytest.raises(Conflict):
            await store.commit(Commit(replace(first, name="late", version=3), expected_version=expected))
        assert await store.get(OWNER, first.type, first.id) == first

    async def test_an_update_of_what_is_gone_is_a_conflict(self, store: MetadataStore) -> None:
        with pytest.raises(Conflict):
            await store.commit(Commit(an_artifact(), expected_version=1))

    async def test_an_update_under_another_type_is_a_conflict(self, store: MetadataStore) -> None:
        first = await stored(store)
        with pytest.raises(Conflict):
            await store.commit(Commit(replace(first, type=ArtifactType.CODE), expected_version=1))

    async def test_of_many_updates_of_one_version_one_wins(self, store: MetadataStore) -> None:
        first = await stored(store)
        changes = [Commit(replace(first, name=f"n{at}", version=2), expected_version=1) for at in range(20)]
        outcomes = await asyncio.gather(*(store.commit(change) for change in changes), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes].count(Conflict) == 19
        winner = changes[outcomes.index(None)].artifact
        assert await store.get(OWNER, first.type, first.id) == winner

    async def test_an_update_may_move_to_a_free_source_and_frees_its_own(self, store: MetadataStore) -> None:
        first = await stored(store)
        moved = replace(first, source=an_artifact().source, version=2)
        await store.commit(Commit(moved, expected_version=1))
        assert await store.by_source(OWNER, first.type, first.source.key) is None
        assert await store.by_source(OWNER, first.type, moved.source.key) == moved
        await stored(store, source=first.source)

    async def test_an_update_may_not_move_to_a_source_that_is_taken(self, store: MetadataStore) -> None:
        first, other = await stored(store), await stored(store)
        with pytest.raises(AlreadyExists) as refusal:
            await store.commit(Commit(replace(first, source=other.source, version=2), expected_version=1))
        assert refusal.value.artifact_id == other.id
        assert await store.get(OWNER, first.type, first.id) == first

    async def test_parts_that_are_none_stay_and_parts_that_are_given_replace(self, store: MetadataStore) -> None:
        first = an_artifact()
        before = {"rating": a_rating(first, 0.1), "links": [a_link(first, "k")], "files": [a_file("a"), a_file("b")]}
        await store.commit(Commit(first, **before))
        await store.commit(Commit(replace(first, version=2), expected_version=1))
        assert await store.rating(first.id) == before["rating"]
        assert list(await store.links_from([first.id])) == before["links"]
        assert list(await store.files(first.id)) == before["files"]
        after = {"rating": a_rating(first, 0.9), "links": [], "files": [a_file("b", size_bytes=8)]}
        await store.commit(Commit(replace(first, version=3), expected_version=2, **after))
        assert await store.rating(first.id) == after["rating"]
        assert not await store.links_from([first.id])
        assert list(await store.files(first.id)) == after["files"]


class ClosingContract:
    async def test_a_commit_ends_the_job_it_closes(self, store: MetadataStore) -> None:
        job = await running_job(store)
        artifact = an_artifact(updated_at=NOW + MINUTE)
        await store.commit(Commit(artifact, closes=job.claim))
        done = await store.job(job.id)
        assert done == replace(job, state=JobState.DONE, lease_until=None, updated_at=NOW + MINUTE)

    async def test_a_commit_under_an_old_fence_is_refused_and_leaves_nothing(self, store: MetadataStore) -> None:
        job = await running_job(store)
        artifact = an_artifact()
        with pytest.raises(LeaseLost):
            await store.commit(Commit(artifact, audit=[an_entry(artifact)], closes=Claim(job.id, job.fence - 1)))
        assert await store.get(ADMIN, artifact.type, artifact.id) is None
        assert not await store.trail(artifact.id)
        assert await store.job(job.id) == job

    async def test_a_commit_for_a_job_that_is_not_there_is_refused(self, store: MetadataStore) -> None:
        with pytest.raises(LeaseLost):
            await store.commit(Commit(an_artifact(), closes=Claim(new_id(), 1)))

    async def test_a_commit_for_a_job_that_has_ended_is_refused(self, store: MetadataStore) -> None:
        job = await running_job(store)
        await store.finish(job.claim, error=None, now=NOW)
        with pytest.raises(LeaseLost):
            await store.commit(Commit(an_artifact(), closes=job.claim))

    async def test_a_lost_lease_is_told_before_anything_else(self, store: MetadataStore) -> None:
        first = await stored(store)
        with pytest.raises(LeaseLost):
            await store.commit(Commit(an_artifact(source=first.source), closes=Claim(new_id(), 1)))
        with pytest.raises(LeaseLost):
            await store.commit(Commit(first, expected_version=9, closes=Claim(new_id(), 1)))
