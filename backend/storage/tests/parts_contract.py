"""What every catalog does with the parts of an artifact, and what goes when it is deleted."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from backend.domain.artifact import PARENT_RELATIONS, FileEntry, Relation
from backend.domain.audit import Action
from backend.domain.errors import LeaseLost
from backend.domain.ids import new_id
from backend.domain.source import ArtifactType
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.catalog_contract import running_job, stored
from backend.storage.tests.factories import (
    ADMIN,
    MINUTE,
    NOW,
    OWNER,
    a_file,
    a_job,
    a_link,
    a_rating,
    an_artifact,
    an_entry,
)


class DeleteContract:
    async def test_delete_removes_everything_but_the_trail(self, store: MetadataStore) -> None:
        artifact = an_artifact()
        created, deleted = an_entry(artifact), an_entry(artifact, Action.DELETE, NOW + MINUTE)
        digest = "cd" * 32
        parts = {"links": [a_link(artifact, "k")], "files": [a_file("a", digest=digest)]}
        await store.commit(Commit(artifact, rating=a_rating(artifact), audit=[created], **parts))
        assert await store.delete(OWNER, artifact.type, artifact.id, deleted) is True
        assert await store.get(ADMIN, artifact.type, artifact.id) is None
        assert await store.by_source(ADMIN, artifact.type, artifact.source.key) is None
        assert await store.rating(artifact.id) is None
        assert not await store.files(artifact.id)
        assert not await store.links_from([artifact.id])
        assert not await store.links_to(["k"], list(Relation))
        assert await store.held_digests([digest]) == set()
        assert list(await store.trail(artifact.id)) == [created, deleted]

    async def test_delete_takes_unfinished_jobs_along_and_leaves_finished_ones(self, store: MetadataStore) -> None:
        artifact = await stored(store)
        done = await running_job(store, artifact_id=artifact.id)
        await store.finish(done.claim, error=None, now=NOW)
        running = await running_job(store, artifact_id=artifact.id)
        queued, foreign = a_job(artifact_id=artifact.id), a_job()
        await store.enqueue(queued)
        await store.enqueue(foreign)
        await store.delete(OWNER, artifact.type, artifact.id, an_entry(artifact, Action.DELETE))
        there = [await store.job(job.id) is not None for job in (done, running, queued, foreign)]
        assert there == [True, False, False, True]
        with pytest.raises(LeaseLost):
            await store.finish(running.claim, error=None, now=NOW)

    async def test_deleting_what_is_not_there_is_false_and_leaves_no_trace(self, store: MetadataStore) -> None:
        artifact = an_artifact()
        assert await store.delete(ADMIN, artifact.type, artifact.id, an_entry(artifact, Action.DELETE)) is False
        assert not await store.trail(artifact.id)

    async def test_delete_minds_the_type(self, store: MetadataStore) -> None:
        artifact = await stored(store)
        assert await store.delete(ADMIN, ArtifactType.CODE, artifact.id, an_entry(artifact, Action.DELETE)) is False
        assert await store.get(ADMIN, artifact.type, artifact.id) == artifact

    async def test_a_deleted_source_can_be_registered_again(self, store: MetadataStore) -> None:
        artifact = await stored(store)
        await store.delete(ADMIN, artifact.type, artifact.id, an_entry(artifact, Action.DELETE))
        again = await stored(store, source=artifact.source)
        assert await store.by_source(ADMIN, artifact.type, artifact.source.key) == again

    async def test_links_of_others_to_what_was_deleted_stay(self, store: MetadataStore) -> None:
        dataset, model = await stored(store, kind=ArtifactType.DATASET), an_artifact()
        link = a_link(model, dataset.source.key)
        await store.commit(Commit(model, links=[link]))
        await store.delete(ADMIN, dataset.type, dataset.id, an_entry(dataset, Action.DELETE))
        assert list(await store.links_to([dataset.source.key], [Relation.DATASET])) == [link]


class PartsContract:
    async def test_files_come_by_path_in_code_point_order(self, store: MetadataStore) -> None:
        artifact, paths = an_artifact(), ["b", "a/z", "a", "Z", "é", "a.b", "a-b", "\N{ROCKET}", "\uffee"]
        await store.commit(Commit(artifact, files=[a_file(path) for path in paths]))
        assert [file.path for file in await store.files(artifact.id)] == sorted(paths)

    async def test_a_file_is_read_back_field_by_field(self, store: MetadataStore) -> None:
        artifact = an_artifact()
        held = FileEntry("a", 10**13, "ab" * 32, "cd" * 20, "ef" * 32, 2**32 - 1, verified=False)
        bare = FileEntry("b", 0)
        await store.commit(Commit(artifact, files=[held, bare]))
        assert list(await store.files(artifact.id)) == [held, bare]

    async def test_there_are_no_parts_of_what_is_not_there(self, store: MetadataStore) -> None:
        assert await store.rating(new_id()) is None
        assert not await store.files(new_id())
        assert not await store.trail(new_id())
        assert not await store.links_from([])
        assert not await store.links_to([], list(Relation))
        assert await store.held_digests([]) == set()

    async def test_links_come_in_the_order_they_were_committed(self, store: MetadataStore) -> None:
        first, second = an_artifact(), an_artifact()
        of_first, of_second = [a_link(first, key) for key in "cab"], [a_link(second, key) for key in "ba"]
        await store.commit(Commit(second, links=of_second))
        await store.commit(Commit(first, links=of_first))
        assert list(await store.links_from([first.id, second.id, first.id])) == of_second + of_first
        await store.commit(Commit(replace(second, version=2), expected_version=1, links=of_second))
        assert list(await store.links_from([first.id, second.id])) == of_first + of_second

    async def test_links_to_a_key_are_found_by_relation(self, store: MetadataStore) -> None:
        model = an_artifact()
        dataset, base = a_link(model, "k", Relation.DATASET), a_link(model, "k", Relation.BASE_MODEL)
        adapter, elsewhere = a_link(model, "l", Relation.ADAPTER), a_link(model, "m", Relation.ADAPTER)
        await store.commit(Commit(model, links=[dataset, base, adapter, elsewhere]))
        assert list(await store.links_to(["k", "l"], sorted(PARENT_RELATIONS))) == [base, adapter]
        assert not await store.links_to(["k"], [])

    async def test_held_digests_are_those_that_some_file_refers_to(self, store: MetadataStore) -> None:
        one, two = an_artifact(), an_artifact()
        a, b, c = ("a" * 64, "b" * 64, "c" * 64)
        await store.commit(Commit(one, files=[a_file("x", digest=a), a_file("y", digest=b), a_file("z")]))
        await store.commit(Commit(two, files=[a_file("x", digest=a)]))
        assert await store.held_digests([a, b, c]) == {a, b}
        await store.delete(ADMIN, one.type, one.id, an_entry(one, Action.DELETE))
        assert await store.held_digests([a, b, c]) == {a}

    async def test_many_keys_at_once_are_no_trouble(self, store: MetadataStore) -> None:
        artifact = an_artifact()
        await store.commit(Commit(artifact, links=[a_link(artifact, "k")], files=[a_file("a", digest="d")]))
        noise: Sequence[str] = [f"none-{at}" for at in range(25_000)]
        assert list(await store.by_keys(ADMIN, [*noise, artifact.source.key])) == [artifact]
        assert list(await store.by_ids(ADMIN, [*noise, artifact.id])) == [artifact]
        assert len(await store.links_from([*noise, artifact.id])) == 1
        assert len(await store.links_to([*noise, "k"], list(Relation))) == 1
        assert await store.held_digests([*noise, "d"]) == {"d"}
